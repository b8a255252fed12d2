from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.crawl.registry import SOURCES
from transforms.crawl.repository import AcceptedFile, crawl_repository
from transforms.crawl.source import (
    CrawlError,
    Limits,
    RejectedFile,
    RepositoryFacts,
    Request,
    SourceFile,
)

FACTS = RepositoryFacts("1")
REQUEST = Request("directory/a", "directory", "/a")


@dataclass
class InMemory:
    files: list
    facts: RepositoryFacts = FACTS

    def read(self, wanted, limits):
        for file in self.files:
            if isinstance(file, Exception):
                raise file
            if wanted(file.path):
                yield file


def crawl(*files):
    return crawl_repository(REQUEST, InMemory(list(files)), ["python"], Limits())


def test_accepts_text_in_a_wanted_language():
    crawled = crawl(SourceFile("a.py", b"a = 1\n"), SourceFile("a.txt", b"text"))
    assert crawled.files == (AcceptedFile("a.py", b"a = 1\n", "utf-8", "python"),)
    assert crawled.rejected == ()
    assert crawled.facts == RepositoryFacts("1")
    assert crawled.request == REQUEST


def test_rejects_by_name_what_cannot_be_a_document():
    crawled = crawl(
        SourceFile("nul.py", b"x"),
        SourceFile("../up.py", b"x"),
        SourceFile("caf\udce9.py", b"x"),
        SourceFile("binary.py", b"\0"),
        SourceFile("latin.py", b"\xe9"),
        RejectedFile("linked.py", Reason.LINK),
        RejectedFile("/linked.py", Reason.LINK),
        SourceFile("twice.py", b"1"),
        SourceFile("twice.py", b"2"),
    )
    assert [(file.path, file.reason) for file in crawled.rejected] == [
        ("../up.py", Reason.UNSAFE_PATH),
        ("/linked.py", Reason.UNSAFE_PATH),
        ("binary.py", Reason.BINARY_CONTENT),
        ("caf\\udce9.py", Reason.UNSAFE_PATH),
        ("latin.py", Reason.UNDECODABLE),
        ("linked.py", Reason.LINK),
        ("nul.py", Reason.UNSAFE_PATH),
        ("twice.py", Reason.DUPLICATE_PATH),
    ]
    assert [(file.path, file.content) for file in crawled.files] == [("twice.py", b"1")]


def test_fails_as_a_whole_where_reading_fails():
    error = CrawlError(Reason.CORRUPT_ARCHIVE, "damaged")
    with pytest.raises(CrawlError, match="damaged"):
        crawl(SourceFile("a.py", b"x"), error)


@given(st.permutations(["b.py", "a.py", "a/b.py", "a-b.py", "é.py", "Z.py", "\U00010000.py"]))
def test_sorts_files_by_the_bytes_of_their_paths(paths):
    crawled = crawl(*(SourceFile(path, b"x") for path in paths))
    expected = ["Z.py", "a-b.py", "a.py", "a/b.py", "b.py", "é.py", "\U00010000.py"]
    assert [file.path for file in crawled.files] == expected


@given(st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8))))
def test_puts_every_wanted_file_into_one_of_two_bins(files):
    crawled = crawl(*(SourceFile(path + ".py", content) for path, content in files))
    wanted = [path for path, _ in files if path.rpartition("/")[2]]
    assert len(crawled.files) + len(crawled.rejected) == len(wanted)


def test_registers_each_source_under_the_name_in_its_requests():
    settings = {
        "directory": {"path": "/a", "repositories": "one"},
        "git": {"urls": ["https://example.org/a"]},
        "pypi": {"projects": ["a"], "index": None},
    }
    assert set(SOURCES) == set(settings)
    for name, values in settings.items():
        (request,) = SOURCES[name].requests(values)
        assert request.source == name

import codecs
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Reason
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
DEFAULT_LIMITS = Limits()
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


def crawl(*files, limits=DEFAULT_LIMITS, languages=("python",)):
    return crawl_repository(REQUEST, InMemory(list(files)), languages, limits)


def found_languages(crawled):
    return {file.path: file.language for file in crawled.files}


def rejections(crawled):
    return [(file.path, file.reason, file.detail) for file in crawled.rejected]


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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A.py", "a.py"),
        ("a/B.py", "A/b.py"),
        ("caf\u00e9.py", "cafe\u0301.py"),
        ("CAF\u00c9.py", "cafe\u0301.py"),
        ("stra\u00dfe.py", "STRASSE.py"),
        ("\u212bngstrom.py", "\u00e5ngstrom.py"),
    ],
)
def test_rejects_the_second_of_two_paths_that_are_one_on_some_systems(first, second):
    for one, other in ((first, second), (second, first)):
        crawled = crawl(SourceFile(one, b"1"), SourceFile(other, b"2"))
        assert [(file.path, file.content) for file in crawled.files] == [(one, b"1")]
        assert rejections(crawled) == [(other, Reason.COLLIDING_PATH, f"with {one}")]


def test_paths_collide_whatever_became_of_the_first():
    crawled = crawl(RejectedFile("A.py", Reason.LINK), SourceFile("a.py", b"1"))
    assert [file.reason for file in crawled.rejected] == [Reason.LINK, Reason.COLLIDING_PATH]
    third = crawl(*(SourceFile(path, b"1") for path in ("A.py", "a.py", "a.py")))
    assert sorted(file.reason for file in third.rejected) == [
        Reason.COLLIDING_PATH,
        Reason.DUPLICATE_PATH,
    ]


def test_rejects_files_in_too_many_folders():
    deepest = "d/" * 64 + "a.py"
    crawled = crawl(SourceFile(deepest, b"1"), SourceFile("d/" + deepest, b"1"))
    assert [file.path for file in crawled.files] == [deepest]
    assert rejections(crawled) == [
        ("d/" + deepest, Reason.PATH_TOO_DEEP, "in more than 64 folders")
    ]
    flat = crawl(SourceFile("a/b.py", b"1"), limits=Limits(max_depth=0))
    assert [file.reason for file in flat.rejected] == [Reason.PATH_TOO_DEEP]


def test_names_archives_in_a_repository_without_reading_them():
    crawled = crawl(
        SourceFile("fixtures/b.tar.GZ", b"never read"),
        SourceFile("a.whl", b""),
        SourceFile("a.py", b"a = 1\n"),
        SourceFile("../up.zip", b""),
        SourceFile("data.json.gz", b""),
    )
    assert [file.path for file in crawled.files] == ["a.py"]
    assert [(file.path, file.reason) for file in crawled.rejected] == [
        ("../up.zip", Reason.UNSAFE_PATH),
        ("a.whl", Reason.NESTED_ARCHIVE),
        ("fixtures/b.tar.GZ", Reason.NESTED_ARCHIVE),
    ]


@pytest.mark.parametrize(
    "content", [b"a\r\nb\rc\n", codecs.BOM_UTF8 + b"x = 1\r\n", b"x = '" + b"#" * 900_000 + b"'"]
)
def test_keeps_every_byte_of_a_file(content):
    (file,) = crawl(SourceFile("a.py", content)).files
    assert file.content == content


MIT = (
    b"MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\n"
    b'of this software and associated documentation files (the "Software"), to deal\n'
    b"in the Software without restriction, including without limitation the rights\n"
    b"to use, copy, modify, merge, publish, distribute, sublicense, and/or sell\n"
    b"copies of the Software, and to permit persons to whom the Software is\n"
    b"furnished to do so, subject to the following conditions:\n\n"
    b"The above copyright notice and this permission notice shall be included in all\n"
    b"copies or substantial portions of the Software.\n"
)


def licenses(crawled):
    return {file.path: file.license and file.license.expression for file in crawled.files}


def test_a_file_has_its_own_license_or_that_of_the_nearest_license_file():
    crawled = crawl(
        SourceFile("a.py", b"a = 1\n"),
        SourceFile("vendored/LICENSE", MIT),
        SourceFile("vendored/deep/b.py", b"b = 1\n"),
        SourceFile("vendored/c.py", b"# SPDX-License-Identifier: ISC\nc = 1\n"),
    )
    assert licenses(crawled) == {"a.py": None, "vendored/c.py": "ISC", "vendored/deep/b.py": "MIT"}
    assert crawled.license is None
    assert crawled.rejected == ()


def test_what_the_metadata_says_holds_where_no_file_says_otherwise():
    facts = RepositoryFacts("1", licenses=("Apache-2.0",))
    files = [SourceFile("a.py", b"a = 1\n"), SourceFile("b/b.py", b"b\n")]
    crawled = crawl_repository(REQUEST, InMemory(files, facts), ["python"], DEFAULT_LIMITS)
    assert licenses(crawled) == {"a.py": "Apache-2.0", "b/b.py": "Apache-2.0"}
    assert crawled.license.evidence == "metadata"


def test_a_license_file_is_no_document_and_no_failure_whatever_it_holds():
    crawled = crawl(
        RejectedFile("LICENSE", Reason.LINK),
        SourceFile("../COPYING", b"\0"),
        SourceFile("sub/LICENSE", b"\xff\0" * 1000),
        SourceFile("a.py", b"a = 1\n"),
    )
    assert licenses(crawled) == {"a.py": None}
    assert crawled.rejected == ()


def test_a_python_file_that_is_called_license_is_a_document():
    assert licenses(crawl(SourceFile("license.py", b"a = 1\n"))) == {"license.py": None}


def test_scripts_are_known_by_their_first_line_and_other_files_are_none_of_ours():
    crawled = crawl(
        SourceFile("bin/a", b"#!/usr/bin/env python3\nx = 1\n"),
        SourceFile("bin/b", b"#!/bin/sh\n"),
        SourceFile("bin/c", b"\x7fELF\0"),
        SourceFile("bin/a.b/d", b"#!/usr/bin/python\n\0"),
        RejectedFile("bin/e", Reason.LINK),
        RejectedFile("bin/f", Reason.FILE_TOO_LARGE),
    )
    assert found_languages(crawled) == {"bin/a": "python"}
    assert rejections(crawled) == [("bin/a.b/d", Reason.BINARY_CONTENT, "")]


def test_a_submodule_without_extension_is_reported_though_nobody_asked_for_it():
    repository = InMemory([])
    repository.read = lambda wanted, limits: iter([RejectedFile("sub", Reason.SUBMODULE)])
    crawled = crawl_repository(REQUEST, repository, ["python"], DEFAULT_LIMITS)
    assert rejections(crawled) == [("sub", Reason.SUBMODULE, "")]


def test_content_decides_what_a_shared_extension_means():
    crawled = crawl(
        SourceFile("a.h", b"int f(void);\n"),
        SourceFile("b.h", b"class A {\n"),
        SourceFile("c.m", b"% MATLAB\n"),
        SourceFile("Makefile", b"a:\n"),
        RejectedFile("d.h", Reason.FILE_TOO_LARGE),
        languages=["c", "makefile", "objective-c"],
    )
    assert found_languages(crawled) == {"Makefile": "makefile", "a.h": "c"}
    assert rejections(crawled) == [("d.h", Reason.FILE_TOO_LARGE, "")]


def test_a_license_in_markdown_is_a_license_and_no_document():
    crawled = crawl(
        SourceFile("LICENSE.md", b"x"), SourceFile("a.md", b"y"), languages=["markdown"]
    )
    assert found_languages(crawled) == {"a.md": "markdown"}

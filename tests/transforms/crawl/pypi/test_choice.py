import random

import pytest
from pypi_simple import ProjectPage

from schemas.failures import Reason
from transforms.crawl.pypi.choice import Allowed, choose_file, version_of
from transforms.crawl.pypi.requirements import parse_project_line
from transforms.crawl.source import CrawlError

SHA = "a" * 64


def chosen(files, line="a", **allowed):
    """The name of the file that is chosen, in whatever order the index lists them."""
    files = [file if isinstance(file, dict) else {"filename": file} for file in files]
    entries = [{"url": file["filename"], "hashes": {}, **file} for file in files]
    found = set()
    for seed in range(4):
        random.Random(seed).shuffle(entries)
        page = {"meta": {"api-version": "1.0"}, "name": "a", "files": entries}
        listed = ProjectPage.from_json_data(page, "http://index/")
        found.add(choose_file(listed, parse_project_line(line), Allowed(**allowed)).filename)
    (name,) = found
    return name


def yanked(filename):
    return {"filename": filename, "yanked": True}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a-1.tar.gz", "a-1-py3-none-any.whl"], "a-1.tar.gz"),
        (["a-1.zip", "a-1.tar.gz", "a-1.tar.bz2"], "a-1.tar.gz"),
        (["a-1.tar.gz", "a-2-py3-none-any.whl"], "a-2-py3-none-any.whl"),
        (["a-9.tar.gz", "a-10.tar.gz"], "a-10.tar.gz"),
        (["a-1-cp311-cp311-win32.whl", "a-1-py3-none-any.whl"], "a-1-py3-none-any.whl"),
        (["a-1-py2-none-any.whl", "a-1-py3-none-any.whl"], "a-1-py3-none-any.whl"),
        (["a-1-py2-none-any.whl", "a-1-cp311-cp311-win32.whl"], "a-1-py2-none-any.whl"),
        (["a-1-py2.py3-none-any.whl", "a-1-py3-none-any.whl"], "a-1-py2.py3-none-any.whl"),
        (["a-1-cp39-cp39-win32.whl", "a-1-cp311-cp311-win32.whl"], "a-1-cp311-cp311-win32.whl"),
        (["a-1-py3-none-any.whl", "a-1-2-py3-none-any.whl"], "a-1-2-py3-none-any.whl"),
        (["a-2.egg", "a-1.tar.gz"], "a-1.tar.gz"),
    ],
)
def test_takes_the_newest_release_and_its_source_first(files, expected):
    assert chosen(files) == expected


@pytest.mark.parametrize(
    ("files", "line", "expected"),
    [
        (["a-1.tar.gz", "a-2rc1.tar.gz"], "a", "a-1.tar.gz"),
        (["a-1rc1.tar.gz", "a-2.dev1.tar.gz"], "a", "a-2.dev1.tar.gz"),
        (["a-1.tar.gz", "a-2rc1.tar.gz"], "a>=1rc1", "a-2rc1.tar.gz"),
        (["a-1.tar.gz", yanked("a-2.tar.gz")], "a", "a-1.tar.gz"),
        (["a-1.tar.gz", yanked("a-2.tar.gz")], "a==2", "a-2.tar.gz"),
    ],
)
def test_counts_the_releases_that_pip_counts(files, line, expected):
    assert chosen(files, line) == expected


def test_counts_more_by_choice():
    files = ["a-1.tar.gz", yanked("a-2.tar.gz"), "a-3rc1.tar.gz", yanked("a-4rc1.tar.gz")]
    assert chosen(files) == "a-1.tar.gz"
    assert chosen(files, yanked=True) == "a-2.tar.gz"
    assert chosen(files, pre_releases=True) == "a-3rc1.tar.gz"
    assert chosen(files, pre_releases=True, yanked=True) == "a-4rc1.tar.gz"


@pytest.mark.parametrize("line", ["a", "a>=2", "a==2.*"])
def test_takes_no_yanked_release_that_is_not_pinned(line):
    with pytest.raises(CrawlError, match="yanked ones do not count") as caught:
        chosen([yanked("a-2.tar.gz")], line)
    assert caught.value.reason is Reason.NOT_FOUND


def test_takes_the_file_that_a_hash_names_whatever_it_is():
    files = ["a-3.tar.gz", yanked("a-2rc1-py3-none-any.whl") | {"hashes": {"sha256": SHA.upper()}}]
    assert chosen(files, f"a --hash=sha256:{SHA}") == "a-2rc1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], Reason.NOT_FOUND),
        (["a-1.tar.gz"], Reason.NOT_FOUND),
        (["a-2-py2.7.egg", "a-2.exe"], Reason.NO_SOURCE_DISTRIBUTION),
        (["a-nonsense.tar.gz"], Reason.NOT_FOUND),
    ],
)
def test_names_why_there_is_no_file(files, reason):
    with pytest.raises(CrawlError) as caught:
        chosen(files, "a>=2")
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("a-1.0-py3-none-any.whl", "1.0"),
        ("A-01.tar.gz", "1"),
        ("archive.tar", None),
        ("b-1.0.zip", None),
        ("a-x.zip", None),
    ],
)
def test_reads_versions_of_file_names(filename, version):
    assert version_of("a", filename) == version

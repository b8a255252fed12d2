import gzip
import os
import tarfile
import zipfile

import pytest

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import (
    COMPRESSIONS,
    FILES,
    contents,
    make_tar,
    make_zip,
    read,
    reason_of,
    special,
)
from transforms.crawl.archives.budget import RATIO_FREE_BYTES
from transforms.crawl.source import Limits, RejectedFile, SourceFile


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
@pytest.mark.parametrize("dialect", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_reads_every_kind_of_tar_without_its_folder(tmp_path, compress, dialect):
    data = make_tar([(f"pkg-1.0/{path}", text) for path, text in FILES.items()], dialect)
    assert contents(read(tmp_path, compress(data))) == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_reads_a_zip_without_its_folder(tmp_path, method):
    data = make_zip([(f"pkg-1.0/{path}", text) for path, text in FILES.items()], method)
    assert contents(read(tmp_path, data, "pkg-1.0.zip")) == FILES


def test_reads_a_wheel_with_all_its_folders(tmp_path):
    data = make_zip(FILES.items())
    assert contents(read(tmp_path, data, "pkg-1.0-py3-none-any.whl", strip=False)) == FILES


@pytest.mark.parametrize("root", ["pkg-1.0/", "./pkg-1.0/", "PKG_1.0/", "something else/"])
def test_strips_the_folder_whatever_it_is_called(tmp_path, root):
    data = make_tar([(root + path, text) for path, text in FILES.items()])
    assert contents(read(tmp_path, data)) == FILES


def test_keeps_the_path_of_what_lies_outside_of_the_folder(tmp_path):
    data = make_tar([("setup.py", b"1"), ("source/a.py", b"2"), ("pkg-1.0/b.py", b"3")])
    assert contents(read(tmp_path, data)) == {"setup.py": b"1", "source/a.py": b"2", "b.py": b"3"}


def test_reads_only_what_is_wanted(tmp_path):
    data = make_tar([("p/a.py", b"a"), ("p/b.txt", b"b"), special("p/c.txt", tarfile.SYMTYPE, "b")])
    found = read(tmp_path, data, wanted=lambda path: path.endswith(".py"))
    assert found == [SourceFile("a.py", b"a")]


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["../a.py", "/etc/a.py", "p/../../a.py", "p//a.py", "c:/a.py"])
def test_hands_on_paths_that_attack_as_they_are_and_writes_nothing(tmp_path, make, name):
    (tmp_path / "folder").mkdir()
    found = read(tmp_path / "folder", make([("p/b.py", b"b"), (name, b"a")]))
    assert [file.path for file in found] == ["b.py", name.removeprefix("p/")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_gives_out_both_files_of_one_path(tmp_path, make):
    found = read(tmp_path, make([("p/a.py", b"1"), ("p/a.py", b"2")]))
    assert found == [SourceFile("a.py", b"1"), SourceFile("a.py", b"2")]


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_rejects_files_over_the_limit(tmp_path, make):
    data = make([("p/a.py", b"#" * 100), ("p/b.py", b"#" * 101)])
    found = read(tmp_path, data, limits=Limits(max_file_bytes=100))
    assert found == [
        SourceFile("a.py", b"#" * 100),
        RejectedFile("b.py", Reason.FILE_TOO_LARGE, "more than 100 bytes"),
    ]


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_fails_an_archive_over_the_limits(tmp_path, make):
    data = make([(f"p/{number}.py", os.urandom(1000)) for number in range(20)])
    for limits in (Limits(max_repository_files=19), Limits(max_repository_bytes=19_999)):
        assert reason_of(tmp_path, data, limits=limits) is Reason.REPOSITORY_TOO_LARGE
    assert len(read(tmp_path, data, limits=Limits(max_repository_files=20))) == 20


def test_stops_a_tar_bomb_in_a_file_that_nobody_wants(tmp_path):
    data = gzip.compress(make_tar([("p/a.bin", bytes(RATIO_FREE_BYTES + 1))]))
    options = {"wanted": lambda path: path.endswith(".py")}
    assert reason_of(tmp_path, data, **options) is Reason.REPOSITORY_TOO_LARGE


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_names_a_truncated_tar(tmp_path, compress):
    data = compress(make_tar([(f"p/{number}.py", os.urandom(2000)) for number in range(20)]))
    for length in (len(data) // 3, len(data) // 2, len(data) - 12_000):
        assert reason_of(tmp_path, data[:length]) is Reason.CORRUPT_ARCHIVE


def test_names_a_wrong_checksum_at_the_end(tmp_path):
    data = bytearray(gzip.compress(make_tar([("p/a.py", b"a")])))
    data[-6] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("data", [b"", b"PK", b"\x1f\x8b", b"BZh", b"<html>" * 200, bytes(10)])
def test_names_what_is_no_archive(tmp_path, data):
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE

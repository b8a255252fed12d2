import bz2
import gzip
import io
import lzma
import os
import random
import stat
import struct
import tarfile
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.crawl.archives.members import RATIO_FREE_BYTES, iterate_members, read_member
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

DEFAULT_LIMITS = Limits()
FILES = {"setup.py": b"import setuptools\n", "a/b.py": b"x = 1\n", "empty.py": b""}


def everything(path):
    return True


def make_tar(members, dialect=tarfile.PAX_FORMAT):
    """A plain tar from pairs of a name and content, or of a TarInfo and content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_zip(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a name that is there twice
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def read(
    tmp_path, data, name="pkg-1.0.tar.gz", wanted=everything, limits=DEFAULT_LIMITS, strip=True
):
    archive = tmp_path / name
    archive.write_bytes(data)
    return [
        read_member(member, limits.max_file_bytes)
        for member in iterate_members(archive, limits, strip_root=strip)
        if wanted(member.path)
    ]


def reason_of(*arguments, **options):
    with pytest.raises(CrawlError) as caught:
        read(*arguments, **options)
    return caught.value.reason


def contents(files):
    return {file.path: file.content for file in files if isinstance(file, SourceFile)}


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
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


def test_rejects_links_and_passes_over_devices(tmp_path):
    members = [
        ("p/a.py", b"a"),
        special("p/s.py", tarfile.SYMTYPE, "/etc/passwd"),
        special("p/h.py", tarfile.LNKTYPE, "p/a.py"),
        special("p/c.py", tarfile.CHRTYPE),
        special("p/b.py", tarfile.BLKTYPE),
        special("p/f.py", tarfile.FIFOTYPE),
        special("p/d.py", tarfile.DIRTYPE),
    ]
    assert read(tmp_path, make_tar(members)) == [
        SourceFile("a.py", b"a"),
        RejectedFile("s.py", Reason.LINK),
        RejectedFile("h.py", Reason.LINK),
    ]


def test_rejects_links_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("p/s.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    data = make_zip([(link, "/etc/passwd"), ("p/a.py", b"a")])
    assert read(tmp_path, data) == [RejectedFile("s.py", Reason.LINK), SourceFile("a.py", b"a")]


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["../a.py", "/etc/a.py", "p/../../a.py", "p//a.py", "c:/a.py"])
def test_hands_on_paths_that_attack_as_they_are_and_writes_nothing(tmp_path, make, name):
    (tmp_path / "folder").mkdir()
    found = read(tmp_path / "folder", make([("p/b.py", b"b"), (name, b"a")]))
    assert [file.path for file in found] == ["b.py", name.removeprefix("p/")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_sees_the_whole_of_a_name_with_a_nul_in_a_zip(tmp_path):
    data = make_zip([("p/aXpy", b"a")]).replace(b"aXpy", b"a\0py")
    assert [file.path for file in read(tmp_path, data)] == ["a\0py"]


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


def test_stops_a_zip_bomb_of_files_that_share_their_data(tmp_path):
    # All entries of the directory point to the same compressed bytes.
    data = bytearray(make_zip([(f"p/{number:03}.py", bytes(1_000_000)) for number in range(200)]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sum(info.file_size for info in archive.infolist()) > RATIO_FREE_BYTES
    limits = Limits(max_file_bytes=1_000_000)
    assert reason_of(tmp_path, bytes(data), limits=limits) is Reason.REPOSITORY_TOO_LARGE


def test_stops_headers_that_would_fill_the_memory(tmp_path):
    data = make_tar([special("p/a.py", tarfile.GNUTYPE_LONGNAME)])
    header = bytearray(data[:512])
    header[124:136] = b"%011o\0" % 900_000_000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    bomb = bytes(header) + bytes(1_000_000)
    assert reason_of(tmp_path, gzip.compress(bomb)) is Reason.CORRUPT_ARCHIVE


def test_stops_headers_that_nest(tmp_path):
    record = b"10 a=bcde\n"
    header = tarfile.TarInfo("x").create_pax_global_header({"a": "b"})
    assert header
    info, _ = special("p/x", tarfile.XHDTYPE)
    info.size = len(record)
    one = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0")
    assert reason_of(tmp_path, one * 2000 + bytes(1024)) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_names_a_truncated_tar(tmp_path, compress):
    data = compress(make_tar([(f"p/{number}.py", os.urandom(2000)) for number in range(20)]))
    for length in (len(data) // 3, len(data) // 2, len(data) - 12_000):
        assert reason_of(tmp_path, data[:length]) is Reason.CORRUPT_ARCHIVE


def test_names_a_damaged_header_in_the_middle(tmp_path):
    data = bytearray(make_tar([("p/a.py", b"a"), ("p/b.py", b"b")], tarfile.USTAR_FORMAT))
    data[1024 + 100] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def test_names_a_wrong_checksum_at_the_end(tmp_path):
    data = bytearray(gzip.compress(make_tar([("p/a.py", b"a")])))
    data[-6] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def test_names_a_zip_whose_content_has_another_checksum(tmp_path):
    data = bytearray(make_zip([("p/a.py", b"abc" * 10)], zipfile.ZIP_STORED))
    data[data.index(b"abcabc")] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def with_declared_size(size):
    data = bytearray(make_zip([("p/a.py", b"#" * 5000)]))
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, size)
    return bytes(data)


def test_believes_no_size_in_a_zip(tmp_path):
    assert reason_of(tmp_path, with_declared_size(10)) is Reason.CORRUPT_ARCHIVE
    limits = Limits(max_file_bytes=5000)
    expected = [SourceFile("a.py", b"#" * 5000)]
    assert read(tmp_path, with_declared_size(5_000_000), limits=limits) == expected


def test_believes_no_size_in_a_tar(tmp_path):
    header = tarfile.TarInfo("p/a.py")
    header.size = 900_000
    data = header.tobuf() + b"#" * 2000
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


def test_names_an_encrypted_zip(tmp_path):
    data = bytearray(make_zip([("p/a.py", b"a" * 100)]))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(CrawlError, match="encrypted") as caught:
        read(tmp_path, bytes(data))
    assert caught.value.reason is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_names_a_zip_in_a_method_that_cannot_be_bounded(tmp_path, method):
    data = make_zip([("p/a.py", b"a" * 100)], method)
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


def test_stops_a_zip_with_an_endless_directory(tmp_path):
    data = make_zip([(f"p/{number}.py", b"") for number in range(2000)])
    limits = Limits(max_repository_files=100)
    assert reason_of(tmp_path, data, limits=limits) is Reason.REPOSITORY_TOO_LARGE


@pytest.mark.parametrize("data", [b"", b"PK", b"\x1f\x8b", b"BZh", b"<html>" * 200, bytes(10)])
def test_names_what_is_no_archive(tmp_path, data):
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


TAR = make_tar([(f"p/{path}", text) for path, text in FILES.items()])
ZIP = make_zip([(f"p/{path}", text) for path, text in FILES.items()])


@pytest.mark.parametrize("data", [TAR, gzip.compress(TAR), ZIP], ids=["tar", "gzip", "zip"])
@given(seed=st.integers(0, 2**32))
def test_reads_or_names_whatever_is_damaged(tmp_path_factory, data, seed):
    chance = random.Random(seed)
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    try:
        read(folder, bytes(damaged))
    except CrawlError as error:
        assert error.reason in (Reason.CORRUPT_ARCHIVE, Reason.REPOSITORY_TOO_LARGE)  # noqa: PT017

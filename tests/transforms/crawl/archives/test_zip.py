import io
import stat
import struct
import zipfile
import zlib

import pytest

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import contents, make_zip, read, reason_of
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

DIRECTORY = b"PK\1\2"


def with_directory_field(data: bytes, offset: int, form: str, *values: int) -> bytes:
    """A zip of which a field of the directory's first entry says something else."""
    changed = bytearray(data)
    struct.pack_into(form, changed, changed.index(DIRECTORY) + offset, *values)
    return bytes(changed)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, Reason.LINK),
        (stat.S_IFIFO, Reason.SPECIAL_FILE),
        (stat.S_IFSOCK, Reason.SPECIAL_FILE),
        (stat.S_IFCHR, Reason.SPECIAL_FILE),
        (stat.S_IFBLK, Reason.SPECIAL_FILE),
    ],
)
def test_rejects_by_name_what_is_no_file(tmp_path, kind, reason):
    odd = zipfile.ZipInfo("p/s.py")
    odd.external_attr = (kind | 0o777) << 16
    data = make_zip([(odd, "/etc/passwd"), ("p/a.py", b"a")])
    first, second = read(tmp_path, data)
    assert (first.path, first.reason) == ("s.py", reason)
    assert second == SourceFile("a.py", b"a")


def test_sees_the_whole_of_a_name_with_a_nul(tmp_path):
    data = make_zip([("p/aXpy", b"a")]).replace(b"aXpy", b"a\0py")
    assert [file.path for file in read(tmp_path, data)] == ["a\0py"]


@pytest.mark.parametrize("name", ["p\\a.py", "..\\a.py", "C:\\a.py", "\\\\host\\a.py"])
def test_hands_on_backslashes_as_they_are(tmp_path, name):
    data = make_zip([("X" * len(name), b"a")]).replace(b"X" * len(name), name.encode())
    assert [file.path for file in read(tmp_path, data)] == [name]


def test_rejects_what_is_encrypted_and_reads_the_rest(tmp_path):
    data = bytearray(make_zip([("p/a.py", b"a" * 100), ("p/b.py", b"b")]))
    data[6] |= 1
    data[data.index(DIRECTORY) + 8] |= 1
    assert read(tmp_path, bytes(data)) == [
        RejectedFile("a.py", Reason.ENCRYPTED),
        SourceFile("b.py", b"b"),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 93, 95, 98, 99])
def test_rejects_methods_that_are_not_read_and_reads_the_rest(tmp_path, method):
    data = make_zip([("p/a.py", b"a" * 100), ("p/b.py", b"b")])
    changed = with_directory_field(data, 10, "<H", method)
    assert read(tmp_path, changed) == [
        RejectedFile("a.py", Reason.UNSUPPORTED_COMPRESSION, f"method {method} of zip"),
        SourceFile("b.py", b"b"),
    ]


def test_names_content_with_another_checksum(tmp_path):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        data = make_zip([("p/a.py", b"abc" * 10)], method)
        changed = with_directory_field(data, 16, "<L", zlib.crc32(b"something else"))
        assert reason_of(tmp_path, changed) is Reason.CORRUPT_ARCHIVE
    data = bytearray(make_zip([("p/a.py", b"abc" * 10)], zipfile.ZIP_STORED))
    data[data.index(b"abcabc")] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def test_compares_the_checksum_of_a_file_as_long_as_the_limit(tmp_path):
    changed = with_directory_field(make_zip([("a.py", b"a" * 5000)]), 16, "<L", 1)
    limits = Limits(max_file_bytes=5000)
    assert reason_of(tmp_path, changed, limits=limits) is Reason.CORRUPT_ARCHIVE


def test_believes_no_size(tmp_path):
    data = make_zip([("p/a.py", b"#" * 5000)])
    assert reason_of(tmp_path, with_directory_field(data, 24, "<L", 10)) is Reason.CORRUPT_ARCHIVE
    larger = with_directory_field(data, 24, "<L", 5_000_000)
    assert read(tmp_path, larger, limits=Limits(max_file_bytes=5000)) == [
        SourceFile("a.py", b"#" * 5000)
    ]
    for size in (1, 1 << 31):
        lying = with_directory_field(data, 20, "<L", size)
        assert reason_of(tmp_path, lying) is Reason.CORRUPT_ARCHIVE


def test_names_another_name_in_the_local_header(tmp_path):
    data = bytearray(make_zip([("p/a.py", b"a")]))
    data[data.index(b"p/a.py")] = ord("q")
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def entry_of(name: bytes, local: bytes, offset: int, size: int, crc: int) -> bytes:
    """An entry of the directory for data that lies in a local header's file."""
    length = len(local)
    head = struct.pack("<4s4B4HL2L", DIRECTORY, 20, 3, 20, 0, 0, 8, 0, 0, crc, length, size)
    return head + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, offset) + name


def local_header(name: bytes, length: int, size: int, crc: int, extra: int = 0) -> bytes:
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, length, size, len(name), extra)


def finish_zip(body: bytes, entries: list[bytes]) -> bytes:
    directory = b"".join(entries)
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(body), 0
    )
    return body + directory + end


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()


def full_overlap() -> bytes:
    """All entries of the directory are one local file."""
    text = bytes(1_000_000)
    kernel, crc = raw_deflate(text), zlib.crc32(text)
    body = local_header(b"a.py", len(kernel), len(text), crc) + b"a.py" + kernel
    return finish_zip(body, [entry_of(b"a.py", kernel, 0, len(text), crc)] * 500)


def quoted_overlap(files: int = 50) -> bytes:
    """The "better zip bomb": each file quotes the local headers of all that follow it."""
    text = bytes(100_000)
    body, size, crc_of = raw_deflate(text), len(text), text
    placed: list[tuple[bytes, bytes, int, int]] = []
    for number in reversed(range(files)):
        name = b"%04d.py" % number
        header = local_header(name, len(body), size, zlib.crc32(crc_of)) + name
        placed = [(name, body, size, zlib.crc32(crc_of)), *placed]
        # A stored block of deflate that holds the header, in front of what was there.
        quoted = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header
        last, body = body, quoted + body
        size += len(header)
        crc_of = header + crc_of
    _, first, *_ = placed[0]
    header = local_header(placed[0][0], len(first), placed[0][2], placed[0][3]) + placed[0][0]
    whole = header + first
    entries = [
        entry_of(name, data, len(whole) - len(data) - 30 - len(name), length, crc)
        for name, data, length, crc in placed
    ]
    assert last
    return finish_zip(whole, entries)


def test_the_better_zip_bomb_of_these_tests_is_one():
    archive = zipfile.ZipFile(io.BytesIO(quoted_overlap()))
    assert len(archive.infolist()) == 50
    assert sum(entry.file_size for entry in archive.infolist()) > 100 * len(quoted_overlap())


@pytest.mark.parametrize("bomb", [full_overlap(), quoted_overlap()], ids=["full", "quoted"])
def test_refuses_entries_that_overlap(tmp_path, bomb):
    with pytest.raises(CrawlError, match="overlap") as caught:
        read(tmp_path, bomb)
    assert caught.value.reason is Reason.CORRUPT_ARCHIVE


def test_refuses_an_entry_that_reaches_into_the_next_by_its_extra_field(tmp_path):
    kernel = raw_deflate(b"x = 1\n")
    crc = zlib.crc32(b"x = 1\n")
    second = local_header(b"b.py", len(kernel), 6, crc) + b"b.py" + kernel
    first = local_header(b"a.py", len(kernel), 6, crc, extra=34) + b"a.py"
    first += kernel  # where its extra field, which quotes the next header, should be
    entries = [
        entry_of(b"a.py", kernel, 0, 6, crc),
        entry_of(b"b.py", kernel, len(first), 6, crc),
    ]
    assert reason_of(tmp_path, finish_zip(first + second, entries)) is Reason.CORRUPT_ARCHIVE


def test_stops_a_bomb_of_files_that_each_are_small(tmp_path):
    data = make_zip([(f"p/{number:03}.py", bytes(1_000_000)) for number in range(100)])
    assert reason_of(tmp_path, data) is Reason.REPOSITORY_TOO_LARGE
    assert len(read(tmp_path, data, limits=Limits(max_ratio=2000))) == 100


def test_refuses_what_starts_with_something_else(tmp_path):
    data = make_zip([("p/a.py", b"a")])
    for prefix in (b"#!/bin/sh\n", b"MZ" + bytes(100), data):
        assert reason_of(tmp_path, prefix + data) is Reason.CORRUPT_ARCHIVE


def test_reads_a_zip_with_a_few_bytes_after_it_and_names_one_with_many(tmp_path):
    data = make_zip([("p/a.py", b"a")])
    assert contents(read(tmp_path, data + b"signature")) == {"a.py": b"a"}
    assert reason_of(tmp_path, data + bytes(70_000)) is Reason.CORRUPT_ARCHIVE


def test_reads_zip64(tmp_path):
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("p/a.py", "w", force_zip64=True) as file,
    ):
        file.write(b"a")
    assert contents(read(tmp_path, buffer.getvalue())) == {"a.py": b"a"}


def with_zip64_end(data: bytes, entries: int, size: int, offset: int) -> bytes:
    """A zip whose end refers to a zip64 end that says what it likes."""
    end = data.rindex(b"PK\5\6")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    old = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + old


def test_names_lies_in_zip64(tmp_path):
    data = make_zip([("p/a.py", b"a")])
    start = data.index(DIRECTORY)
    size = data.rindex(b"PK\5\6") - start
    assert contents(read(tmp_path, with_zip64_end(data, 1, size, start))) == {"a.py": b"a"}
    for lie in [(1, 1 << 62, start), (1, size, 1 << 62), (1, size + 1000, start), (9, 0, 1 << 63)]:
        found = reason_of(tmp_path, with_zip64_end(data, *lie))
        assert found in (Reason.CORRUPT_ARCHIVE, Reason.REPOSITORY_TOO_LARGE)
    # An entry's own lie: everything is in an extra field, which is not there.
    for offset in (20, 42):
        lying = with_directory_field(data, offset, "<L", 0xFFFFFFFF)
        assert reason_of(tmp_path, lying) is Reason.CORRUPT_ARCHIVE


def test_a_zip_may_be_empty(tmp_path):
    assert read(tmp_path, make_zip([])) == []


def test_stops_an_endless_directory(tmp_path):
    data = make_zip([(f"p/{number}.py", b"") for number in range(101)])
    limits = Limits(max_repository_files=100)
    assert reason_of(tmp_path, data, limits=limits) is Reason.REPOSITORY_TOO_LARGE
    assert len(read(tmp_path, data, limits=Limits(max_repository_files=101))) == 101


def test_a_directory_of_short_entries_is_counted_before_it_is_parsed(tmp_path):
    data = make_zip([(f"{number}/", b"") for number in range(1000)])
    limits = Limits(max_repository_files=500)
    with pytest.raises(CrawlError, match="500 files and folders"):
        read(tmp_path, data, limits=limits)


def test_names_without_the_flag_of_utf8_are_code_page_437(tmp_path):
    # APPNOTE, appendix D.1.
    data = make_zip([("p/cafX.py", b"a")]).replace(b"cafX", b"caf\x82")
    assert [file.path for file in read(tmp_path, data)] == ["café.py"]


def test_names_a_directory_whose_names_are_not_the_utf8_that_it_promises(tmp_path):
    data = make_zip([("p/é.py", b"a")]).replace("é".encode(), b"\xff\xfe")
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE

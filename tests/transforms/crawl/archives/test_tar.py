import collections
import gzip
import io
import itertools
import os
import resource
import struct
import tarfile
import time

import pytest

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import (
    TAR_END,
    contents,
    make_tar,
    pax_record,
    read,
    reason_of,
    special,
    tar_block,
)
from transforms.crawl.archives.budget import Budget
from transforms.crawl.archives.tar import MAX_HEADER_BYTES, TarStream, tar_members
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

GOOD = tar_block(b"p/good.py", b"0", b"good")


def test_rejects_by_name_what_is_no_file():
    kinds = {
        "s.py": tarfile.SYMTYPE,
        "h.py": tarfile.LNKTYPE,
        "c.py": tarfile.CHRTYPE,
        "b.py": tarfile.BLKTYPE,
        "f.py": tarfile.FIFOTYPE,
        "v.py": b"V",
        "d.py": tarfile.DIRTYPE,
    }
    data = make_tar([("a.py", b"a"), *(special(*item, "/etc/passwd") for item in kinds.items())])
    stream = TarStream(io.BytesIO(data), Budget(1 << 20, ""))
    assert [(member.path, member.problem, member.detail) for member in tar_members(stream)] == [
        ("a.py", None, ""),
        ("s.py", Reason.LINK, ""),
        ("h.py", Reason.LINK, ""),
        ("c.py", Reason.SPECIAL_FILE, "a character device"),
        ("b.py", Reason.SPECIAL_FILE, "a block device"),
        ("f.py", Reason.SPECIAL_FILE, "a FIFO"),
        ("v.py", Reason.SPECIAL_FILE, "a member of type b'V'"),
    ]


def test_reads_on_behind_links_that_declare_a_size(tmp_path):
    link = tar_block(b"p/l.py", b"1", b"", size=b"%011o\0" % 5000)
    assert read(tmp_path, link + GOOD + TAR_END) == [
        RejectedFile("l.py", Reason.LINK),
        SourceFile("good.py", b"good"),
    ]


def test_takes_folders_of_old_tars_for_folders(tmp_path):
    old = tar_block(b"p/", b"\0", b"") + tar_block(b"p/a.py", b"\0", b"a")
    assert read(tmp_path, old + TAR_END) == [SourceFile("a.py", b"a")]


def gnu_sparse(more_blocks: int = 0) -> bytes:
    """A file in GNU's old sparse format: one block of data, more blocks of map."""
    header = bytearray(tar_block(b"p/s.py", b"S", b""))
    header[124:136] = b"%011o\0" % 512
    header[386:410] = b"%011o\0" % 0 + b"%011o\0" % 512
    header[482] = more_blocks > 0
    header[483:495] = b"%011o\0" % 100_000_000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    blocks = b"".join(
        bytes(504) + bytes([number < more_blocks - 1]) + bytes(7) for number in range(more_blocks)
    )
    return bytes(header) + blocks + b"x" * 512


PAX_SPARSE = {
    "0.0": [(b"GNU.sparse.size", b"9999"), (b"GNU.sparse.numblocks", b"1")],
    "0.1": [(b"GNU.sparse.name", b"p/s.py"), (b"GNU.sparse.map", b"0,512")],
    "1.0": [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"p/s.py"),
        (b"GNU.sparse.realsize", b"99999999999"),
    ],
}


@pytest.mark.parametrize("more_blocks", [0, 1, 3])
def test_refuses_old_sparse_files_and_reads_on(tmp_path, more_blocks):
    assert read(tmp_path, gnu_sparse(more_blocks) + GOOD + TAR_END) == [
        RejectedFile("s.py", Reason.SPARSE_FILE),
        SourceFile("good.py", b"good"),
    ]


@pytest.mark.parametrize("version", PAX_SPARSE)
def test_refuses_pax_sparse_files_by_their_own_name_and_reads_on(tmp_path, version):
    records = b"".join(pax_record(*record) for record in PAX_SPARSE[version])
    name = b"p/s.py" if version == "0.0" else b"p/GNUSparseFile.1/s.py"
    data = tar_block(b"x", b"x", records) + tar_block(name, b"0", b"1\n0\n512\n".ljust(512, b"\0"))
    assert read(tmp_path, data + GOOD + TAR_END) == [
        RejectedFile("s.py", Reason.SPARSE_FILE),
        SourceFile("good.py", b"good"),
    ]


def test_reads_long_names_in_every_way_of_saying_them(tmp_path):
    name = "p/" + "d" * 90 + "/" + "e" * 90 + "/a.py"
    long_name = tar_block(b"././@LongLink", b"L", name.encode() + b"\0")
    record = tar_block(b"x", b"x", pax_record(b"path", name.encode()))
    short = tar_block(b"p/short", b"0", b"a")
    for data in (
        long_name + short,
        record + short,
        tar_block(b"x", b"g", pax_record(b"path", name.encode())) + short,
        long_name + tar_block(b"././@LongLink", b"K", b"k" * 200) + short,
        tar_block(b"x", b"x", pax_record(b"path", b"")) + long_name + short,
    ):
        assert contents(read(tmp_path, data + TAR_END)) == {name.removeprefix("p/"): b"a"}


def test_hands_on_names_that_are_not_utf8(tmp_path):
    data = tar_block(b"p/caf\xe9.py", b"0", b"a") + GOOD + TAR_END
    assert [file.path for file in read(tmp_path, data)] == ["caf\udce9.py", "good.py"]


def test_the_size_of_a_pax_record_is_the_one_that_counts(tmp_path):
    # The payload would be a second tar to a reader that believes the header.
    hidden = tar_block(b"p/hidden.py", b"0", b"x")
    record = tar_block(b"x", b"x", pax_record(b"size", b"%d" % len(hidden)))
    outer = tar_block(b"p/a.bin", b"0", b"") + hidden
    found = read(tmp_path, record + outer + GOOD + TAR_END)
    assert [file.path for file in found] == ["a.bin", "good.py"]


def test_sizes_may_be_binary(tmp_path):
    size = b"\x80" + (4).to_bytes(11, "big")
    data = tar_block(b"p/a.py", b"0", b"abcd", size) + TAR_END
    assert contents(read(tmp_path, data)) == {"a.py": b"abcd"}


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\x81" + b"\0" * 11, b"-0000000001\0", b"0x000000001\0", b"1_0\0" * 3]
)
def test_names_sizes_that_are_no_numbers(tmp_path, size):
    data = tar_block(b"p/a.py", b"0", b"abcd", size) + TAR_END
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("size", [b"%011o\0" % 900_000, b"\x80" + b"\xff" * 11])
def test_believes_no_size(tmp_path, size):
    data = tar_block(b"p/a.py", b"0", b"#" * 2000, size)
    found = reason_of(tmp_path, data)
    assert found in (Reason.CORRUPT_ARCHIVE, Reason.REPOSITORY_TOO_LARGE)


def test_takes_sums_of_signed_bytes(tmp_path):
    block = bytearray(tar_block("p/é.py".encode(), b"0", b""))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(struct.unpack("512b", block))
    assert [file.path for file in read(tmp_path, bytes(block) + TAR_END)] == ["é.py"]


@pytest.mark.parametrize(
    "records",
    [
        *(b"6 a=b\n12", b"6 a=b\n" + b"x" * 20, b"6 a=b\n\n", b"6 a=b\n\0\0\0"),
        *(b"", b"12", b"x" * 300, b"0 a=b\n", b"-7 a=b\n", b"5 a=\n6 a=b\n"),
        *(b"99999 a=b\n", b"6 a=b ", b"6 abc\n", pax_record(b"size", b"-1")),
        *(pax_record(b"size", b"1" * 30), pax_record(b"size", b"0x10"), b"9" * 50 + b" a=b\n"),
    ],
)
def test_reads_or_names_odd_pax_records(tmp_path, records):
    data = tar_block(b"x", b"x", records) + GOOD + TAR_END
    if records in (b"", b"5 a=\n6 a=b\n", b"6 a=b\n\0\0\0"):
        assert contents(read(tmp_path, data)) == {"good.py": b"good"}
    else:
        assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize(
    "payload",
    [b"1" * MAX_HEADER_BYTES, b"3 a" * (MAX_HEADER_BYTES // 3), b"5 a=\n" * 50_000],
    ids=["digits", "short", "many"],
)
def test_hostile_pax_records_cost_linear_time(tmp_path, payload):
    data = tar_block(b"x", b"x", payload[: MAX_HEADER_BYTES - 512]) * 20
    started = time.process_time()
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_stops_headers_that_would_fill_the_memory(tmp_path, kind):
    bomb = tar_block(b"p/a.py", kind, b"", b"%011o\0" % 900_000_000) + bytes(1_000_000)
    assert reason_of(tmp_path, gzip.compress(bomb)) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("kind", [b"L", b"x", b"g"])
def test_stops_headers_that_nest(tmp_path, kind):
    one = tar_block(b"x", kind, b"10 a=bcde\n")
    assert reason_of(tmp_path, one * 2000 + TAR_END) is Reason.CORRUPT_ARCHIVE


def test_stops_maps_of_holes_that_do_not_end(tmp_path):
    data = gnu_sparse(MAX_HEADER_BYTES // 512 + 1) + TAR_END
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE
    assert reason_of(tmp_path, gnu_sparse(5)[:1024]) is Reason.CORRUPT_ARCHIVE


def test_names_a_damaged_header_in_the_middle(tmp_path):
    data = bytearray(make_tar([("p/a.py", b"a"), ("p/b.py", b"b")], tarfile.USTAR_FORMAT))
    data[1024 + 100] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def test_names_a_tar_without_its_end_mark(tmp_path):
    assert reason_of(tmp_path, GOOD) is Reason.CORRUPT_ARCHIVE


class EndlessTar(io.RawIOBase):
    """A tar of empty files that never ends."""

    def __init__(self):
        self._block = b"".join(tar_block(b"p/%d.py" % number, b"0", b"") for number in range(2000))
        self._position = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        start = self._position % len(self._block)
        data = self._block[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def test_ten_million_empty_files_stop_at_the_budget_with_flat_memory():
    stream = TarStream(io.BufferedReader(EndlessTar()), Budget(100_000 * 512, "spent"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = itertools.count()
    with pytest.raises(CrawlError, match="spent"):
        collections.deque(zip(tar_members(stream), count, strict=False), maxlen=0)
    assert next(count) == 100_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_empty_files_and_folders_by_the_million_stop_at_a_limit(tmp_path):
    files = gzip.compress(b"".join(tar_block(b"a", b"0", b"") for _ in range(1000)) * 20)
    limits = Limits(max_repository_files=10_000)
    assert reason_of(tmp_path, files, limits=limits) is Reason.REPOSITORY_TOO_LARGE
    folders = gzip.compress(tar_block(b"a/", b"5", b"") * 20_000)
    limits = Limits(max_repository_bytes=5_000_000)
    assert reason_of(tmp_path, folders, limits=limits) is Reason.REPOSITORY_TOO_LARGE


def test_reads_what_tarfile_reads(tmp_path):
    names = ["p/a.py", "p/" + "x" * 120 + ".py", "p/é" + "y" * 99 + ".py", "p/q/" + "z" * 90]
    members = [
        (name, os.urandom(size)) for name, size in zip(names, (0, 511, 512, 513), strict=True)
    ]
    for dialect in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        data = make_tar(members, dialect)
        assert contents(read(tmp_path, data, strip=False)) == dict(members)

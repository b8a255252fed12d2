import gzip
import io
import lzma
import os
import resource
import time
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import (
    COMPRESSIONS,
    contents,
    make_tar,
    read,
    reason_of,
    zstd_compress,
)
from transforms.crawl.archives.budget import RATIO_FREE_BYTES, Budget
from transforms.crawl.archives.decompression import MAX_XZ_MEMORY_BYTES, decompressed
from transforms.crawl.source import CrawlError, Limits

COMPRESSED = {name: compress for name, compress in COMPRESSIONS.items() if name != "plain"}
TAR = make_tar([("p/a.py", b"a = 1\n" * 500), ("p/b.py", b"b = 1\n")])
FILES = {"a.py": b"a = 1\n" * 500, "b.py": b"b = 1\n"}


@pytest.fixture(params=COMPRESSED.values(), ids=COMPRESSED)
def compress(request):
    return request.param


def test_reads_streams_that_follow_each_other(tmp_path, compress):
    data = b"".join(compress(TAR[start : start + 700]) for start in range(0, len(TAR), 700))
    assert contents(read(tmp_path, data)) == FILES


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_passes_over_zeros_after_a_stream(tmp_path, kind):
    compress = COMPRESSED[kind]
    data = compress(TAR[:1000]) + bytes(512) + compress(TAR[1000:]) + bytes(200_000)
    assert contents(read(tmp_path, data)) == FILES


def test_passes_over_skippable_frames(tmp_path):
    frame = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert contents(read(tmp_path, frame + zstd_compress(TAR) + frame)) == FILES


@pytest.mark.parametrize("garbage", [b"O3l\xb7" * 27, b"\x1f", b"\0\0B", b"\xfd7zX" * 50_000])
@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_passes_over_what_follows_the_last_stream(tmp_path, kind, garbage):
    assert contents(read(tmp_path, COMPRESSED[kind](TAR) + garbage)) == FILES


def test_names_what_follows_a_stream_before_the_tar_ends(tmp_path, compress):
    data = compress(TAR[:1000]) + b"garbage" * 10 + compress(TAR[1000:])
    assert reason_of(tmp_path, data) is Reason.CORRUPT_ARCHIVE


def test_names_what_follows_a_zstd_frame_and_is_none(tmp_path):
    assert reason_of(tmp_path, zstd_compress(TAR) + b"garbage") is Reason.CORRUPT_ARCHIVE


def test_names_every_truncation(tmp_path, compress):
    data = compress(TAR)
    for length in [*range(1, 40), *range(40, len(data), 7), len(data) - 1]:
        assert reason_of(tmp_path, data[:length]) is Reason.CORRUPT_ARCHIVE


@pytest.mark.parametrize("place", [-1, -5])
@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_names_a_wrong_checksum_at_the_end(tmp_path, compress, place):
    data = bytearray(compress(TAR))
    data[place] ^= 1
    assert reason_of(tmp_path, bytes(data)) is Reason.CORRUPT_ARCHIVE


def test_names_a_wrong_checksum_of_a_zstd_frame(tmp_path):
    # The end mark of a tar by `zstd --check`, which Arrow cannot write.
    frame = bytes.fromhex("28b52ffd640003 4d00001000000100fb2b8005 cdac85f0")
    assert read(tmp_path, frame) == []
    assert reason_of(tmp_path, frame[:-1] + b"\0") is Reason.CORRUPT_ARCHIVE


def test_stops_bombs_by_their_ratio_and_by_their_size(tmp_path, compress):
    # In a file that nobody wants.
    data = compress(make_tar([("p/a.bin", bytes(RATIO_FREE_BYTES + 1))]))
    options = {"wanted": lambda path: path.endswith(".py")}
    with pytest.raises(CrawlError, match="200 times its size"):
        read(tmp_path, data, **options)
    assert read(tmp_path, data, **options, limits=Limits(max_ratio=1 << 20)) == []
    with pytest.raises(CrawlError, match="1,000,000 bytes"):
        read(tmp_path, data, **options, limits=Limits(max_repository_bytes=1_000_000))


def test_memory_stays_flat_however_much_comes_out(compress):
    data = compress(bytes(100_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    arrow = pa.default_memory_pool()
    stream = decompressed(io.BytesIO(data), data[:6], Budget(1 << 30, ""))
    assert sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 18), b"")) == 100_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
    assert arrow.bytes_allocated() < 40 << 20


def test_damaged_archives_leave_no_memory_behind(tmp_path, compress):
    data = compress(os.urandom(1 << 18))[:-3]

    def read_to_the_damage():
        stream = decompressed(io.BytesIO(data), data[:6], Budget(1 << 30, ""))
        with pytest.raises((EOFError, OSError)):
            stream.read()

    read_to_the_damage()
    before = resident_bytes()
    for _ in range(100):
        read_to_the_damage()
    assert resident_bytes() - before < 10 << 20


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_names_an_xz_dictionary_that_is_too_large(tmp_path):
    def compress(size):
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": size}]
        # Only the header asks for the memory; the compressor would need 11 times as much.
        data = bytearray(lzma.compress(TAR, filters=filters))
        return bytes(data)

    assert contents(read(tmp_path, compress(MAX_XZ_MEMORY_BYTES // 2))) == FILES
    with pytest.raises(CrawlError, match="100 MiB") as caught:
        read(tmp_path, compress(MAX_XZ_MEMORY_BYTES))
    assert caught.value.reason is Reason.UNSUPPORTED_COMPRESSION


def test_names_a_zstd_window_that_is_too_large(tmp_path):
    def compress(window_log):
        # A window descriptor of RFC 8878, 3.1.1.1.2, in front of raw blocks.
        frame = b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3])
        header = (1 | 0 << 1 | len(TAR) << 3).to_bytes(3, "little")
        return frame + header + TAR

    assert contents(read(tmp_path, compress(27))) == FILES
    with pytest.raises(CrawlError, match="128 MiB") as caught:
        read(tmp_path, compress(31))
    assert caught.value.reason is Reason.UNSUPPORTED_COMPRESSION


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_streams_of_nothing_are_no_way_to_waste_time(tmp_path, kind):
    empty = COMPRESSED[kind](b"")
    started = time.process_time()
    assert reason_of(tmp_path, empty * 400_000) is Reason.REPOSITORY_TOO_LARGE
    assert time.process_time() - started < 20


def test_frames_of_nothing_are_no_way_to_waste_time(tmp_path):
    started = time.process_time()
    assert reason_of(tmp_path, zstd_compress(b"") * 400_000) is Reason.CORRUPT_ARCHIVE
    assert time.process_time() - started < 20


def test_compression_within_compression_is_no_tar(tmp_path, compress):
    assert reason_of(tmp_path, compress(compress(TAR))) is Reason.CORRUPT_ARCHIVE

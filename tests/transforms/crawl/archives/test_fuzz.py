"""Damaged archives of every format: members or a named error, and nothing else."""

import gzip
import random
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import (
    COMPRESSIONS,
    FILES,
    TAR_END,
    make_tar,
    make_zip,
    pax_record,
    read,
    special,
    tar_block,
)
from tests.transforms.crawl.archives.test_tar import PAX_SPARSE, gnu_sparse
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

LIMITS = Limits(max_file_bytes=10_000, max_repository_bytes=1_000_000, max_repository_files=500)
FAILURES = (Reason.CORRUPT_ARCHIVE, Reason.REPOSITORY_TOO_LARGE, Reason.UNSUPPORTED_COMPRESSION)
EXPECTED_PROBLEMS = (
    *(Reason.LINK, Reason.SPECIAL_FILE, Reason.SPARSE_FILE, Reason.ENCRYPTED),
    *(Reason.UNSUPPORTED_COMPRESSION, Reason.FILE_TOO_LARGE),
)
MEMBERS = [
    *((f"p/{path}", text) for path, text in FILES.items()),
    ("p/" + "long/" * 40 + "é.py", b"x = 1\n" * 200),
]
LINKED = [*MEMBERS, special("p/l.py", tarfile.SYMTYPE, "a" * 150)]
GNU_TAR = make_tar(LINKED, tarfile.GNU_FORMAT).rstrip(b"\0")
ODD_TAR = (
    GNU_TAR
    + bytes(-len(GNU_TAR) % 512)
    + tar_block(b"x", b"g", pax_record(b"comment", b"c" * 40))
    + tar_block(b"x", b"x", b"".join(pax_record(*record) for record in PAX_SPARSE["1.0"]))
    + tar_block(b"p/s", b"0", b"1\n0\n512\n".ljust(512, b"\0"))
    + gnu_sparse(2)
    + TAR_END
)
SEEDS = {
    "tar-pax": make_tar(MEMBERS, tarfile.PAX_FORMAT),
    "tar-odd": ODD_TAR,
    **{
        f"tar-{kind}": compress(make_tar(MEMBERS, tarfile.PAX_FORMAT)[:8192] + TAR_END)
        for kind, compress in COMPRESSIONS.items()
        if kind != "plain"
    },
    "gzip-twice": gzip.compress(ODD_TAR[:3000]) + gzip.compress(ODD_TAR[3000:]),
    "zip-deflated": make_zip(MEMBERS),
    "zip-stored": make_zip(MEMBERS, zipfile.ZIP_STORED),
    "zip-lzma": make_zip(MEMBERS, zipfile.ZIP_LZMA),
}


def damage(data: bytes, chance: random.Random) -> bytes:
    """Flips, truncations, splices with other archives, and blocks twice or gone."""
    for _ in range(chance.randint(1, 5)):
        start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        start, end = chance.choice([(start, end), (start, min(start + 4, end))])
        match chance.randrange(7):
            case 0:
                data = data[:start] + chance.randbytes(end - start) + data[end:]
            case 1:
                data = data[:start] or data
            case 2:
                other = chance.choice(list(SEEDS.values()))
                data = data[:start] + other[chance.randrange(len(other)) :]
            case 3:
                data = data[:end] + data[start:end] * chance.randint(1, 3) + data[end:]
            case 4:
                data = data[:start] + data[end:]
            case 5:
                place, odd = chance.randrange(len(data)), b"\0\x7f\x80\xff9"
                data = data[:place] + bytes([chance.choice(odd)]) * 4 + data[place + 4 :]
            case _:
                place = chance.randrange(len(data))
                flipped = data[place] ^ (1 << chance.randrange(8))
                data = data[:place] + bytes([flipped]) + data[place + 1 :]
        data = data[:200_000] or b"\0"
    return data


def mended(data: bytes) -> bytes:
    """A plain tar whose headers have right checksums again, so that damage reaches further."""
    blocks = bytearray(data)
    for start in range(0, len(blocks) - 511, 512):
        if blocks[start + 100 : start + 104] == b"0000":
            blocks[start + 148 : start + 156] = b" " * 8
            blocks[start + 148 : start + 156] = b"%06o\0 " % sum(blocks[start : start + 512])
    return bytes(blocks)


def check(folder, data):
    """Raises where a reader does anything but give members or name what is wrong."""
    try:
        files = read(folder, data, limits=LIMITS)
    except CrawlError as error:
        assert error.reason in FAILURES  # noqa: PT017
        return
    for file in files:
        if isinstance(file, RejectedFile):
            assert file.reason in EXPECTED_PROBLEMS
        else:
            assert isinstance(file, SourceFile)
            assert len(file.content) <= LIMITS.max_file_bytes


@pytest.mark.parametrize("kind", SEEDS)
def test_the_archives_that_are_damaged_are_whole(tmp_path, kind):
    files = read(tmp_path, SEEDS[kind], limits=LIMITS)
    assert any(isinstance(file, SourceFile) for file in files) or kind == "zip-lzma"


@pytest.mark.parametrize("kind", SEEDS)
@given(seed=st.integers(0, 2**32))
def test_reads_or_names_whatever_is_damaged(tmp_path_factory, kind, seed):
    chance = random.Random(seed)
    data = damage(SEEDS[kind], chance)
    if kind in ("tar-pax", "tar-odd") and chance.random() < 0.7:
        data = mended(data)
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    check(folder, data)

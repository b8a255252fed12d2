"""Shingles of documents that may match, in files, and reading them by document."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transforms.buffers import binary_buffers
from transforms.deduplicate.keep import Numbers
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import read_rows
from transforms.shingles import Hashes, distinct_shingles
from transforms.texts import document_texts

_HASH_BYTES = 8
_COLUMNS = ["content", "encoding", "language"]


def write_shingles(
    arrays: StagedArrays, part: int, documents: Path, rows: Numbers
) -> tuple[Numbers, Numbers]:
    """Writes the distinct shingles of some rows, ascending, of a part of the documents.

    Returns:
      int64[rows], where in the part's file the shingles of each begin, and how many there are.
    """
    sizes = [np.zeros(0, dtype=np.int64)]
    with arrays.writing(_data(part)) as file:
        for batch in read_rows(documents, rows, _COLUMNS):
            texts = document_texts(*(batch[name] for name in _COLUMNS))
            hashes, offsets = distinct_shingles(*binary_buffers(texts))
            file.write(hashes.data)
            sizes.append(np.diff(offsets))
    size = np.concatenate(sizes)
    return np.cumsum(size) - size, size


@dataclass(frozen=True)
class ShingleReader:
    """Reads the shingles of documents named by their numbers.

    ``part``, ``start`` and ``size``, all int64[documents], say in which part's file each
    document's are, where there, and how many.
    """

    arrays: StagedArrays
    part: Numbers
    start: Numbers
    size: Numbers

    def load(self, chosen: Numbers) -> Hashes:
        """The ascending distinct shingles of these documents, one after another."""
        ends = np.cumsum(self.size[chosen])
        hashes = np.empty(int(ends[-1]) if ends.size else 0, dtype=np.uint64)
        for number in np.unique(self.part[chosen]).tolist():
            mine = np.flatnonzero((self.part[chosen] == number) & (self.size[chosen] > 0))
            if mine.size:
                self._load(number, self.start[chosen[mine]], ends[mine], chosen[mine], hashes)
        return hashes

    def _load(
        self, part: int, starts: Numbers, ends: Numbers, chosen: Numbers, hashes: Hashes
    ) -> None:
        sizes = self.size[chosen]
        # What stands together in the file and in memory is read at once.
        joined = (starts[1:] == starts[:-1] + sizes[:-1]) & (ends[1:] == ends[:-1] + sizes[1:])
        firsts = np.concatenate(([0], np.flatnonzero(~joined) + 1))
        lasts = np.append(firsts[1:], starts.size) - 1
        view = hashes.data.cast("B")
        file = os.open(self.arrays.path(_data(part)), os.O_RDONLY)
        try:
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
                begin, end = int(ends[first] - sizes[first]), int(ends[last])
                target = view[begin * _HASH_BYTES : end * _HASH_BYTES]
                _read_exactly(file, int(starts[first]) * _HASH_BYTES, target)
        finally:
            os.close(file)


def _read_exactly(file: int, offset: int, target: memoryview) -> None:
    done = 0
    # One call reads two gigabytes at most.
    while done < len(target):
        read = os.preadv(file, [target[done:]], offset + done)
        if not read:
            raise EOFError("a file of shingles is shorter than it was written")
        done += read


def _data(part: int) -> str:
    return f"shingles/part-{part:05d}.u64"

"""Sections: runs of parts whose documents are packed together, and by one worker.

No worker holds something of all documents. Which parts make a section follows from their
documents alone; a corpus of fewer pieces than a section has is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import tables
from schemas.shards import Split
from transforms.shingles import Hashes

Integers = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]


def count_pieces(lengths: Integers, context_length: int) -> int:
    """About how many pieces documents make, from their tokens without end-of-text."""
    return lengths.size + int((lengths + 1).sum()) // context_length


def divide_parts(parts: Iterable[tuple[str, int]], most: int) -> list[list[str]]:
    """Runs of parts, in the order of their numbers, of at most so many pieces together.

    A part that has more by itself is one by itself. ``parts`` are names with their pieces.
    """
    sections: list[list[str]] = []
    held = 0
    for name, pieces in sorted(parts, key=lambda part: tables.part_number(part[0])):
        if not sections or held + pieces > most:
            sections.append([])
            held = 0
        sections[-1].append(name)
        held += pieces
    return sections


@dataclass(frozen=True)
class Documents:
    """The documents of a section that are in one split, or some of them.

    ``hashes`` uint64[repositories] are those of the section, of both splits; ``codes``
    int64[measures] says which of them each row of ``measures`` is of, and ``rows`` which
    rows are meant.
    """

    measures: pa.Table
    hashes: Hashes
    codes: Integers
    rows: Integers

    @classmethod
    def of_split(cls, measures: pa.Table, sides: pa.Table, split: Split) -> Documents:
        """Those of a split, where ``sides`` says which repositories validate."""
        hashes = sides["repository_hash"].to_numpy()
        codes = np.searchsorted(hashes, measures["repository_hash"].to_numpy())
        validates = sides["validates"].to_numpy()[codes]
        rows = np.flatnonzero(validates == (split is Split.VALIDATION))
        return cls(measures, hashes, codes, rows)

    def within(self, repositories: Chosen) -> Documents:
        """Those of some repositories, bool[repositories]."""
        rows = self.rows[repositories[self.codes[self.rows]]]
        return Documents(self.measures, self.hashes, self.codes, rows)

    def column(self, name: str) -> npt.NDArray[Any]:
        """What ``measures`` say of each document."""
        values: npt.NDArray[Any] = self.measures[name].to_numpy()[self.rows]
        return values

    @property
    def count(self) -> int:
        """How many there are."""
        return self.rows.size

    @cached_property
    def repositories(self) -> Integers:
        """int64[documents]: the place of each one's repository in ``hashes``."""
        return self.codes[self.rows]

    @cached_property
    def lengths(self) -> Integers:
        """int64[documents]: tokens without end-of-text."""
        return self.column("length")

    @property
    def tokens(self) -> Integers:
        """int64[documents]: tokens with the end-of-text."""
        return self.lengths + 1

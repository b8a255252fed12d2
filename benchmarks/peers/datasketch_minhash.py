"""MinHash by datasketch: from text, as its documentation shows, and from hashes that are ready."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasketch import MinHash

from transforms.shingles import SHINGLE_WORDS, Hashes

_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def shingles_of(text: bytes) -> set[bytes]:
    """The shingles of a text, as repomill defines them, spelled out."""
    words = _WORD.findall(text)
    if not words:
        return set()
    last = max(len(words) - SHINGLE_WORDS + 1, 1)
    return {b" ".join(words[first : first + SHINGLE_WORDS]) for first in range(last)}


def sign_from_text(texts: pa.LargeBinaryArray, permutations: int) -> list[MinHash]:
    """Splits texts into shingles and signs them, each hashed by SHA-1."""
    shingles = (shingles_of(text) for text in texts.to_pylist())
    return MinHash.bulk(shingles, num_perm=permutations)


def sign_from_hashes(
    hashes: Hashes, offsets: npt.NDArray[np.int64], permutations: int
) -> list[MinHash]:
    """Signs distinct shingles that somebody else has found and hashed."""
    short = (hashes >> np.uint64(32)).tolist()
    bounds = offsets.tolist()
    groups = (short[start:end] for start, end in pairwise(bounds))
    return MinHash.bulk(groups, num_perm=permutations, hashfunc=_as_it_is)


def _as_it_is(value: int) -> int:
    return value

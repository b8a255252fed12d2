"""Shingles and signature of one text in NumPy: what the compiled kernels compute of many.

Loading the compiler takes longer than signing one text without it. Commands that answer
about one file use this; the definitions are those of `shingles`, `annotate.signatures`
and `deduplicate.bands`, which tests hold it against.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.fingerprints import EMPTY_SIGNATURE

Hashes = npt.NDArray[np.uint64]

SHINGLE_WORDS = 5
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Odd, with well-spread bits: the golden ratio, and the increment of splitmix64."""
NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
_CHUNK = 8
_HALF = np.uint64(32)
_LARGEST = np.uint64(EMPTY_SIGNATURE - 1)


def word_bytes() -> npt.NDArray[np.uint8]:
    """For each byte 1 if words consist of such, else 0."""
    table = np.zeros(256, dtype=np.uint8)
    table[0x80:] = 1
    table[ord("_")] = 1
    for first, last in ("09", "AZ", "az"):
        table[ord(first) : ord(last) + 1] = 1
    return table


def mix(values: Hashes) -> Hashes:
    """The 64-bit finalizer of MurmurHash3 for each value."""
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ values >> np.uint64(33)) * np.uint64(multiplier)
    return values ^ values >> np.uint64(33)


def hash_words(text: bytes) -> Hashes:
    """The hash of each word of a text."""
    data = np.frombuffer(text + bytes(_CHUNK), dtype=np.uint8)
    inside = word_bytes()[data]
    inside[len(text) :] = 0
    edges = np.flatnonzero(np.diff(inside, prepend=np.uint8(0)))
    starts, ends = edges[::2], edges[1::2]
    words = np.zeros(starts.size, dtype=np.uint64)
    left = np.arange(starts.size)
    shifts = np.arange(0, 64, 8, dtype=np.uint64)
    while left.size:
        places = starts[left, None] + np.arange(_CHUNK)
        chunks = np.where(places < ends[left, None], data[np.minimum(places, len(text))], 0)
        values = (chunks.astype(np.uint64) << shifts).sum(axis=1, dtype=np.uint64)
        words[left] = mix(words[left] ^ values)
        starts = starts + _CHUNK
        left = left[starts[left] < ends[left]]
    return words


def hash_shingles(text: bytes) -> Hashes:
    """The ascending distinct shingle hashes of a text."""
    words = hash_words(text)
    length = min(words.size, SHINGLE_WORDS)
    hashes = np.zeros(words.size - length + 1 if length else 0, dtype=np.uint64)
    for slot in range(length):
        hashes = hashes * MULTIPLIER + words[slot : slot + hashes.size]
    return np.unique(hashes)


def sign_shingles(shingles: Hashes, permutations: int, seed: int) -> npt.NDArray[np.uint32]:
    """The signature of at least one distinct shingle: uint32[permutations]."""
    places = np.uint64(permutations)
    values = np.full(permutations, NOTHING)
    empty = np.ones(permutations, dtype=np.bool_)
    for number in range(2 * permutations):
        step = np.array([number + 1], dtype=np.uint64) * MULTIPLIER
        hashed = mix(shingles + mix(step + np.uint64(seed)))
        if number < permutations:
            place = (hashed >> _HALF) * places >> _HALF
            hashed = hashed * places
        else:
            place = np.full(hashed.size, number - permutations, dtype=np.uint64)
        wanted = empty[place]
        np.minimum.at(values, place[wanted], hashed[wanted])
        empty[place] = False
        if not empty.any():
            break
    stored: npt.NDArray[np.uint32] = np.minimum(mix(values) >> _HALF, _LARGEST).astype(np.uint32)
    return stored


def hash_bands(signature: npt.NDArray[np.uint32], bands: int, rows: int) -> Hashes:
    """One hash for each band of a signature: uint64[bands]."""
    cut = signature[: bands * rows].astype(np.uint64).reshape(bands, rows)
    hashes = mix(np.arange(1, bands + 1, dtype=np.uint64))
    for row in range(rows):
        hashes = mix(hashes ^ cut[:, row])
    return hashes


def jaccard(left: Hashes, right: Hashes) -> float:
    """The Jaccard similarity of two arrays of distinct values; 0 if both are empty."""
    common = np.intersect1d(left, right, assume_unique=True).size
    union = left.size + right.size - common
    return common / union if union else 0.0

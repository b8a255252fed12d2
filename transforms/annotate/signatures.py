"""Signatures of shingle sets by Fast Similarity Sketching, straight from bytes.

Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching (FOCS 2017, arXiv 1704.04370),
section 2. A sketch of k places is filled in rounds. In round i below k every element has
a hash that names a place and a value there; in round k + j every element goes to place
j. A place holds the smallest value of the first round in which an element came to it,
and the work ends with the round after which no place is empty. Rounds after that could
change nothing, so that the sketch of a union is the place-wise minimum (by round, then
value) of the sketches, and two sets agree at a place with the probability of their
Jaccard similarity J. The share of equal places is an unbiased estimate of J, for sets
of every size, with a standard deviation of at most sqrt(J(1-J)/k), as that of k
independent permutations; the expected work is n + k log k hashes instead of n * k.

What is stored of a place is 32 bits of a hash of its smallest value: two places that
hold different elements look equal with a chance of 2^-32, whatever the size of the sets.
A text without shingles has ``EMPTY_SIGNATURE`` throughout and is nobody's duplicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from schemas.fingerprints import EMPTY_SIGNATURE
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.interpreted import MULTIPLIER, NOTHING
from transforms.shingles import Hashes, combine_words, hash_words, mix, sort_distinct

if TYPE_CHECKING:
    from datasketch import LeanMinHash

Signatures = npt.NDArray[np.uint32]

_LARGEST = np.uint64(EMPTY_SIGNATURE - 1)
_REPEATED = 16
"""More than so many hashes a place without filling all is a sign of repeated shingles."""


def sign_texts(
    data: Bytes, offsets: Offsets, permutations: int, seed: int
) -> tuple[Signatures, npt.NDArray[np.int64]]:
    """The signature and the number of shingles, repeats included, of each text.

    Args:
      data: uint8[n], the texts.
      offsets: int64[texts + 1], where each text begins and ends.
      permutations: how many values a signature has, as many as independent
        permutations would need for the same error.
      seed: from 0 to 2^64 - 1; signatures of different seeds cannot be compared.

    Returns:
      ``signatures`` uint32[texts, permutations] and ``shingles`` int64[texts].
    """
    return sign_words(*hash_words(data, offsets), permutations, seed)


def sign_words(
    words: Hashes, offsets: Offsets, permutations: int, seed: int
) -> tuple[Signatures, npt.NDArray[np.int64]]:
    """What `sign_texts` gives, of texts whose words `hash_words` has hashed."""
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    return _sign_words(words, offsets, permutations, np.uint64(seed))


def as_minhash(signature: npt.NDArray[np.uint32], seed: int) -> LeanMinHash:
    """A signature as datasketch's object: for its ``jaccard``, its indexes and its files.

    What datasketch reads from the size of values, such as ``count`` and unions, does not
    hold for these. Their scheme is ``legacy``, so that it refuses to compare them with
    those that it makes today.

    Args:
      signature: uint32[permutations], one row of a run's signatures.
      seed: that of the run, so that datasketch refuses to compare across seeds.
    """
    from datasketch import LeanMinHash  # it costs a third of a second that few need

    values = signature.astype(np.uint64)
    return LeanMinHash(seed=seed, hashvalues=values, scheme="legacy")


@compiled
def _sign_words(
    words: Hashes, offsets: Offsets, permutations: int, seed: np.uint64
) -> tuple[Signatures, npt.NDArray[np.int64]]:
    rows = offsets.size - 1
    signatures = np.full((rows, permutations), np.uint32(EMPTY_SIGNATURE), dtype=np.uint32)
    shingles = np.zeros(rows, dtype=np.int64)
    longest = 0
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    scratch = np.empty(longest, dtype=np.uint64)
    values = np.empty(permutations, dtype=np.uint64)
    rounds = np.empty(permutations, dtype=np.int64)
    for row in range(rows):
        count = combine_words(words[offsets[row] : offsets[row + 1]], scratch)
        shingles[row] = count
        if count:
            _sketch(scratch[:count], seed, values, rounds)
            for place in range(permutations):
                stored = min(mix(values[place]) >> np.uint64(32), _LARGEST)
                signatures[row, place] = np.uint32(stored)
    return signatures, shingles


@compiled
def _sketch(elements: Hashes, seed: np.uint64, values: Hashes, rounds: Offsets) -> None:
    """Fills ``values`` from at least one element; ``rounds`` is scratch of the same size."""
    places = values.size
    empty = _first_round(elements, seed, values)
    if not empty:
        return
    for place in range(places):
        rounds[place] = 2 * places if values[place] == NOTHING else 0
    hashed = elements.size
    for number in range(1, places):
        if hashed >= _REPEATED * places:
            elements = sort_distinct(elements)
            hashed = 0
        empty -= _round(elements, seed, number, values, rounds)
        if not empty:
            return
        hashed += elements.size
    for place in range(places):
        if rounds[place] == 2 * places:
            key = _key(seed, places + place)
            for element in elements:
                values[place] = min(values[place], mix(element + key))


@allocation_free
def _first_round(elements: Hashes, seed: np.uint64, values: Hashes) -> int:
    """The round that most texts need alone; says how many places it leaves empty."""
    places = np.uint64(values.size)
    values[:] = NOTHING
    key = _key(seed, 0)
    for element in elements:
        hashed = mix(element + key)
        # The upper bits name the place, what is below them is the value.
        place = (hashed >> np.uint64(32)) * places >> np.uint64(32)
        values[place] = min(values[place], hashed * places)
    empty = 0
    for value in values:
        empty += value == NOTHING
    return empty


@allocation_free
def _round(elements: Hashes, seed: np.uint64, number: int, values: Hashes, rounds: Offsets) -> int:
    """A later round, which changes only places that earlier ones left; says how many."""
    places = np.uint64(values.size)
    key = _key(seed, number)
    filled = 0
    for element in elements:
        hashed = mix(element + key)
        place = (hashed >> np.uint64(32)) * places >> np.uint64(32)
        if rounds[place] >= number:
            filled += rounds[place] > number
            rounds[place] = number
            values[place] = min(values[place], hashed * places)
    return filled


@allocation_free
def _key(seed: np.uint64, number: int) -> np.uint64:
    return mix(seed + np.uint64(number + 1) * MULTIPLIER)

"""Random 64-bit numbers that follow from seeds and keys alone.

NumPy may change the streams of its generators (NEP 19); these never change. They are
those of SplitMix64 (Steele, Lea and Flood 2014) but for the finalizer, MurmurHash3's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled
from transforms.shingles import Hashes, mix

STEP = np.uint64(0x9E3779B97F4A7C15)
"""What keys that are counted differ by: odd, with well-spread bits (the golden ratio)."""


def draw_stream(count: int, seed: int, first: int = 0) -> Hashes:
    """uint64[count]: numbers of a seed's stream from that of a place on, all different."""
    return _draw_stream(count, np.uint64(seed % 2**64), np.uint64(first))


@compiled
def _draw_stream(count: int, seed: np.uint64, first: np.uint64) -> Hashes:
    numbers = np.empty(count, dtype=np.uint64)
    state = mix(seed + STEP) + first * STEP
    for index in range(count):
        state += STEP
        numbers[index] = mix(state)
    return numbers


def draw(keys: Hashes, seed: int) -> Hashes:
    """uint64[keys]: a number for each key. Different keys never get the same."""
    return _draw(keys, np.uint64(seed % 2**64))


def draw_shares(keys: Hashes, seed: int) -> npt.NDArray[np.float64]:
    """float64[keys]: the numbers of `draw` as shares, from 0 to below 1."""
    return _draw_shares(keys, np.uint64(seed % 2**64))


@compiled
def _draw_shares(keys: Hashes, seed: np.uint64) -> npt.NDArray[np.float64]:
    shares = np.empty(keys.size, dtype=np.float64)
    numbers = _draw(keys, seed)
    for index in range(keys.size):
        shares[index] = share_of(numbers[index])
    return shares


@allocation_free
def share_of(number: np.uint64) -> float:
    """A number as one from 0 to below 1, of as many bits as such have exactly."""
    return (number >> np.uint64(11)) / 9007199254740992.0


@compiled
def _draw(keys: Hashes, seed: np.uint64) -> Hashes:
    numbers = np.empty(keys.size, dtype=np.uint64)
    state = mix(seed + STEP)
    for index in range(keys.size):
        numbers[index] = mix(mix(keys[index]) + state)
    return numbers

"""Random 64-bit numbers that follow from seeds and keys alone.

NumPy may change the streams of its generators (NEP 19); these never change. They are
those of SplitMix64 (Steele, Lea and Flood 2014) but for the finalizer, MurmurHash3's.
"""

from __future__ import annotations

import numpy as np

from transforms.compiled import compiled
from transforms.shingles import Hashes, mix

STEP = np.uint64(0x9E3779B97F4A7C15)
"""What keys that are counted differ by: odd, with well-spread bits (the golden ratio)."""


def draw_stream(count: int, seed: int) -> Hashes:
    """uint64[count]: the first numbers of a seed's stream."""
    return _draw_stream(count, np.uint64(seed % 2**64))


@compiled
def _draw_stream(count: int, seed: np.uint64) -> Hashes:
    numbers = np.empty(count, dtype=np.uint64)
    state = mix(seed + STEP)
    for index in range(count):
        state += STEP
        numbers[index] = mix(state)
    return numbers


def draw(keys: Hashes, seed: int) -> Hashes:
    """uint64[keys]: a number for each key. Different keys never get the same."""
    return _draw(keys, np.uint64(seed % 2**64))


@compiled
def _draw(keys: Hashes, seed: np.uint64) -> Hashes:
    numbers = np.empty(keys.size, dtype=np.uint64)
    state = mix(seed + STEP)
    for index in range(keys.size):
        numbers[index] = mix(mix(keys[index]) + state)
    return numbers

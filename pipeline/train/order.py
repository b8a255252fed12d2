"""The order of training rows: a permutation an epoch, computed place by place.

A Feistel network over the next power of two is walked until it meets a row that exists
(cycle walking: Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002).
So any place of any epoch is had in constant time and memory. NumPy may change the streams
of its own shuffles (NEP 19); this order never changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_ROUNDS = 8
"""With six, neighbors in an order of ten rows are measurably not independent."""


def permute(places: Rows, count: int, seed: int) -> Rows:
    """The rows at some places of the endless list of epochs, each a permutation of its own.

    Args:
      places: int64[n], at least 0; place p is place ``p % count`` of epoch ``p // count``.
      count: rows in an epoch, at least 1.
      seed: decides all epochs, modulo 2^64.

    Returns:
      int64[n] in [0, count). Time and memory depend on n alone.
    """
    epochs = (places // count).astype(np.uint64)
    keys = _mix(_mix(np.array([seed % 2**64], dtype=np.uint64)) + epochs * _STEP)
    # A half of no bits could not be enciphered.
    bits = max(2, (count - 1).bit_length())
    rows = _encipher((places % count).astype(np.uint64), keys, bits)
    outside = np.flatnonzero(rows >= count)
    while outside.size:
        rows[outside] = _encipher(rows[outside], keys[outside], bits)
        outside = outside[rows[outside] >= count]
    return rows.astype(np.int64)


def _encipher(values: Words, keys: Words, bits: int) -> Words:
    """Numbers below 2^bits for such numbers, one to one under each key."""
    low = bits // 2
    left, right = values >> np.uint64(low), values & np.uint64((1 << low) - 1)
    # The halves may differ by a bit, and change their sides in each round.
    unused = np.uint64(64 - bits + low), np.uint64(64 - low)
    for number in range(_ROUNDS):
        keys = keys + _STEP
        hashed = (right + keys) * _FACTORS[0]
        hashed ^= hashed >> np.uint64(32)
        hashed *= _FACTORS[1]
        left, right = right, left ^ (hashed >> unused[number % 2])
    return left << np.uint64(low) | right


def _mix(values: Words) -> Words:
    """Spreads every bit over all others (the finalizer of MurmurHash3)."""
    shift = np.uint64(33)
    for factor in _FACTORS:
        values = (values ^ values >> shift) * factor
    return values ^ values >> shift

"""Copies of a text with other names: the same program, but no words in common with another copy.

Words (as shingles see them) have their letters and the digits 1 to 9 replaced by those
that a keyed permutation puts in their place, so that lengths, case and equality of words
stay as they were: within a copy all similarities are what they were in the first. Left
alone is what Python gives a meaning: keywords, prefixes of strings, escapes, conversions
(``!r``), numbers that are not plain decimals. A word that would become a keyword is
replaced again until it is none (cycle walking, Black and Rogaway 2002), which keeps
different words different.
"""

from __future__ import annotations

import keyword
import string

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.compiled import compiled

_SEED = 20260102
_LETTERS = 26
_PREFIX_BYTES = 2
_PACKED_BYTES = 8
_SLOTS = 1021


def rename_texts(texts: pa.LargeBinaryArray, copy: int) -> pa.LargeBinaryArray:
    """The texts with the names of a copy; copy 0 are the texts themselves.

    Raises:
      ValueError: the copy is negative.
    """
    if copy < 0:
        raise ValueError(f"copies are counted from 0, got {copy}")
    if copy == 0:
        return texts
    data, offsets = binary_buffers(texts)
    first, last = int(offsets[0]), int(offsets[-1])
    renamed = _rename(data[first:last], offsets - first, permuted_bytes(copy), _KEPT)
    buffers = [None, pa.py_buffer(offsets - first), pa.py_buffer(renamed)]
    return pa.Array.from_buffers(pa.large_binary(), len(texts), buffers)


def permuted_bytes(copy: int) -> Bytes:
    """What each byte of a word becomes in a copy, uint8[256]: a permutation."""
    # The raw stream of PCG64 is a documented constant of NumPy, its shuffles are not (NEP 19).
    stream = np.random.PCG64([_SEED, copy])
    letters = np.argsort(stream.random_raw(_LETTERS)).astype(np.uint8)
    digits = np.argsort(stream.random_raw(9)).astype(np.uint8)
    table = np.arange(256, dtype=np.uint8)
    for start in (ord("A"), ord("a")):
        table[start : start + _LETTERS] = start + letters
    table[ord("1") : ord("9") + 1] = ord("1") + digits
    return table


def _word_bytes() -> npt.NDArray[np.bool_]:
    table = np.arange(256) >= 0x80
    table[[ord(each) for each in string.ascii_letters + string.digits + "_"]] = True
    return table


def _packed_keywords() -> npt.NDArray[np.uint64]:
    # Python 3.11 does not know the last one yet.
    words = [word.encode() for word in {*keyword.kwlist, *keyword.softkwlist, "type"}]
    table = np.zeros(_SLOTS, dtype=np.uint64)
    for word in sorted(words):
        packed = int.from_bytes(word, "little")
        slot = packed % _SLOTS
        while table[slot]:
            slot = (slot + 1) % _SLOTS
        table[slot] = packed
    return table


_IS_WORD_BYTE = _word_bytes()
_KEPT = _packed_keywords()
"""Keywords, none longer than 8 bytes, as integers in a hash table of open addresses."""


@compiled
def _rename(data: Bytes, offsets: Offsets, table: Bytes, kept: npt.NDArray[np.uint64]) -> Bytes:
    out = data.copy()
    for row in range(offsets.size - 1):
        position, end = offsets[row], offsets[row + 1]
        while position < end:
            if not _IS_WORD_BYTE[data[position]]:
                position += 1
                continue
            start = position
            while position < end and _IS_WORD_BYTE[data[position]]:
                position += 1
            after = data[position] if position < end else np.uint8(0)
            before = data[start - 1] if start > offsets[row] else np.uint8(0)
            if _has_name(data[start:position], before, after, kept):
                _replace(out[start:position], table, kept)
    return out


@compiled
def _has_name(word: Bytes, before: np.uint8, after: np.uint8, kept: npt.NDArray[np.uint64]) -> bool:
    """Whether a word is a name or a plain decimal, and none that Python gives a meaning."""
    if before == ord("\\") or (before == ord("!") and word.size == 1):
        return False
    if word.size <= _PREFIX_BYTES and (after == ord('"') or after == ord("'")):
        return False
    if ord("0") <= word[0] <= ord("9"):
        for byte in word:
            if not ord("0") <= byte <= ord("9"):
                return False
        return word[0] != ord("0")
    return not _is_kept(word, kept)


@compiled
def _is_kept(word: Bytes, kept: npt.NDArray[np.uint64]) -> bool:
    if word.size > _PACKED_BYTES:
        return False
    packed = np.uint64(0)
    for index in range(word.size):
        packed |= np.uint64(word[index]) << np.uint64(8 * index)
    slot = packed % np.uint64(_SLOTS)
    while kept[slot]:
        if kept[slot] == packed:
            return True
        slot = (slot + np.uint64(1)) % np.uint64(_SLOTS)
    return False


@compiled
def _replace(word: Bytes, table: Bytes, kept: npt.NDArray[np.uint64]) -> None:
    while True:
        for index in range(word.size):
            word[index] = table[word[index]]
        if not _is_kept(word, kept):
            return

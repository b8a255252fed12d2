"""Classes of bytes that the kernels of this folder ask for, as tables."""

from __future__ import annotations

import string

import numpy as np
import numpy.typing as npt

from transforms.interpreted import word_bytes

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


def flags_of(characters: str) -> Flags:
    """bool[256]: whether a byte is one of these ASCII characters."""
    flags = np.zeros(256, np.bool_)
    flags[np.frombuffer(characters.encode("ascii"), np.uint8)] = True
    return flags


LETTERS = string.ascii_letters
DIGITS = string.digits

DIGIT = flags_of(DIGITS)
LETTER = flags_of(LETTERS)
ALNUM = DIGIT | LETTER
HEX = flags_of(string.hexdigits)
WORD = word_bytes().astype(np.bool_)
"""What joins on to a name: bytes of characters beyond ASCII do too."""
NAME = flags_of(LETTERS + DIGITS + "_-.")
SPACE = flags_of(string.whitespace)
QUOTE = flags_of("\"'`")
TOKEN = flags_of(LETTERS + DIGITS + "+/=_-.~:")
"""What keys are written with; each of these stands in some encoding of random bytes."""

OTHER, LOWER, UPPER, NUMBER, PUNCTUATION, JOINT = range(6)


def _kinds() -> Codes:
    kinds = np.full(256, OTHER, np.uint8)
    for characters, kind in (
        (string.punctuation, PUNCTUATION),
        (string.ascii_lowercase, LOWER),
        (string.ascii_uppercase, UPPER),
        (DIGITS, NUMBER),
        ("_-./:~ ", JOINT),
    ):
        kinds[np.frombuffer(characters.encode(), np.uint8)] = kind
    return kinds


KIND = _kinds()
"""uint8[256]: the kind of a byte; joints part words and say nothing of randomness."""

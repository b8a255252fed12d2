"""The tokens of Python, and the tables by which a byte or a word becomes one.

Kinds are numbers, so that they fit into arrays. Operators that the grammar treats alike
share a kind; each keyword has its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

KEYWORDS = (
    *("False", "None", "True", "and", "as", "assert", "async", "await", "break", "class"),
    *("continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global"),
    *("if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise"),
    *("return", "try", "while", "with", "yield"),
)
SOFT_KEYWORDS = ("case", "match", "print", "type")
"""Names that are keywords in one place only; ``print`` is one of Python 2."""

_OTHERS = (
    *("END", "ERROR", "NEWLINE", "INDENT", "DEDENT", "NAME", "NUMBER", "STRING", "BYTES"),
    # An f-string, its replacement fields, their conversions and format specifications.
    *("FSTART", "FEND", "FOPEN", "FCLOSE", "FCOLON", "BANG"),
    *("(", ")", "[", "]", "{", "}", ",", ":", ";", ".", "...", "=", ":=", "->"),
    *("*", "**", "/", "@", "|", "+", "-", "~", "BINARY", "COMPARE", "AUGMENT"),
)
KINDS = (*_OTHERS, *KEYWORDS, *SOFT_KEYWORDS)
"""The name of each kind, at the place of its number."""

KIND = {name: number for number, name in enumerate(KINDS)}

WORD_HASH = 0x9E3779B97F4A7C15
WORD_SLOTS = 256
MAX_WORD_BYTES = 8
"""The longest keyword."""


def word_table() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Keywords as a hash table with open addressing.

    Returns:
      ``words`` uint64[WORD_SLOTS], the bytes of a keyword, the first lowest, 0 where a slot
      is free; ``kinds`` uint8[WORD_SLOTS].
    """
    words = np.zeros(WORD_SLOTS, np.uint64)
    kinds = np.full(WORD_SLOTS, KIND["NAME"], np.uint8)
    for word in (*KEYWORDS, *SOFT_KEYWORDS):
        packed = int.from_bytes(word.encode(), "little")
        slot = (packed * WORD_HASH & (1 << 64) - 1) >> 56
        while words[slot]:
            slot = (slot + 1) % WORD_SLOTS
        words[slot], kinds[slot] = packed, KIND[word]
    return words, kinds


def operator_table() -> npt.NDArray[np.uint8]:
    """The kind of each operator of one byte, ``ERROR`` for bytes that are none."""
    kinds = np.full(256, KIND["ERROR"], np.uint8)
    for operator in "()[]{},:;.=*/@|+-~":
        kinds[ord(operator)] = KIND[operator]
    kinds[list(b"%&^")] = KIND["BINARY"]
    kinds[list(b"<>")] = KIND["COMPARE"]
    return kinds


SPACE, WORD, DIGIT, QUOTE, LINE_END, COMMENT, CONTINUATION, OPERATOR, FOREIGN = range(1, 10)
"""What a token can be told by from its first byte; 0 is no token of Python."""


def byte_classes() -> npt.NDArray[np.uint8]:
    """The class of each byte, uint8[256]."""
    classes = np.zeros(256, np.uint8)
    for members, name in (
        (b" \t\f", SPACE),
        (b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", WORD),
        (b"0123456789", DIGIT),
        (b"'\"", QUOTE),
        (b"\r\n", LINE_END),
        (b"#", COMMENT),
        (b"\\", CONTINUATION),
        (b"()[]{},:;.=*/@|+-~<>!%&^", OPERATOR),
        (bytes(range(0x80, 0x100)), FOREIGN),
    ):
        classes[list(members)] = name
    return classes


NOT_IN_NAMES = np.array(
    [
        *((0x80, 0xA9), (0xAB, 0xB4), (0xB6, 0xB6), (0xB8, 0xB9), (0xBB, 0xBF)),
        *((0xD7, 0xD7), (0xF7, 0xF7), (0x2000, 0x203E), (0x2041, 0x2053), (0x2055, 0x2070)),
        *((0x2072, 0x207E), (0x2080, 0x208F), (0x20A0, 0x20CF), (0x2190, 0x2BFF)),
        *((0x2E00, 0x2E2E), (0x2E30, 0x2FFF), (0x3000, 0x3004), (0x3008, 0x3020)),
        *((0x3030, 0x3030), (0xD800, 0xF8FF), (0xFE10, 0xFE1F), (0xFE30, 0xFE32)),
        *((0xFE35, 0xFE4C), (0xFE50, 0xFE6F), (0xFEFF, 0xFEFF), (0xFF01, 0xFF0F)),
        *((0xFF1A, 0xFF20), (0xFF3B, 0xFF3E), (0xFF40, 0xFF40), (0xFF5B, 0xFF65)),
        *((0xFFE0, 0xFFFF), (0x1F000, 0x1FBEF), (0xE0000, 0xE00FF), (0xF0000, 0x10FFFF)),
    ],
    np.int64,
)
"""First and last code points of spaces, punctuation, symbols and private use.

Python's own tables of identifier characters change with each version of Unicode. These
blocks do not; a letter that they miss, or a sign that stands elsewhere, counts as a letter.
"""

"""How each language writes comments and strings, as the tables that `comments` reads.

A lexer is a list of tokens: what opens something in which other markers do not count,
and what closes it. What cannot be told from the bytes alone is approximated towards
"no comment"; `docs/languages.md` lists where.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Kinds of tokens.
LINE, BLOCK, QUOTED, CHARACTER, FENCED, HEREDOC, REGEX, DELIMITED, ESCAPE, BRACKET = range(1, 11)

# What holds of a token; the numbers are bits.
LINE_START = 1  # only white space before it on its line
COLUMN_ONE = 2  # nothing before it on its line
AFTER_SPACE = 4  # white space or a separator before it
NEW_WORD = 8  # no letter, digit or sigil before it
WHOLE_WORD = 16  # no letter or digit after it
CASELESS = 32
NESTS = 64  # comments: may contain others of their kind
CONTINUES = 128  # line comments: go on after a backslash at the end of a line
MULTILINE = 256  # strings
IS_COMMENT = 512  # fenced ones
IS_TEXT = 1024  # outside of the language altogether: neither comment nor string
WHOLE_LINE = 2048  # the line of what closes it belongs to it
TWO_PARTS = 4096  # delimited: s/a/b/
SPACED = 8192  # heredocs: white space may stand before the word
TRAILED = 16384  # heredocs: code may stand after the closing word
FORMATTED = 32768  # strings: interpolate where an f or t stands before them
STATEMENT = 65536  # line comments that end at the ?> of PHP

# What is written around code inside of strings.
DOLLAR_BRACE, HASH_BRACE, BACKSLASH_PAREN, DOLLAR_PAREN, DOLLAR_BOTH, BRACES = range(1, 7)

MARKER_BYTES = 20
KIND, FLAGS, ESCAPES, INTERPOLATES, FENCE, THEN, LAST, OPENS, CLOSES = range(9)
OPENER = 9
CLOSER = OPENER + MARKER_BYTES

WORD_FENCE = ord("w")
"""A fence of letters, digits and underscores in the place of a repeated byte."""

Tokens = npt.NDArray[np.int64]
Firsts = npt.NDArray[np.int16]
Starts = npt.NDArray[np.int64]
Openers = npt.NDArray[np.uint8]

MANY_OPENERS = 8
"""From more different first bytes on, a table of all bytes finds them as fast."""


@dataclass(frozen=True)
class Token:
    """Something in which other markers do not count.

    ``fence``, ``then`` and ``last`` are of fenced ones: ``opens``, a run of the fence's
    byte, then ``then``; they end at ``closes``, the same run, then ``last``.
    """

    kind: int
    opens: bytes
    closes: bytes = b""
    flags: int = 0
    escape: bytes = b""
    interpolates: int = 0
    fence: bytes = b""
    then: bytes = b""
    last: bytes = b""

    def row(self) -> list[int]:
        """The token as a row of the table of tokens."""
        marks = [mark[0] if mark else 0 for mark in (self.fence, self.then, self.last)]
        escape = self.escape[0] if self.escape else 0
        head = [self.kind, self.flags, escape, self.interpolates, *marks]
        sizes = [len(self.opens), len(self.closes)]
        markers = [*self.opens.ljust(MARKER_BYTES, b"\0"), *self.closes.ljust(MARKER_BYTES, b"\0")]
        return [*head, *sizes, *markers]


def _line(opens: bytes, flags: int = 0) -> Token:
    return Token(LINE, opens, flags=flags)


def _block(opens: bytes, closes: bytes, flags: int = 0) -> Token:
    return Token(BLOCK, opens, closes, flags)


def _string(
    quotes: bytes, flags: int = 0, escape: bytes = b"\\", interpolates: int = 0
) -> tuple[Token, ...]:
    """Strings in each of some quotes that are one byte."""
    return tuple(
        Token(QUOTED, bytes([quote]), bytes([quote]), flags, escape, interpolates)
        for quote in quotes
    )


def _long(
    opens: bytes, closes: bytes, escape: bytes = b"", interpolates: int = 0, flags: int = 0
) -> Token:
    return Token(QUOTED, opens, closes, flags | MULTILINE, escape, interpolates)


def _fenced(
    opens: bytes,
    closes: bytes,
    fence: bytes,
    then: bytes = b"",
    last: bytes = b"",
    flags: int = 0,
) -> Token:
    return Token(FENCED, opens, closes, flags, b"", 0, fence, then, last)


_HASH = _line(b"#")
_SHELL_HASH = _line(b"#", AFTER_SPACE)
_SLASHES = _line(b"//")
_C_SLASHES = _line(b"//", CONTINUES)
_C_BLOCK = _block(b"/*", b"*/")
_NESTED_BLOCK = _block(b"/*", b"*/", NESTS)
_HTML_BLOCK = _block(b"<!--", b"-->")
_CHARACTER = Token(CHARACTER, b"'")
_ESCAPE = Token(ESCAPE, b"\\")
_REGEX = Token(REGEX, b"/")

_C = (_C_SLASHES, _C_BLOCK, *_string(b'"'), _CHARACTER)
_PYTHON = (
    _HASH,
    _long(b'"""', b'"""', b"\\", flags=FORMATTED),
    _long(b"'''", b"'''", b"\\", flags=FORMATTED),
    *_string(b"'\"", FORMATTED),
)
_JAVASCRIPT = (
    # Addresses stand in JSX without quotes.
    *(_SLASHES, Token(ESCAPE, b"://"), _C_BLOCK, _REGEX),
    *_string(b"'\""),
    _long(b"`", b"`", b"\\", DOLLAR_BRACE),
)


def _delimited(*openers: bytes, flags: int = 0) -> tuple[Token, ...]:
    return tuple(Token(DELIMITED, opener, flags=flags | NEW_WORD) for opener in openers)


_LEXERS: Mapping[tuple[str, ...], Sequence[Token]] = {
    ("python",): _PYTHON,
    # As scripts, in Python unless their kernel is for another language.
    ("jupyter-notebook",): _PYTHON,
    ("javascript", "typescript"): _JAVASCRIPT,
    ("c", "objective-c"): _C,
    ("c++",): (
        *_C,
        _fenced(b'R"', b")", b"w", then=b"(", last=b'"'),
    ),
    ("java",): (_SLASHES, _C_BLOCK, *_string(b'"'), _CHARACTER, _long(b'"""', b'"""', b"\\")),
    ("c#",): (
        *(_SLASHES, _C_BLOCK, *_string(b'"'), _CHARACTER),
        _fenced(b'""', b'""', b'"'),
        *(_long(opens, b'"') for opens in (b'@"', b'$@"', b'@$"')),
        Token(QUOTED, b'$"', b'"', 0, b"\\", BRACES),
    ),
    ("go",): (_SLASHES, _C_BLOCK, *_string(b'"'), _CHARACTER, _long(b"`", b"`")),
    ("rust",): (
        *(_SLASHES, _NESTED_BLOCK, _CHARACTER, *_string(b'"', MULTILINE)),
        *(_fenced(opens, b'"', b"#", then=b'"', flags=NEW_WORD) for opens in (b"r", b"br", b"cr")),
    ),
    ("swift",): (
        *(_SLASHES, _NESTED_BLOCK),
        *_string(b'"', interpolates=BACKSLASH_PAREN),
        _long(b'"""', b'"""', b"\\", BACKSLASH_PAREN),
        _fenced(b"", b'"', b"#", then=b'"'),
    ),
    ("kotlin", "scala"): (
        *(_SLASHES, _NESTED_BLOCK, _CHARACTER),
        *_string(b'"', interpolates=DOLLAR_BRACE),
        _long(b'"""', b'"""', interpolates=DOLLAR_BRACE),
    ),
    ("dart",): (
        *(_SLASHES, _NESTED_BLOCK),
        *_string(b"'\"", interpolates=DOLLAR_BRACE),
        _long(b'"""', b'"""', b"\\", DOLLAR_BRACE),
        _long(b"'''", b"'''", b"\\", DOLLAR_BRACE),
        *(Token(QUOTED, b"r" + each, each, NEW_WORD) for each in (b"'", b'"')),
        *(_long(b"r" + each, each, flags=NEW_WORD) for each in (b"'''", b'"""')),
    ),
    ("php",): (
        *(_line(b"//", STATEMENT), _line(b"#", STATEMENT), Token(ESCAPE, b"#["), _C_BLOCK),
        *_string(b"'\"", MULTILINE),
        Token(HEREDOC, b"<<<", flags=SPACED | TRAILED),
        _long(b"?>", b"<?", flags=IS_TEXT),
    ),
    ("ruby",): (
        *(_SHELL_HASH, _block(b"=begin", b"\n=end", COLUMN_ONE | WHOLE_LINE), _REGEX, _ESCAPE),
        *_string(b"'", MULTILINE),
        *_string(b'"`', MULTILINE, interpolates=HASH_BRACE),
        Token(HEREDOC, b"<<"),
        *_delimited(*(b"%" + each for each in (b"", b"w", b"W", b"q", b"Q", b"i", b"I", b"r"))),
    ),
    ("perl",): (
        *(_SHELL_HASH, _block(b"=", b"\n=cut", COLUMN_ONE | WHOLE_LINE), _REGEX, _ESCAPE),
        *_string(b"'\"`", MULTILINE),
        *(_long(each, b"\0", flags=COLUMN_ONE) for each in (b"__END__", b"__DATA__")),
        Token(HEREDOC, b"<<"),
        *_delimited(b"q", b"qq", b"qw", b"qr", b"m"),
        *_delimited(b"s", b"tr", b"y", flags=TWO_PARTS),
    ),
    ("shell",): (
        *(_SHELL_HASH, _ESCAPE),
        *_string(b"'", MULTILINE, escape=b""),
        *_string(b'"', MULTILINE, interpolates=DOLLAR_BOTH),
        _long(b"$'", b"'", b"\\"),
        Token(HEREDOC, b"<<", flags=SPACED),
    ),
    ("powershell",): (
        *(_SHELL_HASH, _block(b"<#", b"#>"), Token(ESCAPE, b"`")),
        *_string(b"'", MULTILINE, escape=b""),
        *_string(b'"', MULTILINE, escape=b"`", interpolates=DOLLAR_PAREN),
        _long(b'@"', b'\n"@'),
        _long(b"@'", b"\n'@"),
    ),
    ("makefile",): (_SHELL_HASH, _ESCAPE, *_string(b"'\"")),
    ("dockerfile",): (_line(b"#", LINE_START),),
    ("cmake",): (
        *(_HASH, _ESCAPE, *_string(b'"', MULTILINE)),
        _fenced(b"#[", b"]", b"=", then=b"[", last=b"]", flags=IS_COMMENT),
        _fenced(b"[", b"]", b"=", then=b"[", last=b"]"),
    ),
    ("lua",): (
        *(_line(b"--"), *_string(b"'\"")),
        _fenced(b"--[", b"]", b"=", then=b"[", last=b"]", flags=IS_COMMENT),
        _fenced(b"[", b"]", b"=", then=b"[", last=b"]"),
    ),
    ("haskell",): (
        *(_line(b"--"), _block(b"{-", b"-}", NESTS), *_string(b'"'), _CHARACTER),
        *(Token(ESCAPE, b"--" + each) for each in (b">", b"|>", b"<", b"+", b"=", b"*", b".")),
    ),
    ("julia",): (
        *(_HASH, _block(b"#=", b"=#", NESTS), _CHARACTER),
        *_string(b'"', MULTILINE, interpolates=DOLLAR_PAREN),
        _long(b'"""', b'"""', b"\\", DOLLAR_PAREN),
    ),
    ("r",): (
        *(_HASH, *_string(b"'\"", MULTILINE), *_string(b"`")),
        *(
            _fenced(letter + quote, closes, b"-", then=opens, last=quote, flags=NEW_WORD)
            for letter in (b"r", b"R")
            for quote in (b"'", b'"')
            for opens, closes in ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))
        ),
    ),
    ("sql",): (
        *(_line(b"--"), _C_BLOCK, *_string(b"'", MULTILINE), *_string(b'"`', escape=b"")),
        _fenced(b"$", b"$", b"w", last=b"$", then=b"$"),
    ),
    ("fortran",): (
        *(_line(b"!"), *_string(b"'\"", escape=b""), _line(b"*", COLUMN_ONE)),
        *(_line(each, COLUMN_ONE | CASELESS) for each in (b"c  ", b"c-", b"c*")),
    ),
    ("visual-basic",): (
        *(_line(b"'"), _line(b"rem", LINE_START | WHOLE_WORD | CASELESS)),
        *_string(b'"', escape=b""),
    ),
    ("batchfile",): tuple(
        _line(each, LINE_START | WHOLE_WORD | CASELESS) for each in (b"rem", b"@rem", b"::")
    ),
    ("assembly",): (
        *(_SLASHES, _C_BLOCK, *_string(b'"'), _CHARACTER),
        *(_line(b";", AFTER_SPACE), _line(b"# ", LINE_START), _line(b"@ ", AFTER_SPACE)),
    ),
    ("tex",): (
        *(_line(b"%"), _ESCAPE),
        *(
            _long(b"\\begin{" + name + b"}", b"\\end{" + name + b"}")
            for name in (b"verbatim", b"lstlisting", b"minted")
        ),
    ),
    ("html",): (_HTML_BLOCK,),
    ("css",): (_C_BLOCK, *_string(b"'\"")),
}

SYNTAXES: Mapping[str, int] = {
    language: number for number, names in enumerate(_LEXERS, start=1) for language in names
}
"""The id of each language's lexer; languages that are not here have no comments."""


def line_comment(language: str) -> str | None:
    """What begins a comment of one line in a language, None where there is none."""
    tokens = _tokens_of(language)
    return next((token.opens.decode() for token in tokens if token.kind == LINE), None)


def comment_openers(language: str) -> set[bytes]:
    """What begins a comment of one line or a block in a language."""
    return {token.opens for token in _tokens_of(language) if token.kind in (LINE, BLOCK)}


def _tokens_of(language: str) -> Sequence[Token]:
    number = SYNTAXES.get(language, 0)
    return list(_LEXERS.values())[number - 1] if number else ()


# Bytes that count inside of interpolated code only.
_BRACKETS = b"{}()[]:\r\n"


@functools.cache
def lexer_tables() -> tuple[Tokens, Firsts, Openers, Starts]:
    """All lexers as arrays.

    Returns:
      ``tokens`` int64[tokens, CLOSER + MARKER_BYTES], those with the same first byte one
      after another, longer ones first; ``firsts`` int16[2 * (lexers + 1), 256], the row of
      the first token that begins with a byte plus one, or 0. Rows ``2 * id`` hold outside of
      strings, and ``2 * id + 1`` in code inside of them, where brackets and line ends are
      tokens too; ``openers`` uint8[2 * (lexers + 1), MANY_OPENERS + 1], how many different
      bytes a row of ``firsts`` has, and those, repeated to fill the row, unless they are
      more than MANY_OPENERS; ``starts`` int64[lexers + 1], the row of the text that comes
      before all code, or -1.
    """
    rows: list[list[int]] = []
    firsts = np.zeros((2 * (len(_LEXERS) + 1), 256), dtype=np.int16)
    starts = np.full(len(_LEXERS) + 1, -1, dtype=np.int64)
    for number, tokens in enumerate(_LEXERS.values(), start=1):
        by_byte: dict[int, list[Token]] = {}
        for token in tokens:
            # A fence may be all that opens something.
            begin = (token.opens or token.fence)[0]
            by_byte.setdefault(begin, []).append(token)
            if token.flags & CASELESS and chr(begin).isalpha():
                by_byte.setdefault(begin ^ 0x20, []).append(token)
        for byte in sorted({*by_byte, *_BRACKETS}):
            known = by_byte.get(byte, [])
            brackets = [Token(BRACKET, bytes([byte]))] if byte in _BRACKETS else []
            if known:
                firsts[2 * number, byte] = len(rows) + 1
            firsts[2 * number + 1, byte] = len(rows) + 1
            ordered = sorted(known, key=lambda token: -len(token.opens))
            for place, token in enumerate(ordered, start=len(rows)):
                if token.flags & IS_TEXT:
                    starts[number] = place
            # A row of no kind ends each group.
            rows += [token.row() for token in (*ordered, *brackets, Token(0, b""))]
    return np.array(rows, dtype=np.int64), firsts, _list_openers(firsts), starts


def _list_openers(firsts: Firsts) -> Openers:
    openers = np.zeros((firsts.shape[0], MANY_OPENERS + 1), dtype=np.uint8)
    for row, begins in enumerate(firsts):
        found = np.flatnonzero(begins)
        openers[row, 0] = found.size
        if 0 < found.size <= MANY_OPENERS:
            openers[row, 1:] = np.resize(found, MANY_OPENERS)
    return openers

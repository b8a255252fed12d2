"""Contents of files: whether they are text, and in which encoding.

The encoding comes from rules and is never guessed:

1. A file with a NUL byte is binary: no encoding of Python source has one. So is UTF-16
   and UTF-32, with a byte order mark or without, which Python does not read either.
2. UTF-8's byte order mark makes it ``utf-8-sig``; any other declaration is then an error.
3. A comment in the first two lines that declares an encoding (PEP 263) is believed where
   the encoding is one of `SOURCE_CODECS`. Others would turn ASCII into something else
   (``rot13``, ``unicode_escape``, ``utf-7``), differ between machines (``mbcs``) or
   be no encodings: none is looked up, as that may import modules and is cached for ever.
4. Everything else is UTF-8. All of the file has to decode strictly.

What is stored are the file's own bytes, line ends and byte order mark included, with the
name of the encoding beside them.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases

from schemas.failures import Reason

# The first line of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and the
# size below which, by the same document, a file can be a pointer.
_LFS_VERSION = b"version https://git-lfs.github.com/spec/"
_LFS_POINTER_BYTES = 1024

# fmt: off
_CODE_PAGES = (
    437, 720, 737, 775, 850, 852, 855, 856, 857, 858, 860, 861, 862, 863, 865, 866, 869, 874,
    932, 949, 950, 1006, 1125, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258,
)
_APPLE = (
    "arabic", "croatian", "cyrillic", "farsi", "greek", "iceland", "latin2", "roman",
    "romanian", "turkish",
)
_OTHERS = (
    "ascii", "utf_8", "latin_1", "tis_620", "kz1048", "ptcp154", "koi8_r", "koi8_t", "koi8_u",
    "hp_roman8", "palmos", "big5", "big5hkscs", "euc_jis_2004", "euc_jisx0213", "euc_jp",
    "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2",
    "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr", "johab", "shift_jis",
)
# fmt: on
SOURCE_CODECS = frozenset(
    (
        *(f"cp{number}" for number in _CODE_PAGES),
        *(f"iso8859_{number}" for number in range(1, 17) if number != 12),
        *(f"mac_{name}" for name in _APPLE),
        *_OTHERS,
    )
)
"""Python's codecs that read all of printable ASCII as itself, as a declaration has to be."""

# PEP 263, and the names that Python's own reader of it knows by their start.
_DECLARATION = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:[#\r\n]|$)")
_MAX_NAME_BYTES = 64
_UTF8_NAME = re.compile(r"utf-8(?:-.*)?")
_LATIN1_NAME = re.compile(r"(?:latin-1|iso-8859-1|iso-latin-1)(?:-.*)?")


def examine(content: bytes) -> str | Reason:
    """The normalized name of a text's encoding, or what is wrong with it."""
    if b"\0" in content:
        return Reason.BINARY_CONTENT
    if content.startswith(_LFS_VERSION) and len(content) < _LFS_POINTER_BYTES:
        return Reason.LFS_POINTER
    encoding = _encoding_by_rule(content)
    if encoding is None:
        return Reason.UNDECODABLE
    try:
        content.decode(encoding)
    except UnicodeError:
        return Reason.UNDECODABLE
    return encoding


def _encoding_by_rule(content: bytes) -> str | None:
    """The encoding to try, None where the declaration is none that can be believed."""
    has_mark = content.startswith(codecs.BOM_UTF8)
    declared = _declaration(content.removeprefix(codecs.BOM_UTF8) if has_mark else content)
    if declared is None:
        return "utf-8-sig" if has_mark else "utf-8"
    name = _source_encoding(declared)
    if has_mark:
        return "utf-8-sig" if name == "utf-8" else None
    return name


def _declaration(text: bytes) -> str | None:
    """The name that the first two lines declare, None where they declare none."""
    end = text.find(b"\n")
    first = text[: end + 1] if end >= 0 else text
    second_end = text.find(b"\n", end + 1) if end >= 0 else -1
    second = text[len(first) : second_end + 1 if second_end >= 0 else len(text)]
    found = _DECLARATION.match(first)
    if not found and _BLANK.match(first):
        found = _DECLARATION.match(second)
    return found[1].decode("ascii") if found else None


def _source_encoding(declared: str) -> str | None:
    """The normalized name of an encoding of source, None where it is no such encoding."""
    if len(declared) > _MAX_NAME_BYTES:
        return None
    name = declared.lower().replace("_", "-")
    if _UTF8_NAME.fullmatch(name):
        return "utf-8"
    if _LATIN1_NAME.fullmatch(name):
        return "iso8859-1"
    module = re.sub(r"[-.]+", "_", name)
    module = aliases.get(module, module)
    return codecs.lookup(module).name if module in SOURCE_CODECS else None

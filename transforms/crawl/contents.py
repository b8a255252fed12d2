"""Contents of files: whether they are text, and in which encoding.

A Python file says its encoding itself (PEP 263) or is UTF-8. What it declares is
believed only where Python would believe it and where all of the file decodes.
"""

from __future__ import annotations

import codecs
import io
import tokenize

from schemas.failures import Reason

# The first line of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and the
# size below which, by the same document, a file can be a pointer.
_LFS_VERSION = b"version https://git-lfs.github.com/spec/"
_LFS_POINTER_BYTES = 1024

# Text codecs that are no encodings of source: escapes that turn plain ASCII into
# something else, and those of which CPython cannot read a declaration.
_REFUSED_CODECS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}
    | {"raw-unicode-escape", "unicode-escape", "utf-7", "utf-16", "utf-16-be", "utf-16-le"}
    | {"utf-32", "utf-32-be", "utf-32-le"}
)
_PRINTABLE_ASCII = bytes(range(0x20, 0x7F))


def examine(content: bytes) -> str | Reason:
    """The normalized name of a text's encoding, or what is wrong with it."""
    if b"\0" in content:
        return Reason.BINARY_CONTENT
    if content.startswith(_LFS_VERSION) and len(content) < _LFS_POINTER_BYTES:
        return Reason.LFS_POINTER
    encoding = _declared_encoding(content)
    if encoding is None:
        return Reason.UNDECODABLE
    try:
        content.decode(encoding)
    except (UnicodeError, LookupError):
        return Reason.UNDECODABLE
    return encoding


def _declared_encoding(content: bytes) -> str | None:
    """The encoding that the BOM or the first two lines name; UTF-8 where they name none."""
    if not content.startswith(codecs.BOM_UTF8) and not _may_declare(content):
        return "utf-8"
    try:
        declared, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        return None
    name = codecs.lookup(declared).name
    return name if _is_source_encoding(name) else None


def _may_declare(content: bytes) -> bool:
    """Whether the first two lines can hold a declaration; saves most files a regex."""
    first = content.find(b"\n")
    second = content.find(b"\n", first + 1) if first >= 0 else -1
    return content.find(b"coding", 0, second if second >= 0 else len(content)) >= 0


def _is_source_encoding(name: str) -> bool:
    """Whether a codec leaves ASCII alone, as the declaration itself has to be read in it."""
    if name in _REFUSED_CODECS:
        return False
    try:
        return _PRINTABLE_ASCII.decode(name) == _PRINTABLE_ASCII.decode("ascii")
    except (UnicodeError, LookupError):
        return False

"""What a file imports from its own repository, by one scan of its bytes.

Each language has patterns of which every one begins with a literal, so that a scan runs at
the speed of a search for words. No quantifier gives back what it took, or it is bounded:
time is linear in the text, whatever the text is. What looks like an import at the begin of
a line inside of a string or a comment counts as one; only what names a file of the
repository has an effect.

Not found: imports that a program computes; files that share a package without naming each
other (Java, Kotlin, Scala, Go); the package at the root of a module of Go; names that a
build maps to folders (aliases of bundlers).
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

MAX_IMPORTS = 5_000
"""So many distinct imports of a file count, the first ones."""

_MAX_BEFORE = 100
_NEWLINE = ord("\n")


class Import(NamedTuple):
    """One import, as paths without the endings of their language, the likeliest first.

    A path from ``./`` or ``../`` on is one from the folder of the importing file, one from
    ``/`` on from the root of the repository; any other is the end of one. ``*`` is the
    importing file's own name without its extension.
    """

    language: str
    paths: tuple[str, ...]


_SOURCES = ("", ".js", ".ts", ".jsx", ".tsx", ".mjs", ".mts", ".cjs", ".cts", ".d.ts")
_JAVASCRIPT = (*_SOURCES, *(f"/index{ending}" for ending in _SOURCES[1:]))
_PYTHON = (".py", "/__init__.py", ".pyi", "/__init__.pyi")
_C = ("",)
_JVM = (".java", ".kt", ".scala", "/*.jvm")

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "python": _PYTHON,
    "jupyter-notebook": _PYTHON,
    "c": _C,
    "c++": _C,
    "objective-c": _C,
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "java": _JVM,
    "kotlin": _JVM,
    "scala": _JVM,
    "go": ("/*.go",),
    "rust": (".rs", "/mod.rs"),
    "ruby": (".rb", ""),
    "php": (".php", ""),
}
"""What may follow a path of an import in each language, the likeliest first."""

PACKAGES: Mapping[str, str] = {
    ".java": "*.jvm",
    ".kt": "*.jvm",
    ".scala": "*.jvm",
    ".go": "*.go",
}
"""The name that stands for all files of a folder with such an extension together."""

_Readings = Iterator[tuple[str, ...]]
_WORD = rb"[\w\x80-\xff]"
# All of a statement of Python that is not in parentheses, its joined lines included.
_STATEMENT = rb"(?:[^\\\n;#(]++|\\\r?\n)*+"
_LISTED = re.compile(rb"(?:\A|,)[\s\\]*+([\w.\x80-\xff]{1,200}+|\*)")
_COMMENT = re.compile(rb"#[^\n]*+")
_BEGINS_STATEMENT = re.compile(rb"(?:[^\n]*[;:{}])?[ \t]*")


@dataclass(frozen=True)
class _Rule:
    """A pattern, what all before it on its line must be, and how a match is read."""

    pattern: re.Pattern[bytes]
    read: Callable[[re.Match[bytes]], _Readings]
    before: re.Pattern[bytes] | None = None

    def imports(self, text: bytes) -> _Readings:
        """The paths of each import that the pattern finds."""
        for match in self.pattern.finditer(text):
            start = match.start()
            if self.before is not None and start and text[start - 1] != _NEWLINE:
                low = max(start - _MAX_BEFORE, 0)
                line = max(text.rfind(b"\n", low, start) + 1, low)
                if self.before.fullmatch(text, line, start) is None:
                    continue
            yield from self.read(match)


def find_imports(text: bytes, language: str) -> tuple[Import, ...]:
    """What a file imports that may be in its repository, each once.

    Args:
      text: the file in UTF-8.
      language: its name in `transforms.languages`; those not in `ENDINGS` have no imports.
    """
    found: dict[tuple[str, ...], None] = {}
    readings = (rule.imports(text) for rule in _RULES.get(language, ()))
    for paths in filter(None, itertools.chain.from_iterable(readings)):
        found[paths] = None
        if len(found) == MAX_IMPORTS:
            break
    return tuple(Import(language, paths) for paths in found)


def _text(name: bytes) -> str:
    return name.decode(errors="replace")


def _python_names(names: bytes) -> list[str]:
    """The names of a list, without what they are called from there on."""
    if b"#" in names:
        names = _COMMENT.sub(b"", names)
    return _text(b" ".join(_LISTED.findall(names))).split()


def _python_modules(match: re.Match[bytes]) -> _Readings:
    for name in _python_names(match[1]):
        yield (name.replace(".", "/"),)


def _python_members(match: re.Match[bytes]) -> _Readings:
    """``from package import name``: a module of that name, or else the package itself."""
    dots = len(match[1])
    base = "./" if dots == 1 else "../" * (dots - 1)
    package = _text(match[2]).replace(".", "/")
    itself = base + (package or "__init__") if dots else package
    for name in _python_names(match[3] or match[4] or b""):
        member = f"{base}{package}/{name}" if package else f"{base}{name}"
        yield (itself,) if name == "*" else (member, itself)


def _included(match: re.Match[bytes]) -> _Readings:
    """A name of a file that is looked for near the importing one first."""
    path = posixpath.normpath(_text(match[1] or match[2]).replace("\\", "/").lstrip("/"))
    yield (path,)


def _javascript_path(match: re.Match[bytes]) -> _Readings:
    path = _text(match[1])
    # A module is imported by the name of what it is compiled to, and may be in TypeScript.
    yield tuple(dict.fromkeys((path, _COMPILED.sub("", path))))


def _dotted(match: re.Match[bytes]) -> _Readings:
    """``import a.b.C``: a file; or of what is in one, or in a package, that."""
    base = _text(match[1])
    names = [base]
    if match[2] is not None:
        firsts = (item.split(None, 1)[:1] for item in match[2].split(b","))
        names = [f"{base}{_text(first[0])}" for first in firsts if first]
    for name in names:
        parts = [part for part in name.split(".") if part not in ("", "_", "*")]
        yield tuple("/".join(parts[:end]) for end in _ends(len(parts), least=2))


def _go_package(match: re.Match[bytes]) -> _Readings:
    """A path of which it is not known how much of it is the module's."""
    parts = _text(match[1]).split("/")
    yield tuple("/" + "/".join(parts[begin:]) for begin in range(1, min(len(parts), 8)))


def _rust_module(match: re.Match[bytes]) -> _Readings:
    name = _text(match[1])
    yield f"./*/{name}", f"./{name}"


def _rust_names(match: re.Match[bytes]) -> _Readings:
    base = _text(match[1])
    names = [base]
    if match[2] is not None:
        names = [base + _text(item).strip() for item in match[2].split(b",")]
    for name in names:
        parts = [part for part in name.split("::") if part]
        yield tuple("/".join(parts[:end]) for end in _ends(len(parts), least=1))


def _ruby_library(match: re.Match[bytes]) -> _Readings:
    name = _text(match[2])
    if match[1] is not None:
        yield ("./" + name,)
    else:
        # The folders that are looked in where nothing else is said.
        yield tuple(f"{folder}/{name}" for folder in ("lib", "test", "spec"))


def _php_class(match: re.Match[bytes]) -> _Readings:
    """A class of which the first names may stand for a folder of another name (PSR-4)."""
    parts = [part for part in _text(match[1]).split("\\") if part]
    yield tuple("/".join(parts[begin:]) for begin in range(min(len(parts) - 1, 3)))


def _ends(count: int, least: int) -> range:
    """The longest three of the beginnings of so many parts, none shorter than the least."""
    return range(count, max(count - 3, least - 1), -1)


def _rule(
    pattern: bytes,
    read: Callable[[re.Match[bytes]], _Readings],
    before: re.Pattern[bytes] | None = None,
) -> _Rule:
    return _Rule(re.compile(pattern), read, before)


_COMPILED = re.compile(r"\.[mc]?jsx?\Z")
_QUOTED_RELATIVE = rb"""["'](\.{1,2}+(?:/[^"'\n\\]{0,200}+)?+)["']"""
_QUOTED = rb"""["']([^"'\n]{1,200}+)["']"""
_RUST_BEFORE = re.compile(rb"[ \t]*(?:pub(?:\([^()]*\))?[ \t]+)?")
_GO_BEFORE = re.compile(rb"[ \t]*(?:import[ \t]*\(?[ \t]*)?(?:[\w.]+[ \t]+)?")
_INDENTED = re.compile(rb"[ \t]*")

_OF_PYTHON = (
    _rule(rb"import[ \t]++(" + _STATEMENT + rb")", _python_modules, _BEGINS_STATEMENT),
    _rule(
        # No word that goes on with this one is scanned again.
        rb"from(?<![\w.\x80-\xff]from)[ \t]*+(\.{0,32}+)([\w.\x80-\xff]{0,200}+)[ \t]*+import\b"
        rb"[ \t]*+(?:\(((?:[^)#]++|#[^\n]*+)*+)|(" + _STATEMENT + rb"))",
        _python_members,
        _BEGINS_STATEMENT,
    ),
)
_OF_C = (
    _rule(
        # Between angle brackets only what is in a folder; all else is of the system.
        rb'#[ \t]*+(?:include|import)[ \t]*+(?:"([^"\n]{1,200}+)"'
        rb"|<([^/>\n]{1,100}+/[^>\n]{1,100}+)>)",
        _included,
        _INDENTED,
    ),
)
_OF_JAVASCRIPT = (
    _rule(rb"from(?<![\w$]from)\s{0,20}+" + _QUOTED_RELATIVE, _javascript_path),
    _rule(rb"import(?<![\w$]import)\s{0,20}+\(?+\s{0,20}+" + _QUOTED_RELATIVE, _javascript_path),
    _rule(rb"require(?<![\w$]require)\s{0,20}+\(\s{0,20}+" + _QUOTED_RELATIVE, _javascript_path),
)
_OF_JVM = (
    _rule(
        rb"import[ \t]++(?:static[ \t]++)?+((?:" + _WORD + rb"|\.){1,200}+)"
        rb"(?:\{([^{};]{0,1000}+))?+",
        _dotted,
        _BEGINS_STATEMENT,
    ),
)

_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "python": _OF_PYTHON,
    "jupyter-notebook": _OF_PYTHON,
    "c": _OF_C,
    "c++": _OF_C,
    "objective-c": _OF_C,
    "javascript": _OF_JAVASCRIPT,
    "typescript": _OF_JAVASCRIPT,
    "java": _OF_JVM,
    "kotlin": _OF_JVM,
    "scala": _OF_JVM,
    # A line of an import is a name of a package alone, with or without a name for it here.
    "go": (
        _rule(
            rb'"([\w-]++(?:\.[\w-]++)++/[\w./~-]{1,200}+)"[ \t]*+(?=[\r\n;/)]|\Z)',
            _go_package,
            _GO_BEFORE,
        ),
    ),
    "rust": (
        _rule(rb"mod[ \t]++(\w{1,100}+)[ \t]*+;", _rust_module, _RUST_BEFORE),
        _rule(
            rb"use[ \t]++crate::([\w:]{0,200}+)(?:\{([^{};]{0,1000}+))?+", _rust_names, _RUST_BEFORE
        ),
    ),
    "ruby": (
        _rule(
            rb"require(_relative)?+[ \t]*+\(?+[ \t]*+" + _QUOTED, _ruby_library, _BEGINS_STATEMENT
        ),
    ),
    "php": (
        _rule(rb"""require(?:_once)?+[^'"\n;]{0,100}+""" + _QUOTED, _included),
        _rule(rb"""include(?:_once)?+[^'"\n;]{0,100}+""" + _QUOTED, _included),
        _rule(rb"use[ \t]++\\?+([\w\x80-\xff\\]{1,200}+)", _php_class, _INDENTED),
    ),
}

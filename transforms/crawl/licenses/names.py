"""Licenses called by name, as in "released under the MIT License" or "License: GPLv3+".

Only names that mean one license are known: "BSD" alone, or "GPL" without a version, are not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from transforms.license_expressions import canonical_expression

_NOISE = frozenset({"the", "license", "licence", "licenses", "version", "software", "style", "v"})
_NAMES = {
    "MIT": ("mit", "mit/expat", "expat", "mit expat"),
    "MIT-0": ("mit 0", "mit no attribution"),
    "X11": ("mit/x11", "x11"),
    "ISC": ("isc", "iscl"),
    "0BSD": ("0bsd", "zero clause bsd", "bsd zero clause"),
    "BSD-2-Clause": ("bsd 2 clause", "2 clause bsd", "simplified bsd", "bsd simplified", "freebsd"),
    "BSD-3-Clause": (
        *("bsd 3 clause", "3 clause bsd", "bsd 3", "new bsd", "modified bsd", "revised bsd"),
        *("three clause bsd", "bsd new"),
    ),
    "Apache-2.0": ("apache 2.0", "apache 2", "apache2", "apache2.0", "asl 2.0"),
    "BSL-1.0": ("boost 1.0", "boost"),
    "MPL-1.1": ("mozilla public 1.1", "mpl 1.1"),
    "MPL-2.0": ("mozilla public 2.0", "mpl 2.0", "mpl2"),
    "PSF-2.0": ("psf", "python foundation", "psfl"),
    "Unlicense": ("unlicense",),
    "CC0-1.0": ("cc0", "cc0 1.0", "cc0 1.0 universal"),
    "ZPL-2.1": ("zpl 2.1", "zope public 2.1"),
    "Zlib": ("zlib", "zlib/libpng"),
    "WTFPL": ("wtfpl",),
    "EPL-1.0": ("eclipse public 1.0", "epl 1.0"),
    "EPL-2.0": ("eclipse public 2.0", "epl 2.0"),
    "EUPL-1.2": ("eupl 1.2", "european union public 1.2"),
}
_GNU = {
    "GPL": (("gpl", "gnu gpl", "gnu general public"), ("2", "3")),
    "LGPL": (("lgpl", "gnu lgpl", "gnu lesser general public"), ("2.1", "3")),
    "AGPL": (("agpl", "gnu agpl", "gnu affero general public"), ("3",)),
}
_LONGEST = 8
_WORD = re.compile(r"[a-z0-9][a-z0-9.+/]*")
# A bound on what lies between "under" and the name keeps a long line cheap.
_INTRODUCTION = re.compile(
    r"(?:licen[sc]ed|released|distributed|available|provided|published|covered) +"
    r"(?:\w+ +){0,2}?under +(?:the +)?(?:terms +(?:and +conditions +)?of +)?(?:the +)?"
    r"|subject to the +(?:terms|conditions|provisions) +of +(?:the +)?"
    r"|^\W{0,8}licen[sc]e *:+ *(?:the +)?|^\W{0,8}(?=gnu (?:lesser |affero )?general public)",
    re.IGNORECASE | re.MULTILINE,
)
_NAME_CHARACTERS = 100


def license_named(name: str) -> str | None:
    """The expression that a name or an SPDX expression stands for, if it stands for one."""
    expression = canonical_expression(name.strip())
    if expression is not None:
        return expression
    return _names().get(" ".join(_words(name)))


def licenses_mentioned(text: str) -> Iterator[str]:
    """The licenses that a text says something is under, in its order."""
    for introduction in _INTRODUCTION.finditer(text):
        found = license_titled(text[introduction.end() : introduction.end() + _NAME_CHARACTERS])
        if found is not None:
            yield found


def license_titled(text: str) -> str | None:
    """The license whose name a text begins with, the longest such name."""
    words = list(_words(text[:_NAME_CHARACTERS]))[:_LONGEST]
    for length in range(len(words), 0, -1):
        found = _names().get(" ".join(words[:length]))
        if found is not None:
            return found
    return None


def _words(name: str) -> Iterator[str]:
    for word in _WORD.findall(name.lower().replace("-", " ")):
        bare = word.rstrip(".")
        if bare not in _NOISE:
            yield bare.removeprefix("v") if bare[:2] in ("v1", "v2", "v3") else bare


@functools.cache
def _names() -> dict[str, str]:
    names = {name: key for key, known in _NAMES.items() for name in known}
    for family, (spellings, versions) in _GNU.items():
        for spelling in spellings:
            for version in versions:
                names.update(_gnu_names(family, spelling, version))
    return names


def _gnu_names(family: str, spelling: str, version: str) -> Iterator[tuple[str, str]]:
    short = version.removesuffix(".0")
    full = short if "." in short else f"{short}.0"
    for number in {short, full}:
        for joint in ("", "v", " "):
            stem = f"{spelling}{joint}{number}"
            yield stem, f"{family}-{full}-only"
            for later in ("+", " or later", " or any later", " or newer"):
                yield f"{stem}{later}", f"{family}-{full}-or-later"

"""License texts and notices within a text, by the `licenseclassifier` library."""

from __future__ import annotations

import hashlib
import importlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transforms.license_expressions import canonical_expression

MAX_REMEMBERED = 8192
MAX_SCANNED_CHARACTERS = 4 << 20
"""After so many characters the library starts afresh: its automaton only grows, by as much
as 80 bytes a character of text that it has not met."""


@dataclass(frozen=True)
class Region:
    """A part of a text, in characters, that is the text, notice or address of a license."""

    license: str
    start: int
    end: int
    is_link: bool


class Matcher:
    """Finds licenses in texts; remembers what it found, and how much it had to read for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[Region, ...]] = {}
        self._identify: Callable[[str, float], list[Any]] | None = None
        self._scanned = 0

    def regions(self, text: str) -> tuple[Region, ...]:
        """The licenses in a text, in order, without overlaps."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._known.get(key)
        if known is not None:
            return known
        with self._lock:
            found = tuple(_region(match, text) for match in self._scan(text))
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found

    def _scan(self, text: str) -> list[Any]:
        if self._identify is None or self._scanned + len(text) > MAX_SCANNED_CHARACTERS:
            self._identify, self._scanned = _load(), 0
        self._scanned += len(text)
        return self._identify(text, 0.0)


def _load() -> Callable[[str, float], list[Any]]:
    """The library as just started: only a module that is loaded anew forgets its automaton."""
    package = "licenseclassifier"
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]
    identify: Callable[[str, float], list[Any]] = importlib.import_module(package).identify_license
    return identify


def _region(match: Any, text: str) -> Region:
    name = canonical_expression(match.id) or f"LicenseRef-{match.id}"
    is_link = text.startswith(("http://", "https://"), match.start)
    return Region(name, match.start, match.end, is_link)


_MATCHER = Matcher()


def find_regions(text: str) -> tuple[Region, ...]:
    """The licenses in a text, in order, without overlaps; quick for a text met before."""
    return _MATCHER.regions(text)

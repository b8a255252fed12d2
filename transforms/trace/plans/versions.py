"""Versions of Python as configurations name them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(
    r"(?:c?python|py)?-?(?P<major>[23])\.(?P<minor>\d{1,2})(?:\.\S{1,12})?t?\S{0,5}"
)
_FACTOR = re.compile(r"(?:py|python)(?P<major>[23])\.?(?P<minor>\d{1,2})")


def interpreter_version(text: str) -> str | None:
    """The version that a name such as "3.12", "3.13-dev" or "py312" means, None for others.

    Those of other interpreters than CPython, and free-threaded ones, are none.
    """
    text = text.strip().lower()
    if "pypy" in text or re.search(r"\dt(?:-|$)", text[:20]):
        return None
    match = _VERSION.fullmatch(text) or _FACTOR.fullmatch(text)
    return f"{int(match['major'])}.{int(match['minor'])}" if match else None


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    """Distinct versions of the form "3.12", the newest first."""
    return tuple(sorted(set(versions), key=lambda text: [int(n) for n in text.split(".")])[::-1])

"""Records that a tracer left in a folder: functions and the distinct calls of them.

Whoever wrote them may have been anybody: files are opened only if they are regular, and
everything is bounded and checked. A line that is no record is skipped, since a process may
have ended in the middle of one.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from transforms.trace.snapshots import Snapshot, SnapshotError, check_snapshot

MOST_FILES = 10_000
MOST_BYTES = 1 << 30
"""Of all files together."""

MOST_LINE = 1 << 18
MOST_FUNCTIONS = 20_000
MOST_CALLS = 20
"""Distinct ones that are kept of a function."""

_MOST_REASONS = 50
_PROGRAM = "__main__"
_MOST_NAME = 500
_MOST_COUNT = 1 << 40


class Kind(StrEnum):
    """What a function is called on, or why it is not one to call."""

    FUNCTION = "function"
    METHOD = "method"
    STATIC_METHOD = "static_method"
    CLASS_METHOD = "class_method"
    PROPERTY = "property"
    NESTED = "nested"
    COROUTINE = "coroutine"


@dataclass(frozen=True, order=True)
class Function:
    """A function of a project.

    ``line`` is its first one, which is that of its first decorator. ``generator``: it yields.
    ``decorated``: its name does not stand for the function itself but for what decorators made.
    """

    file: str
    module: str
    qualname: str
    line: int
    kind: Kind
    generator: bool = False
    decorated: bool = False


@dataclass(frozen=True)
class Call:
    """The arguments of a call before it, without those that have their defaults.

    ``receiver`` is the object whose method was called; None for all that are no methods.
    """

    arguments: tuple[Snapshot, ...]
    keywords: tuple[tuple[str, Snapshot], ...]
    receiver: Snapshot | None = None
    has_receiver: bool = False


@dataclass(frozen=True)
class TracedFunction:
    """A function with distinct calls of it, in the order in which they were first made.

    ``seen`` counts calls, at least; tracing of a function ends early. ``opaque`` has reasons
    why calls could not be recorded, mostly names of types, with their counts at least.
    """

    function: Function
    calls: tuple[Call, ...]
    seen: int
    opaque: tuple[tuple[str, int], ...]


def read_records(folder: Path, roots: Mapping[str, str]) -> tuple[TracedFunction, ...]:
    """What all processes recorded, merged over sorted files, ordered by file and line.

    ``roots`` are folders as the tracer saw them, each with what takes its place in paths:
    nothing, or the path of a folder. Functions of other folders are left out.
    """
    merged: dict[Function, _Merged] = {}
    left = MOST_BYTES
    for path in _files(folder):
        reader = _Reader(roots, merged)
        for line in _lines(path, left):
            left -= len(line)
            reader.read(line)
    _merge_programs(merged)
    return tuple(merged[function].freeze() for function in sorted(merged))


def _merge_programs(merged: dict[Function, _Merged]) -> None:
    """A module that was run as a program is the same that others import, where any do."""
    imported = {replace(each, module=""): each for each in merged if each.module != _PROGRAM}
    for function in [each for each in merged if each.module == _PROGRAM]:
        same = imported.get(replace(function, module=""))
        if same is not None:
            merged[same].add(merged.pop(function))


def _files(folder: Path) -> list[Path]:
    names = []
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= MOST_FILES:
                break
            if entry.name.startswith("calls-") and entry.name.endswith(".jsonl"):
                names.append(entry.name)
    return [folder / name for name in sorted(names, key=_natural)]


def _natural(name: str) -> tuple[list[int], str]:
    """Processes in the order of their numbers, which is mostly that in which they started."""
    parts = name.removesuffix(".jsonl").split("-")[1:]
    return [int(part) for part in parts if part.isascii() and part.isdigit()][:2], name


def _lines(path: Path, most_bytes: int) -> Iterator[bytes]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return
    with open(handle, "rb") as file:  # noqa: PTH123 (of a handle)
        is_whole = True
        while most_bytes > 0 and (line := file.readline(MOST_LINE)):
            most_bytes -= len(line)
            ends = line.endswith(b"\n")
            if is_whole and ends:
                yield line
            is_whole = ends


@dataclass
class _Merged:
    """A function with what several processes recorded of it."""

    function: Function
    calls: dict[str, Call] = field(default_factory=dict)
    seen: int = 0
    opaque: Counter[str] = field(default_factory=Counter)

    def freeze(self) -> TracedFunction:
        """What there is, without more."""
        opaque = tuple(sorted(self.opaque.items(), key=lambda each: (-each[1], each[0])))
        calls = tuple(self.calls[key] for key in islice(self.calls, MOST_CALLS))
        return TracedFunction(self.function, calls, max(self.seen, len(calls)), opaque)

    def add(self, other: _Merged) -> None:
        """Adds what was recorded of the same function under another name."""
        self.calls = {**other.calls, **self.calls}
        self.seen += other.seen
        self.opaque += other.opaque


class _Reader:
    """Reads the lines of one file, in which functions have numbers."""

    def __init__(self, roots: Mapping[str, str], merged: dict[Function, _Merged]) -> None:
        self._roots = roots
        self._merged = merged
        self._numbered: dict[int, _Merged] = {}
        self._counts: dict[tuple[int, str], int] = {}

    def read(self, line: bytes) -> None:
        """Takes a line, unless it is no record."""
        try:
            record = json.loads(line)
            ((tag, content),) = record.items()
            if tag == "function":
                self._define(*content)
            elif tag == "call":
                self._call(*content)
            elif tag == "seen":
                number, count = content
                self._numbered[number].seen += self._more(number, "", count)
            elif tag == "opaque":
                number, reason, count = content
                self._refuse(number, reason, count)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return

    def _define(
        self, number: Any, path: Any, module: Any, qualname: Any, line: Any, kind: Any, *flags: Any
    ) -> None:
        generator, decorated = flags
        function = Function(
            self._place(_checked(path)),
            _checked(module),
            _checked(qualname),
            _count(line),
            Kind(kind),
            generator is True,
            decorated is True,
        )
        if function not in self._merged and len(self._merged) >= MOST_FUNCTIONS:
            return
        self._numbered[_count(number)] = self._merged.setdefault(function, _Merged(function))

    def _place(self, path: str) -> str:
        """The path as ``roots`` say, the longest of them first."""
        for root in sorted(self._roots, key=len, reverse=True):
            if path == root or path.startswith(root.rstrip("/") + "/"):
                inner = PurePosixPath(path).relative_to(root)
                if ".." in inner.parts:
                    break
                return str(PurePosixPath(self._roots[root]) / inner)
        raise ValueError("a file of no root")

    def _call(self, number: Any, receiver: Any, positional: Any, keywords: Any) -> None:
        merged = self._numbered[number]
        if len(merged.calls) >= MOST_CALLS:
            return
        key = json.dumps([receiver, positional, keywords], separators=(",", ":"))
        if key in merged.calls:
            return
        (held,) = receiver or [None]
        merged.calls[key] = Call(
            tuple(map(check_snapshot, positional)),
            tuple((_keyword(name), check_snapshot(value)) for name, value in keywords),
            check_snapshot(held),
            bool(receiver),
        )

    def _refuse(self, number: Any, reason: Any, count: Any) -> None:
        opaque = self._numbered[number].opaque
        if reason in opaque or len(opaque) < _MOST_REASONS:
            opaque[_checked(reason)] += self._more(number, reason, count)

    def _more(self, number: int, reason: str, count: Any) -> int:
        """How many more there are than the file said before: it tells totals."""
        before = self._counts.get((number, reason), 0)
        total = max(before, _count(count))
        self._counts[number, reason] = total
        return total - before


def _checked(text: object) -> str:
    if type(text) is not str or not 0 < len(text) <= _MOST_NAME or not text.isprintable():
        raise SnapshotError(f"no name: {text!r:.60}")
    return text


def _keyword(name: object) -> str:
    if type(name) is not str or not name.isidentifier():
        raise SnapshotError(f"no keyword: {name!r:.60}")
    return name


def _count(number: object) -> int:
    if type(number) is not int or not 0 <= number < _MOST_COUNT:
        raise SnapshotError(f"no count: {number!r:.60}")
    return number

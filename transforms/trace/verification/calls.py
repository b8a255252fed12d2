"""Recorded calls as source text, in the names that a lifted program has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, Protocol

from transforms.trace.snapshots import Expression, Snapshot, SnapshotError, expression
from transforms.trace.verification.answers import canonical
from transforms.trace.verification.driver import PROGRAM

_OWN = frozenset({PROGRAM})


class RecordedCall(Protocol):
    """What is needed of a call, as `records.Call` has it."""

    @property
    def arguments(self) -> tuple[Snapshot, ...]:
        """Positional ones."""

    @property
    def keywords(self) -> tuple[tuple[str, Snapshot], ...]:
        """Those with names."""

    @property
    def receiver(self) -> Snapshot | None:
        """The object whose method is called, before the call."""


@dataclass(frozen=True)
class WrittenCall:
    """A call as text."""

    place: int
    """Among the calls given."""

    arguments: tuple[str, ...]
    """Expressions, that of a receiver first."""

    keywords: tuple[tuple[str, str], ...]
    modules: frozenset[str]
    own: frozenset[str]
    """Names of the program's in them."""

    key: str
    """The same for equal arguments, whatever the program's names."""

    def text(self, replaced: Mapping[int, str] | None = None) -> str:
        """What stands between the parentheses, with other text for some arguments."""
        names = [f"{name}=" for name, _ in self.keywords]
        before = [*([""] * len(self.arguments)), *names]
        texts = [*self.arguments, *(text for _, text in self.keywords)]
        replaced = replaced or {}
        return ", ".join(
            f"{name}{replaced.get(at, text)}"
            for at, (name, text) in enumerate(zip(before, texts, strict=True))
        )

    def pair(self) -> str:
        """An expression of a tuple of arguments and a dictionary of keyword arguments."""
        keywords = ", ".join(f"{name!r}: {text}" for name, text in self.keywords)
        return f"(({''.join(f'{text}, ' for text in self.arguments)}), {{{keywords}}})"

    def __len__(self) -> int:
        return len(self.arguments) + len(self.keywords)


def write_calls(
    calls: Sequence[RecordedCall], own_names: Mapping[str, str], *, receiver: bool
) -> list[WrittenCall]:
    """Those distinct calls that can be written, in their order."""
    found: dict[str, WrittenCall] = {}
    for place, call in enumerate(calls):
        try:
            written = _write_call(place, call, own_names, receiver=receiver)
        except SnapshotError:
            continue
        found.setdefault(written.key, written)
    return list(found.values())


def write_value(tree: Snapshot) -> Expression:
    """The expression of what a program gave, in whose names it is.

    Raises:
      SnapshotError: there is none.
    """
    return expression(tree, _OWN)


def _write_call(
    place: int, call: RecordedCall, own_names: Mapping[str, str], *, receiver: bool
) -> WrittenCall:
    given = [*([call.receiver] if receiver else []), *call.arguments]
    names = [name for name, _ in call.keywords]
    if not all(name.isidentifier() and not iskeyword(name) for name in names):
        raise SnapshotError("a keyword that is no name")
    trees = [_renamed(tree, own_names) for tree in (*given, *(each for _, each in call.keywords))]
    written = [write_value(tree) for tree in trees]
    modules = frozenset[str]().union(*(each.modules for each in written))
    own = frozenset(name for each in written for name in _own_of(each))
    if own & {name.partition(".")[0] for name in modules}:
        raise SnapshotError("a name of the program's and a module are called the same")
    texts = [each.text for each in written]
    count = len(given)
    return WrittenCall(
        place=place,
        arguments=tuple(texts[:count]),
        keywords=tuple(zip(names, texts[count:], strict=True)),
        modules=modules,
        own=own,
        key=canonical([trees[:count], sorted(zip(names, trees[count:], strict=True))]),
    )


def _own_of(written: Expression) -> Iterable[str]:
    return (name.partition(":")[2].partition(".")[0] for name in written.own)


def _renamed(tree: Any, own_names: Mapping[str, str]) -> Any:
    """The snapshot in the names of the program; raises `SnapshotError` where it has none."""
    if isinstance(tree, list):
        return [_renamed(each, own_names) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if isinstance(name := tree.get("name"), str):
        return {"name": _new_name(name, own_names)}
    if isinstance(called := tree.get("call"), list) and len(called) == 3:
        name, positional, keywords = called
        if isinstance(name, str) and isinstance(keywords, dict):
            values = {key: _renamed(each, own_names) for key, each in keywords.items()}
            new = _new_name(name, own_names)
            return {"call": [new, _renamed(positional, own_names), values]}
    return {key: _renamed(each, own_names) for key, each in tree.items()}


def _new_name(name: str, own_names: Mapping[str, str]) -> str:
    """A name that the program has for a thing, or for what it is an attribute of."""
    head, attributes = name, ""
    while head not in own_names and "." in head.partition(":")[2]:
        head, _, last = head.rpartition(".")
        attributes = f".{last}{attributes}"
    return f"{PROGRAM}:{own_names[head]}{attributes}" if head in own_names else name

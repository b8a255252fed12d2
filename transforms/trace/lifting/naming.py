"""Naming: one namespace for what comes from several modules."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from keyword import iskeyword

from transforms.trace.lifting.forms import Entry
from transforms.trace.lifting.needs import Link, Needs
from transforms.trace.lifting.pieces import Piece
from transforms.trace.lifting.resolution import BUILTINS, Builtin, Foreign, Own, Target
from transforms.trace.lifting.results import LiftError, LiftReason

Key = Own | tuple[str, ...]
"""What has one name in a program."""


class Names:
    """What everything in a program is called.

    Names stay what they are where nothing else has them, those of the function's own module
    first; else the module's name is put in front. A name that stands in for an attribute must
    not be one of a local variable there.

    Raises:
      LiftError: something cannot get a name.
    """

    def __init__(self, needs: Needs, pieces: Sequence[Piece]) -> None:
        self._taken: dict[str, Key] = {}
        self._names: dict[Key, str] = {}
        self._links: dict[Key, list[Link]] = {}
        for link in needs.links:
            self._links.setdefault(_key(link.target), []).append(link)
            if isinstance(link.target, Builtin):
                self._take(_key(link.target), link.target.name)
        if not needs.entry.stands_apart:
            self._name_entry(needs)
        for foreign in needs.foreign:
            self._name(foreign)
        for piece in sorted(pieces, key=lambda each: each.module != needs.entry.piece.module):
            for bound in sorted(piece.binds):
                self._name(Own(piece.module, bound))
        for link in needs.links:
            if isinstance(link.target, Own):
                self._name(link.target)
        self.function = self._function_name(needs)
        """What the function is called that is lifted."""

    def of(self, target: Target) -> str:
        """What something is called."""
        return self._names[_key(target)]

    def has(self, target: Target) -> bool:
        """Whether something is in the program."""
        return _key(target) in self._names

    def all(self) -> frozenset[str]:
        """All names of the program, those of builtins that it uses among them."""
        return frozenset(self._taken)

    def _name_entry(self, needs: Needs) -> None:
        key = needs.entry.key
        if not self._fits(key, key.name):
            raise LiftError(LiftReason.NAME_COLLISION, key.name)
        self._take(key, key.name)

    def _function_name(self, needs: Needs) -> str:
        """Its own name, or another where its class needs something else of that name."""
        name = needs.entry.function.name
        if needs.entry.stands_apart:
            fitting = (
                each for each in _names_apart(needs.entry) if self._fits(needs.entry.key, each)
            )
        elif needs.has_stand_in:
            taken = {each for piece in needs.units for unit in piece.units for each in unit.bound}
            private, bare = "_" * name.startswith("_"), name.strip("_")
            verbs = (f"{private}{verb}_{bare}" for verb in ("get", "find"))
            fitting = (each for each in verbs if each not in taken | needs.attributes)
        else:
            return name
        found = next(fitting, None)
        if found is None:
            raise LiftError(LiftReason.NAME_COLLISION, name)
        self._taken[found] = needs.entry.key
        return found

    def _name(self, target: Target) -> None:
        key = _key(target)
        if key in self._names:
            return
        for name in _candidates(target):
            if self._fits(key, name):
                self._take(key, name)
                return
        raise LiftError(LiftReason.NAME_COLLISION, str(next(iter(_candidates(target)))))

    def _take(self, key: Key, name: str) -> None:
        self._taken[name] = key
        self._names[key] = name

    def _fits(self, key: Key, name: str) -> bool:
        if self._taken.get(name, key) != key:
            return False
        return not any(
            name in link.use.local_names
            for link in self._links.get(key, ())
            if link.taken or link.use.name != name or link.use.is_assigned
        )


def _names_apart(entry: Entry) -> Iterator[str]:
    """Names for a method that stands behind its class."""
    name = entry.function.name
    bare = name.strip("_") if name.endswith("__") else name
    for wanted in (bare, f"{_snake(entry.name)}_{bare.lstrip('_')}"):
        is_taken = wanted in BUILTINS or wanted in sys.stdlib_module_names
        if wanted.isidentifier() and not iskeyword(wanted) and not is_taken:
            yield wanted


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_").lower()


def _key(target: Target) -> Key:
    if isinstance(target, Own):
        return target
    if isinstance(target, Builtin):
        return ("builtin", target.name)
    if isinstance(target, Foreign):
        is_plain = target.attribute is None and target.module.partition(".")[0] == target.alias
        if is_plain or target.alias == "*":
            return ("plain", target.alias)
        return (target.alias, target.module, target.attribute or "")
    raise LiftError(LiftReason.MODULE_AS_VALUE, target.name)


def _candidates(target: Target) -> Iterable[str]:
    if isinstance(target, Own):
        wanted, module = target.name, target.module
    elif isinstance(target, Foreign):
        wanted, module = target.alias, target.module
    else:
        return [target.name]
    stem = module.rpartition(".")[2].strip("_<>") or "own"
    prefix = "_" if wanted.startswith("_") else ""
    base = f"{prefix}{stem}_{wanted.lstrip('_')}"
    return [wanted, base, *(f"{base}_{number}" for number in range(2, 20))]

"""Tables of an LL(1) parser from a grammar: a deterministic automaton for each rule.

The construction is that of Python's old parser generator: the right side of a rule becomes
an automaton whose transitions are kinds of tokens and rules (Aho, Sethi, Ullman: Compilers,
sections 3.7 and 4.4); in each state a token decides whether it is consumed, which rule
begins, or that the rule is over.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from transforms.parse.grammar import GRAMMAR
from transforms.parse.tokens import KINDS

TERMINALS = (*KINDS, "WITH_ROUND")
FAIL, LEAVE, SHIFT, ENTER = 0, 1, 2, 1 << 12
"""An entry is `FAIL`, `LEAVE`, `SHIFT` + the next state, or `ENTER` + the place of a call."""


class GrammarError(ValueError):
    """A grammar is not one, or one token does not decide."""


@dataclass(frozen=True)
class Tables:
    """The automatons of all rules, their states numbered throughout; 0 is the first rule's.

    ``actions`` int32[states, terminals]; ``calls`` int32[calls, 2] the first state of the
    rule that is entered and the state behind it; ``rules`` int32[states] whose state it is.
    """

    actions: npt.NDArray[np.int32]
    calls: npt.NDArray[np.int32]
    rules: npt.NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(eq=False)
class _Node:
    """A state of an automaton that may go on in several ways, or by nothing at all."""

    moves: list[tuple[str, _Node]] = field(default_factory=list)
    skips: list[_Node] = field(default_factory=list)


@functools.cache
def python_tables() -> Tables:
    """The tables of Python's grammar."""
    return make_tables(GRAMMAR)


def make_tables(grammar: str) -> Tables:
    """The tables of a grammar; raises `GrammarError`."""
    sides: dict[str, str] = {}
    for rule in re.split(r"\n(?=\w)", grammar.strip()):
        name, _, sides[name] = rule.partition(": ")
    automatons = {name: _determine(*_Side(side).read()) for name, side in sides.items()}
    firsts: dict[str, frozenset[str]] = {}
    for name in automatons:
        _first(name, automatons, firsts)
    begins = np.cumsum([0, *map(len, automatons.values())])
    starts = {name: int(begin) for name, begin in zip(automatons, begins, strict=False)}
    actions = np.full((int(begins[-1]), len(TERMINALS)), FAIL, np.int32)
    calls: list[tuple[int, int]] = []
    rules = []
    for number, (name, states) in enumerate(automatons.items()):
        for place, (moves, final) in enumerate(states):
            rules.append(number)
            row = actions[starts[name] + place]
            if final:
                row[:] = LEAVE
            taken: set[str] = set()
            for label, target in moves.items():
                accepted = _first(label, automatons, firsts)
                if taken & accepted:
                    raise GrammarError(f"in {name}, {sorted(taken & accepted)} begin two ways")
                taken |= accepted
                value = SHIFT + starts[name] + target
                if label in starts:
                    value = ENTER + len(calls)
                    calls.append((starts[label], starts[name] + target))
                row[[TERMINALS.index(kind) for kind in accepted]] = value
    return Tables(actions, np.array(calls, np.int32), np.array(rules, np.int32), tuple(automatons))


class _Side:
    """Reads the right side of a rule."""

    def __init__(self, text: str) -> None:
        self._words = re.findall(r"'[^']+'|\w+|\S", text)

    def read(self) -> tuple[_Node, _Node]:
        """The first and the last state."""
        ends = self._alternatives()
        if self._words:
            raise GrammarError(f"{self._words[0]!r} is not expected")
        return ends

    def _alternatives(self) -> tuple[_Node, _Node]:
        first, last = _Node(), _Node()
        while True:
            begin, end = self._sequence()
            first.skips.append(begin)
            end.skips.append(last)
            if self._words[:1] != ["|"]:
                return first, last
            self._words.pop(0)

    def _sequence(self) -> tuple[_Node, _Node]:
        first = last = _Node()
        while self._words and self._words[0] not in ("|", ")", "]"):
            begin, end = self._item()
            last.skips.append(begin)
            last = end
        return first, last

    def _item(self) -> tuple[_Node, _Node]:
        word = self._words.pop(0)
        if word in ("(", "["):
            first, last = self._alternatives()
            self._words.pop(0)
            if word == "[":
                first.skips.append(last)
        else:
            first, last = _Node(), _Node()
            first.moves.append((word, last))
        if self._words[:1] in (["*"], ["+"]):
            last.skips.append(first)
            if self._words.pop(0) == "*":
                first.skips.append(last)
        return first, last


_States = list[tuple[dict[str, int], bool]]


def _determine(first: _Node, last: _Node) -> _States:
    """The automaton in which each symbol leads to one state: moves, and whether it may end."""
    found = {_closure([first]): 0}
    queue = list(found)
    states: _States = []
    for nodes in queue:
        by_label: dict[str, list[_Node]] = {}
        for label, target in _moves(nodes):
            by_label.setdefault(label, []).append(target)
        moves = {}
        for label, targets in by_label.items():
            reached = _closure(targets)
            if reached not in found:
                found[reached] = len(found)
                queue.append(reached)
            moves[label] = found[reached]
        states.append((moves, last in nodes))
    return states


def _moves(nodes: tuple[_Node, ...]) -> Iterator[tuple[str, _Node]]:
    for node in nodes:
        yield from node.moves


def _closure(nodes: list[_Node]) -> tuple[_Node, ...]:
    """All states that are reached by nothing, in an order that does not depend on addresses."""
    reached = list(dict.fromkeys(nodes))
    for node in reached:
        reached += [skip for skip in node.skips if skip not in reached]
    return tuple(reached)


def _first(
    name: str, automatons: Mapping[str, _States], firsts: dict[str, frozenset[str]]
) -> frozenset[str]:
    """The kinds of tokens that begin a rule."""
    if name not in automatons:
        # Quotes tell the keyword from the rule of the same name.
        kind = name.strip("'")
        if kind not in TERMINALS:
            raise GrammarError(f"{name} is neither a rule nor a kind of token")
        return frozenset([kind])
    if name not in firsts:
        moves = automatons[name][0][0]
        firsts[name] = frozenset().union(*(_first(label, automatons, firsts) for label in moves))
    return firsts[name]

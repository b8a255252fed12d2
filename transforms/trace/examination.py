"""From traced functions to problems: each is lifted, verified and described, or says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.sandbox.process import SandboxError
from transforms.trace.lifting import Lifted, Sources, lift
from transforms.trace.lifting.measures import measure
from transforms.trace.modules import find_modules
from transforms.trace.records import Call, TracedFunction
from transforms.trace.snapshots import own_names
from transforms.trace.verification import (
    BenchmarkProblem,
    Benchmarks,
    Verified,
    Verifier,
    fingerprints,
)

UNEXPECTED = "unexpected"
"""The reason of a function on which repomill itself fails: a defect, worth a report."""


@dataclass(frozen=True)
class Examined:
    """A traced function and what became of it.

    ``problem`` has the columns of ``functions`` that only problems have; it is empty where
    there is a ``reason``.
    """

    traced: TracedFunction
    reason: str | None
    detail: str = ""
    problem: Mapping[str, Any] = field(default_factory=dict)


class Examiner:
    """Examines the functions of one repository after another.

    Args:
      verifier: is open.
      packages: that problems may import besides the standard library.
      benchmarks: problems that none is to be.
    """

    def __init__(
        self, verifier: Verifier, packages: Sequence[str], benchmarks: Sequence[BenchmarkProblem]
    ) -> None:
        self._verifier = verifier
        self._packages = frozenset(packages)
        self._benchmarks = Benchmarks(benchmarks)

    def examine(
        self, files: Mapping[str, bytes], traced: Sequence[TracedFunction]
    ) -> Iterator[Examined]:
        """What became of the functions of a repository, in their order."""
        sources = Sources(find_modules(files, (each.function for each in traced)))
        for each in traced:
            try:
                yield self._examine(sources, each)
            except (SandboxError, MemoryError, OSError):
                raise
            except Exception as error:
                yield Examined(each, UNEXPECTED, f"{type(error).__name__}: {error}"[:300])

    def _examine(self, sources: Sources, traced: TracedFunction) -> Examined:
        needed = frozenset().union(*map(_names_in, traced.calls))
        lifted = lift(sources, traced.function, needed, self._packages)
        if not isinstance(lifted, Lifted):
            return Examined(traced, str(lifted.reason), lifted.detail)
        verified = self._verifier.verify(lifted, traced.calls)
        if not isinstance(verified, Verified):
            return Examined(traced, str(verified.reason), verified.detail)
        match = self._verifier.find_benchmark(lifted, self._benchmarks)
        benchmark = f"{match.name} ({match.likeness})" if match else None
        return Examined(traced, None, problem=_columns(lifted, verified, benchmark))


def _names_in(call: Call) -> frozenset[str]:
    values = [*call.arguments, *(value for _, value in call.keywords)]
    receiver = [call.receiver] if call.has_receiver else []
    return frozenset().union(*map(own_names, [*values, *receiver]))


def _columns(lifted: Lifted, verified: Verified, benchmark: str | None) -> dict[str, Any]:
    evidence = verified.evidence
    measures = measure(lifted)
    program = lifted.prompt + lifted.body
    marks = fingerprints(program, lifted.entry_point, verified.behavior)
    return {
        "entry_point": lifted.entry_point,
        "docstring": lifted.docstring,
        "prompt": lifted.prompt,
        "prompt_without_docstring": lifted.prompt_without_docstring,
        "body": lifted.body,
        "test": verified.test,
        "cases": evidence.calls_tested,
        "replays": evidence.replays_passed,
        "line_coverage": _share(evidence.lines_covered, evidence.lines),
        "branch_coverage": _share(evidence.branches_covered, evidence.branches),
        "mutants": evidence.mutants_tried,
        "mutants_killed": evidence.mutants_killed,
        "body_lines": measures.lines,
        "complexity": measures.complexity,
        "packages": [],
        "benchmark": benchmark,
        "text_fingerprint": marks.text or None,
        "behavior_fingerprint": marks.behavior,
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0

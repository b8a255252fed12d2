"""Rules: how difficult and how well tested a function has to be that becomes a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.problems import NOT_VERIFIED, Rejection
from transforms.collect.pass_rates import PassRates
from transforms.collect.rows import task_id

LEAST_MUTANTS = 3
"""Of fewer it says little how many the test tells from the function."""


@dataclass(frozen=True)
class Rules:
    """What keeps verified functions from being problems.

    Lines are those of the reference solution, complexity is cyclomatic (McCabe, 1976), and
    coverage and mutants are of its lines. With ``contaminated`` functions stay that are a
    problem of a benchmark.
    """

    max_body_lines: int
    min_complexity: int
    max_complexity: int
    max_prompt_characters: int
    min_line_coverage: float
    min_mutants_killed: float
    contaminated: bool = False
    pass_rates: PassRates | None = None

    def __post_init__(self) -> None:
        if self.min_complexity > self.max_complexity:
            raise ValueError(
                f"min_complexity must be at most max_complexity ({self.max_complexity}), "
                f"got {self.min_complexity}"
            )

    def rejection(self, function: dict[str, Any]) -> str | None:
        """What keeps a row of functions from being a problem by itself."""
        if function["reason"] is not None:
            return NOT_VERIFIED
        if function["benchmark"] is not None and not self.contaminated:
            return Rejection.CONTAMINATED
        return self._size(function) or self._test(function) or self._difficulty(function)

    def _size(self, function: dict[str, Any]) -> Rejection | None:
        if function["body_lines"] > self.max_body_lines:
            return Rejection.BODY_TOO_LONG
        is_long = len(function["prompt"]) > self.max_prompt_characters
        return Rejection.PROMPT_TOO_LONG if is_long else None

    def _test(self, function: dict[str, Any]) -> Rejection | None:
        if function["line_coverage"] < self.min_line_coverage:
            return Rejection.COVERS_LITTLE
        mutants, killed = function["mutants"], function["mutants_killed"]
        is_weak = mutants >= LEAST_MUTANTS and killed < self.min_mutants_killed * mutants
        return Rejection.PASSES_MUTANTS if is_weak else None

    def _difficulty(self, function: dict[str, Any]) -> Rejection | None:
        if function["complexity"] < self.min_complexity:
            return Rejection.TOO_SIMPLE
        if function["complexity"] > self.max_complexity:
            return Rejection.TOO_COMPLEX
        return self.pass_rates.rejection(task_id(function)) if self.pass_rates else None

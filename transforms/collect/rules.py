"""Rules: how difficult a function may be that becomes a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.problems import NOT_VERIFIED, Rejection


@dataclass(frozen=True)
class Difficulty:
    """Lines of the reference solution, and its cyclomatic complexity (McCabe, 1976).

    With ``contaminated`` functions stay that are a problem of a benchmark.
    """

    max_body_lines: int
    min_complexity: int
    max_complexity: int
    contaminated: bool = False

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
        if function["body_lines"] > self.max_body_lines:
            return Rejection.BODY_TOO_LONG
        if function["complexity"] < self.min_complexity:
            return Rejection.TOO_SIMPLE
        if function["complexity"] > self.max_complexity:
            return Rejection.TOO_COMPLEX
        return None

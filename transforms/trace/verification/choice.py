"""Choice of the calls that become a test: they cover the body, and are short."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.trace.verification.answers import Body, canonical
from transforms.trace.verification.checks import Case

MOST_CASES = 10
ENOUGH_CASES = 7
"""As many are filled up with short ones; HumanEval has 7.7 on average (arXiv 2107.03374)."""

LEAST_CASES = 3
LEAST_COVERING_CASES = 2
"""So few are enough where they take all lines and branches."""

_LONG = 2000
"""Characters of a call, beyond which it is taken only for what it covers."""

Part = int | tuple[int, int]


def choose_cases(cases: Sequence[Case], body: Body) -> list[Case]:
    """Cases in the order in which they were called, greedily by what each adds to the cover."""
    chosen: list[Case] = []
    covered: set[Part] = set()
    left = sorted(cases, key=_size)
    while left and len(chosen) < MOST_CASES:
        best = max(left, key=lambda case: len(covered_parts(case, body) - covered))
        if not covered_parts(best, body) - covered:
            break
        chosen.append(best)
        left.remove(best)
        covered |= covered_parts(best, body)
    seen = {_outcome_key(case) for case in chosen}
    for is_news in (True, False):
        for case in list(left):
            if len(chosen) >= ENOUGH_CASES or _size(case) > _LONG:
                break
            if not is_news or _outcome_key(case) not in seen:
                seen.add(_outcome_key(case))
                chosen.append(case)
                left.remove(case)
    return sorted(chosen, key=lambda case: case.call.place)


def are_enough(cases: Sequence[Case], body: Body) -> bool:
    """Whether so many cases make a test."""
    if len(cases) >= LEAST_CASES:
        return True
    covered = set[Part]().union(*(covered_parts(case, body) for case in cases))
    return len(cases) >= LEAST_COVERING_CASES and covered >= body.lines | body.branches


def covered_parts(case: Case, body: Body) -> frozenset[Part]:
    """The lines and branches of the body that a case takes."""
    return (case.outcome.lines & body.lines) | (case.outcome.branches & body.branches)


def _size(case: Case) -> int:
    return len(case.call.text())


def _outcome_key(case: Case) -> str:
    return canonical([case.outcome.value, case.outcome.raised, list(map(list, case.outcome.after))])

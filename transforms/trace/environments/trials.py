"""Builds and runs a project, and tries again with what it was made for where that went badly.

What came out after a release may break its tests: a new pytest, a dependency that dropped
what it used. So where hardly a test passes, the environment is built once more from what
the index had shortly after the release, and at last for an older interpreter, too.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from schemas.projects import ProjectState
from transforms.trace.environments.building import (
    BuildFailed,
    BuildLimits,
    Environment,
    build_environment,
)
from transforms.trace.environments.calls import SuiteCommand
from transforms.trace.environments.interpreters import MONITORED, Interpreter
from transforms.trace.environments.needs import Needs
from transforms.trace.environments.suite import (
    SuiteLimits,
    SuiteRun,
    SuiteState,
    Tracer,
    run_suite,
)
from transforms.trace.environments.workplaces import RECORDS, Workplace

AFTER_RELEASE = datetime.timedelta(days=30)
"""By then what broke with it, or it with what, has mostly been mended."""

Serving = Callable[[datetime.date | None], AbstractContextManager[str]]
"""Serves the index without what was uploaded from a day on, and gives its address."""


@dataclass(frozen=True)
class ProjectLimits:
    """What one project may take."""

    seconds: float = 2400.0
    build: BuildLimits = field(default_factory=BuildLimits)
    suite: SuiteLimits = field(default_factory=SuiteLimits)


@dataclass(frozen=True)
class Trial:
    """One environment and what its suite did; ``records`` is a folder of the workplace."""

    before: datetime.date | None
    environment: Environment | BuildFailed
    suite: SuiteRun | None
    records: str

    @property
    def passed(self) -> int:
        """Tests that passed."""
        return self.suite.counts.passed if self.suite is not None else 0

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be gained by another trial."""
        if self.suite is None:
            return False
        counts = self.suite.counts
        found_none = self.suite.state is SuiteState.NO_TESTS
        return found_none or counts.passed > counts.failed + counts.errors

    def state(self, *, has_records: bool) -> ProjectState:
        """How far the project came, whose tracer left records or none."""
        if has_records:
            return ProjectState.TRACED
        if self.suite is None:
            return ProjectState.BUILD_FAILED
        return _STATES.get(self.suite.state, ProjectState.TESTS_FAILED_TO_START)


_STATES = {
    SuiteState.NO_TESTS: ProjectState.NO_TESTS,
    SuiteState.TIMED_OUT: ProjectState.TIMED_OUT,
    SuiteState.CUT_SHORT: ProjectState.TIMED_OUT,
}


def try_project(
    workplace: Workplace,
    interpreters: Sequence[Interpreter],
    needs: Needs,
    plans: Sequence[Sequence[SuiteCommand]],
    paths: Collection[str],
    serving: Serving,
    tracer: Tracer | None = None,
    released: datetime.date | None = None,
    limits: ProjectLimits | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Trial, ...]:
    """The trials of a project whose files lie in its workplace, the best one in front.

    Args:
      workplace: with its folders, files and settings; nothing has run in it.
      interpreters: those that it allows, the one to try first in front; not empty.
      needs: what its environment is to hold.
      plans: the commands of each of its plans, the best plan first.
      paths: of its files.
      serving: the index.
      tracer: what records the calls of its functions.
      released: when it came out, where that is known.
      limits: of all together.
      clock: seconds of a clock.
    """
    limits = limits or ProjectLimits()
    ends = clock() + limits.seconds
    trials: list[Trial] = []
    for chosen, before in _variants(interpreters, released):
        if trials and (trials[-1].is_good or clock() + limits.build.seconds > ends):
            break
        records = RECORDS[len(trials)]
        with serving(before) as url:
            built = build_environment(workplace, chosen, needs, url, limits.build, clock)
        suite = None
        if isinstance(built, Environment):
            suite = run_suite(workplace, built, plans, paths, tracer, limits.suite, records, clock)
        trials.append(Trial(before, built, suite, records))
    return tuple(sorted(trials, key=lambda trial: -trial.passed))


def _variants(
    interpreters: Sequence[Interpreter], released: datetime.date | None
) -> Iterator[tuple[Sequence[Interpreter], datetime.date | None]]:
    yield interpreters, None
    if released is None:
        return
    before = released + AFTER_RELEASE
    yield interpreters, before
    older = [one for one in interpreters[1:] if one.minor < MONITORED]
    if older:
        yield older, before

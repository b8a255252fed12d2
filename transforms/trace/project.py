"""One repository: its plan, its environment, its suite under the tracer, and its functions."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.projects import ProjectState
from transforms.sandbox.tiers import SAFE_TIERS, choose_tier
from transforms.trace.environments.building import (
    BuildFailed,
    BuildLimits,
    Environment,
    Step,
    build_environment,
    uv_program,
    write_settings,
)
from transforms.trace.environments.index import IndexLimits, serving_index
from transforms.trace.environments.interpreters import find_interpreters, rank_interpreters
from transforms.trace.environments.mirror import Mirror
from transforms.trace.environments.needs import missing_documents
from transforms.trace.environments.suite import (
    SuiteLimits,
    SuiteRun,
    SuiteState,
    Tracer,
    run_suite,
)
from transforms.trace.environments.workplaces import (
    PROJECT,
    RECORDS,
    Workplace,
    prepare_folders,
    write_files,
)
from transforms.trace.examination import Examined, Examiner
from transforms.trace.options import TraceOptions
from transforms.trace.plans import combine, derive_plans, has_tests
from transforms.trace.plans.plan import TestPlan, plan_to_json
from transforms.trace.preparation import commands_of, needs_of
from transforms.trace.records import TracedFunction, read_records
from transforms.trace.tracer import tracer_files


@dataclass(frozen=True)
class Project:
    """A repository: its files by path, and license and class of license of each."""

    repository: str
    revision: str
    files: Mapping[str, bytes]
    licenses: Mapping[str, tuple[str | None, str]]


@dataclass(frozen=True)
class Traced:
    """How far a project came, with the evidence, and what became of its functions."""

    state: ProjectState
    detail: str = ""
    plan: str | None = None
    steps: tuple[Step, ...] = ()
    environment: Environment | None = None
    run: SuiteRun | None = None
    functions: tuple[Examined, ...] = ()
    cpu_seconds: float = 0.0


class ProjectTracer:
    """Traces one repository after another.

    Args:
      options: of all of them.
      place: a folder of this worker, in which each gets one of its own while it runs.

    Raises:
      SandboxError: this machine has no sandbox in which suites could run.
    """

    def __init__(self, options: TraceOptions, place: Path) -> None:
        self._options = options
        self._place = place
        tiers = SAFE_TIERS if options.tier is None else (options.tier,)
        self._tier = choose_tier(tiers)
        self._stack = contextlib.ExitStack()
        verifier = self._stack.enter_context(Verifier(self._tier))
        self._examiner = Examiner(verifier, options.packages)
        self._mirror = Mirror(Path(options.cache))

    def close(self) -> None:
        """Ends its sandboxes."""
        self._stack.close()

    def trace(self, project: Project) -> Traced:
        """Does all that there is to do for a repository; what goes wrong is its state."""
        if not has_tests(project.files):
            return Traced(ProjectState.NO_TESTS, "no file looks like a test")
        plan = combine(derive_plans(project.files))
        try:
            with self._workplace() as workplace:
                return self._trace(project, plan, workplace)
        except (SandboxError, MemoryError):
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            return _failed(plan, error)
        except Exception as error:
            return _failed(plan, error)

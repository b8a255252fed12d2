"""One repository: its plan, its environment, its suite under the tracer, and its functions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        told = _Told(plan_to_json(plan))
        try:
            return self._trace(project, plan, told)
        except Exception as error:
            if isinstance(error, (SandboxError, MemoryError)) or is_disk_full(error):
                raise
            return told.ended(ProjectState.FAILED, f"{type(error).__name__}: {error}")

    def _trace(self, project: Project, plan: TestPlan, told: _Told) -> Traced:
        needs = needs_of(plan, project.files, project.revision)
        found = find_interpreters()
        ranked = rank_interpreters(found, needs.requires_python, needs.named_pythons)
        if not ranked:
            versions = ", ".join(map(str, found))
            detail = f"it requires Python {needs.requires_python}; this machine has {versions}"
            return told.ended(ProjectState.NO_INTERPRETER, detail)
        limits = BuildLimits(self._options.build_seconds, self._options.build_seconds)
        with self._workplace(ranked, project) as workplace:
            built = build_environment(workplace, ranked, needs, workplace.index_url, limits)
            told.steps, told.cpu_seconds = built.steps, workplace.cpu_seconds
            if isinstance(built, BuildFailed):
                detail = f"{built.step}: {built.reason}\n{built.tail}"
                return told.ended(ProjectState.BUILD_FAILED, detail)
            told.environment = built
            told.run = self._run_suite(workplace, built, plan, project)
            told.cpu_seconds = workplace.cpu_seconds
            traced = read_records(workplace.outside / RECORDS, built.roots)
        told.functions = tuple(self._examiner.examine(project.files, traced))
        return told.ended(_state(told.run, traced), told.run.best.tail)

    def _run_suite(
        self, workplace: Workplace, built: Environment, plan: TestPlan, project: Project
    ) -> SuiteRun:
        files = {name: text.encode() for name, text in tracer_files().items()}
        variables = {"REPOMILL_TRACE": "{records}", "REPOMILL_TRACE_ROOTS": ":".join(built.roots)}
        tracer = Tracer(files, variables)
        limits = SuiteLimits(self._options.suite_seconds)
        commands = commands_of(plan)
        return run_suite(workplace, built, commands, project.files, tracer, limits)

    @contextlib.contextmanager
    def _workplace(
        self, interpreters: Sequence[Interpreter], project: Project
    ) -> Iterator[SandboxedWorkplace]:
        """A workplace with the files of a project, of which nothing stays."""
        readable = {folder for each in interpreters for folder in each.folders}
        folder = self._place / "workplace"
        remove_folder(folder)
        folder.mkdir(parents=True)
        try:
            with SandboxedWorkplace(
                folder, (*sorted(readable), uv_program()), self._tier, self._options, self._mirror
            ) as workplace:
                prepare_folders(workplace)
                write_settings(workplace)
                stand_ins = missing_documents(project.files)
                write_files(folder / PROJECT, {**project.files, **stand_ins})
                yield workplace
        finally:
            remove_folder(folder)


def _state(run: SuiteRun, traced: Sequence[TracedFunction]) -> ProjectState:
    """What a suite that ran, or tried to, has come to."""
    if any(each.calls for each in traced):
        return ProjectState.TRACED
    return {
        SuiteState.RAN: ProjectState.NOTHING_CALLED,
        SuiteState.CUT_SHORT: ProjectState.NOTHING_CALLED,
        SuiteState.TIMED_OUT: ProjectState.TIMED_OUT,
        SuiteState.NO_TESTS: ProjectState.NO_TESTS,
        SuiteState.FAILED_TO_START: ProjectState.TESTS_FAILED_TO_START,
    }[run.state]


@dataclass
class _Told:
    """What is known of a project so far."""

    plan: str
    steps: tuple[Step, ...] = ()
    environment: Environment | None = None
    run: SuiteRun | None = None
    functions: tuple[Examined, ...] = ()
    cpu_seconds: float = 0.0

    def ended(self, state: ProjectState, detail: str) -> Traced:
        """All of it, with the state in which the project ends."""
        return Traced(state=state, detail=detail, **vars(self))

"""One repository: its plan, its environment, its suite under the tracer, and its functions."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.projects import ProjectState
from transforms.sandbox.folders import empty_folder
from transforms.sandbox.limits import CommandLimits
from transforms.sandbox.process import SandboxError
from transforms.sandbox.workshop import CURE, choose_workshop_tier
from transforms.stores.errors import is_disk_full
from transforms.stores.store import local_path
from transforms.trace.environments.building import (
    BuildFailed,
    BuildLimits,
    Environment,
    Step,
    uv_program,
    write_settings,
)
from transforms.trace.environments.index import IndexLimits
from transforms.trace.environments.interpreters import (
    Interpreter,
    find_interpreters,
    rank_interpreters,
)
from transforms.trace.environments.mirror import Mirror
from transforms.trace.environments.needs import missing_documents
from transforms.trace.environments.planning import commands_of, needs_of
from transforms.trace.environments.sandboxed import SandboxedWorkplace
from transforms.trace.environments.suite import (
    SuiteLimits,
    SuiteRun,
    SuiteState,
    Tracer,
)
from transforms.trace.environments.trials import ProjectLimits, Trial, try_project
from transforms.trace.environments.workplaces import (
    PROJECT,
    prepare_folders,
    write_files,
)
from transforms.trace.examination import Examined, Examiner
from transforms.trace.options import TraceOptions
from transforms.trace.plans import TestPlan, combine, derive_plans, has_tests, plan_to_json
from transforms.trace.records import TracedFunction, read_records
from transforms.trace.tracer import tracer_files
from transforms.trace.verification import BenchmarkProblem, Verifier, problems_from_json


@dataclass(frozen=True)
class Project:
    """A repository: its files by path, and license and class of license of each."""

    repository: str
    revision: str
    released: datetime.date | None
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


_TRACER = Tracer(
    {name: text.encode() for name, text in tracer_files().items()},
    {"REPOMILL_TRACE": "{records}", "REPOMILL_TRACE_ROOTS": "{roots}"},
)


class ProjectTracer:
    """Traces one repository after another.

    Args:
      options: of all of them.
      place: a folder of this worker, in which each gets one of its own while it runs.

    Where a machine has no sandbox for suites, no project gets further than that.
    """

    def __init__(self, options: TraceOptions, place: Path) -> None:
        self._options = options
        self._place = place
        self._stack = contextlib.ExitStack()
        self._mirror = Mirror(Path(options.cache))
        self._fault: str | None = None
        try:
            verifier = self._stack.enter_context(Verifier(choose_workshop_tier()))
            self._examiner = Examiner(verifier, options.packages, _benchmarks(options))
        except SandboxError as error:
            self._fault = f"{error}. {CURE}"

    def close(self) -> None:
        """Ends its sandboxes."""
        self._stack.close()

    def trace(self, project: Project) -> Traced:
        """Does all that there is to do for a repository; what goes wrong is its state."""
        if self._fault is not None:
            return Traced(ProjectState.NO_SANDBOX, self._fault)
        if not has_tests(project.files):
            return Traced(ProjectState.NO_TESTS, "no file looks like a test")
        plans = derive_plans(project.files)
        plan = combine(plans)
        told = _Told(plan_to_json(plan))
        try:
            return self._trace(project, (plan, *plans), told)
        except Exception as error:
            if isinstance(error, (SandboxError, MemoryError)) or is_disk_full(error):
                raise
            return told.ended(ProjectState.FAILED, f"{type(error).__name__}: {error}")

    def _trace(self, project: Project, plans: Sequence[TestPlan], told: _Told) -> Traced:
        needs = needs_of(plans[0], project.files, project.revision)
        found = find_interpreters()
        ranked = rank_interpreters(found, needs.requires_python, needs.named_pythons)
        if not ranked:
            versions = ", ".join(map(str, found))
            detail = f"it requires Python {needs.requires_python}; this machine has {versions}"
            return told.ended(ProjectState.NO_INTERPRETER, detail)
        with self._workplace(ranked, project, needs.folder) as workplace:
            trial = try_project(
                workplace,
                ranked,
                needs,
                [commands_of(plan) for plan in plans],
                project.files,
                workplace.serving,
                _TRACER,
                project.released,
                self._limits(),
            )[0]
            built = trial.environment
            told.steps, told.cpu_seconds = built.steps, workplace.cpu_seconds
            if isinstance(built, BuildFailed):
                detail = f"{built.step}: {built.reason}\n{built.tail}"
                return told.ended(ProjectState.BUILD_FAILED, detail)
            traced = read_records(workplace.outside / trial.records, built.roots)
        told.environment, told.run = built, trial.suite
        told.functions = tuple(self._examiner.examine(project.files, traced))
        tail = trial.suite.best.tail if trial.suite else ""
        return told.ended(_state(trial, traced), tail)

    def _limits(self) -> ProjectLimits:
        build, suite = self._options.build_seconds, self._options.suite_seconds
        return ProjectLimits(2 * (build + suite), BuildLimits(build, build), SuiteLimits(suite))

    @contextlib.contextmanager
    def _workplace(
        self, interpreters: Sequence[Interpreter], project: Project, source: str
    ) -> Iterator[SandboxedWorkplace]:
        """A workplace with the files of a project, of which nothing stays."""
        readable = {folder for each in interpreters for folder in each.folders}
        folder, options = self._place / "workplace", self._options
        _remove(folder)
        folder.mkdir(parents=True)
        try:
            prepare_folders(folder)
            write_settings(folder)
            stand_ins = missing_documents(project.files, source)
            write_files(folder / PROJECT, {**stand_ins, **project.files})
            limits = CommandLimits(
                memory_bytes=options.memory_bytes,
                folder_bytes=options.disk_bytes,
                processes=options.processes,
            )
            index = IndexLimits(before=options.before)
            yield SandboxedWorkplace(
                folder, (*sorted(readable), uv_program()), limits, self._mirror, index
            )
        finally:
            _remove(folder)


def _benchmarks(options: TraceOptions) -> tuple[BenchmarkProblem, ...]:
    if not options.benchmarks:
        return ()
    return problems_from_json(local_path(options.benchmarks).read_bytes())


def _remove(folder: Path) -> None:
    """Removes a folder in which hostile commands have run, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        empty_folder(str(folder))
        folder.rmdir()


def _state(trial: Trial, traced: Sequence[TracedFunction]) -> ProjectState:
    """What a suite that ran, or tried to, has come to."""
    has_records = any(each.calls for each in traced)
    ran = trial.suite is not None and trial.suite.state is SuiteState.RAN
    if ran and not has_records:
        return ProjectState.NOTHING_CALLED
    return ProjectState(trial.state(has_records=has_records))


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

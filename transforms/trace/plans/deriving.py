"""All plans that a repository's files give, the most trusted first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from transforms.trace.plans.choices import is_for_tests, name_rank
from transforms.trace.plans.context import Context, Recipe
from transforms.trace.plans.defaults import (
    follow_declared,
    follow_heuristics,
    follow_manager,
    follow_requirements,
    follow_setup,
)
from transforms.trace.plans.documents import as_mapping
from transforms.trace.plans.github import github_jobs
from transforms.trace.plans.nox import PATH as NOXFILE
from transforms.trace.plans.plan import Evidence, Origin, TestPlan
from transforms.trace.plans.programs import PROGRAMS
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.scripts import HATCH_TEST, hatch_environments, script_names
from transforms.trace.plans.services import circleci_jobs, gitlab_jobs, travis_jobs
from transforms.trace.plans.suites import find_test_files
from transforms.trace.plans.targets import JUSTFILES, MAKEFILES
from transforms.trace.plans.tox import read_tox

MAX_PLANS_OF_ORIGIN = 8
_TARGETS = ("test", "tests", "check", "pytest", "unittest", "unit", "test-unit", "unit-test", "ci")

Follow = Callable[[Context], None]


def has_tests(files: Mapping[str, bytes]) -> bool:
    """Whether a repository has test files, by their names and folders and what is in them."""
    return bool(find_test_files(files))


def derive_plans(files: Mapping[str, bytes]) -> tuple[TestPlan, ...]:
    """Distinct plans of how to install and test a project, the most trusted first.

    The last one is from heuristics wherever there are test files. Never raises for what is
    in files.

    Args:
      files: contents by paths relative to the repository, all of its files.
    """
    repository = Repository(files)
    tests = find_test_files(files)
    plans: list[TestPlan] = []
    for origin, jobs in (
        (Origin.GITHUB, github_jobs),
        (Origin.GITLAB, gitlab_jobs),
        (Origin.TRAVIS, travis_jobs),
        (Origin.CIRCLECI, circleci_jobs),
    ):
        plans += _job_plans(repository, origin, list(jobs(repository)))
    for origin, path, follow in _followed(repository, tests):
        context = Context(repository, PROGRAMS)
        follow(context)
        if context.commands:
            plans.append(context.plan(origin, () if not path else (Evidence(path, None, ""),)))
    return _distinct(plans, repository)


def _job_plans(
    repository: Repository, origin: Origin, jobs: Sequence[Recipe]
) -> Iterator[TestPlan]:
    """Plans of those jobs that run tests: by their names, then those for more interpreters."""
    ranked = sorted(jobs, key=lambda job: (name_rank(job.name)[0], -len({*job.interpreters})))
    count = 0
    for job in ranked:
        context = Context(repository, PROGRAMS)
        context.apply(job)
        if context.commands and count < MAX_PLANS_OF_ORIGIN:
            count += 1
            yield context.plan(origin, (Evidence(job.path, None, f"job {job.name}"[:200]),))


def _followed(repository: Repository, tests: Sequence[str]) -> Iterator[tuple[Origin, str, Follow]]:
    """What each other origin would follow, with the file that it is from."""
    if (file := read_tox(repository)) is not None:
        yield Origin.TOX, file.path, lambda context: context.run(["tox"])
    if NOXFILE in repository.files:
        yield Origin.NOX, NOXFILE, lambda context: context.run(["nox"])
    path, environments = hatch_environments(repository)
    if environments:
        yield Origin.HATCH, path, lambda context: _follow_hatch(context, environments)
    if script_names(repository, "pdm"):
        yield Origin.PDM, "pyproject.toml", lambda context: _follow_scripts(context, "pdm")
    if tests:
        yield Origin.PDM, "", lambda context: follow_manager(context, tests, "pdm")
        yield Origin.POETRY, "", lambda context: follow_manager(context, tests, "poetry")
    makefiles = [each for each in (*MAKEFILES, *JUSTFILES) if each in repository.files]
    if makefiles:
        yield Origin.MAKEFILE, makefiles[0], _follow_targets
    if tests:
        yield Origin.PYPROJECT, "pyproject.toml", lambda context: follow_declared(context, tests)
        yield Origin.SETUP, "", lambda context: follow_setup(context, tests)
        yield Origin.REQUIREMENTS, "", lambda context: follow_requirements(context, tests)
        yield Origin.HEURISTICS, tests[0], lambda context: follow_heuristics(context, tests)


def _follow_hatch(context: Context, environments: Mapping[str, object]) -> None:
    """``hatch test`` where it is configured, else the script whose name is the most like tests."""
    if HATCH_TEST in environments:
        context.run(["hatch", "test"])
        return
    scripts = [
        (environment, script)
        for environment, values in environments.items()
        for script in as_mapping(as_mapping(values).get("scripts"))
        if is_for_tests(script)
    ]
    for environment, script in sorted(scripts, key=lambda pair: name_rank(pair[1]))[:6]:
        context.run(["hatch", "run", f"{environment}:{script}"])
        if context.commands:
            return


def _follow_scripts(context: Context, tool: str) -> None:
    context.run([tool, "install"])
    names = [name for name in script_names(context.repository, tool) if is_for_tests(name)]
    for name in sorted(names, key=name_rank)[:6]:
        context.run([tool, "run", name])
        if context.commands:
            return


def _follow_targets(context: Context) -> None:
    if context.metadata(".").installable:
        context.install_project(".")
    for program in ("make", "just"):
        for name in _TARGETS:
            if not context.commands:
                context.run([program, name])


def _distinct(plans: Sequence[TestPlan], repository: Repository) -> tuple[TestPlan, ...]:
    """Plans that differ in more than where they are from, with what was wrong with files."""
    found: dict[object, TestPlan] = {}
    problems = tuple(sorted(repository.problems.values())[:20])
    for plan in plans:
        key = (plan.installs, plan.environment, plan.commands)
        is_last = plan.origin is Origin.HEURISTICS
        if key not in found or is_last:
            found[(key, is_last) if is_last else key] = replace(plan, notes=plan.notes + problems)
    return tuple(found.values())

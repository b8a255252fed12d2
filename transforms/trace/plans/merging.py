"""One plan of several: what an environment is built from first.

The command is that of the most trusted plan that runs pytest or unittest. Requirements are
those of all plans, since a job often leaves out what another has, and one import that fails
ends a whole file of tests; what is not about tests is left out, since each package more may
fail to install. Of each distribution the requirement of the most trusted plan counts, so
that they cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from packaging.requirements import Requirement

from transforms.trace.plans.choices import serves_tests
from transforms.trace.plans.plan import (
    CommandKind,
    Install,
    InstallKind,
    Origin,
    TestCommand,
    TestPlan,
)
from transforms.trace.plans.requirements import distribution

MAX_COMMANDS = 8

_SELECTING = frozenset(("-k", "-m"))

# These say what to install and leave how to run to a guess.
_GUESSING = frozenset(
    (Origin.PDM, Origin.POETRY, Origin.PYPROJECT, Origin.SETUP, Origin.REQUIREMENTS,
     Origin.HEURISTICS)
)  # fmt: skip


def combine(plans: Sequence[TestPlan]) -> TestPlan:
    """The plan to try first, from those of `derive_plans`; raises ValueError without any."""
    if not plans:
        raise ValueError("got no plans to combine")
    chosen = min(plans, key=_choice)
    used = _used(plans)
    requirements, left_out = _requirements(used)
    notes = [f"commands are of {chosen.origin}, requirements of {_origins(used)}"]
    if left_out:
        notes.append(f"left out, not being about tests: {', '.join(left_out)}"[:400])
    return replace(
        chosen,
        interpreters=next((plan.interpreters for plan in plans if plan.interpreters), ()),
        installs=(*_builds(plans), *_projects(chosen, used), *requirements),
        commands=_without_parts(chosen.commands)[:MAX_COMMANDS],
        notes=tuple(dict.fromkeys((*notes, *chosen.notes))),
    )


def _without_parts(commands: Sequence[TestCommand]) -> tuple[TestCommand, ...]:
    """Commands but those that only select some of another one's tests."""
    return tuple(each for each in commands if not any(_is_part(each, other) for other in commands))


def _is_part(command: TestCommand, other: TestCommand) -> bool:
    added = {*command.arguments} - {*other.arguments}
    options = {argument for argument in added if argument.startswith("-")}
    is_alike = (command.kind, command.directory) == (other.kind, other.directory)
    return (
        is_alike
        and bool(added)
        and {*other.arguments} <= {*command.arguments}
        and options <= _SELECTING
    )


def _choice(plan: TestPlan) -> int:
    """The lowest for the plan whose commands are run; of equals the first is taken."""
    if plan.origin in _GUESSING:
        return 2
    return int(any(command.kind is CommandKind.SCRIPT for command in plan.commands))


def _used(plans: Sequence[TestPlan]) -> list[TestPlan]:
    """The first plan of each origin; others of it are for special cases, such as old versions."""
    return list({plan.origin: plan for plan in reversed(plans)}.values())[::-1]


def _origins(plans: Sequence[TestPlan]) -> str:
    return ", ".join(dict.fromkeys(str(plan.origin) for plan in plans))


def _builds(plans: Sequence[TestPlan]) -> list[Install]:
    found = (each for plan in plans for each in plan.installs if each.kind is InstallKind.BUILD)
    return list(dict.fromkeys(found))


def _projects(chosen: TestPlan, plans: Sequence[TestPlan]) -> list[Install]:
    """The projects of the chosen plan, or of the first that has any.

    Of their extras those remain that nothing is known of, since the requirements of the
    others stand by themselves.
    """
    sources = (plan.projects for plan in (chosen, *plans))
    projects = next((found for found in sources if found), ())
    unknown: dict[str, dict[str, None]] = {}
    for project in projects:
        extras = () if project.requirements else project.extras
        unknown.setdefault(project.value, {}).update(dict.fromkeys(extras))
    return [Install(InstallKind.PROJECT, path, tuple(extras)) for path, extras in unknown.items()]


def _requirements(plans: Sequence[TestPlan]) -> tuple[list[Install], list[str]]:
    """One plan's requirements of each distribution, and the names of those left out."""
    found: dict[str, list[str]] = {}
    left_out: dict[str, None] = {}
    for plan in plans:
        own: dict[str, list[str]] = {}
        for text in plan.requirements:
            name = distribution(text)
            # What tests import serves them, whatever it is.
            if serves_tests(name) or plan.origin is Origin.HEURISTICS:
                own.setdefault(name, []).append(text)
            else:
                left_out[name] = None
        found = {name: _without_bare(texts) for name, texts in own.items()} | found
    texts = [text for name in sorted(found) for text in found[name]]
    installs = [Install(InstallKind.REQUIREMENT, text) for text in texts]
    return installs, sorted(left_out.keys() - found.keys())


def _without_bare(texts: list[str]) -> list[str]:
    """Requirements of one distribution, the bare name left out where another says more."""
    return [text for text in texts if text != Requirement(text).name] or texts[:1]

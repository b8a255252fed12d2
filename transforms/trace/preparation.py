"""From the plan of a project to what its environment needs and the commands that test it."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.trace.environments.needs import (
    INSTALLABLE,
    Needs,
    needs_setuptools,
    own_dependencies,
    safe_requirements,
)
from transforms.trace.environments.suite import TestCommand
from transforms.trace.plans.plan import CommandKind, InstallKind, TestPlan

_PROGRAMS = {
    CommandKind.PYTEST: ("python", "-m", "pytest"),
    CommandKind.UNITTEST: ("python", "-m", "unittest"),
    CommandKind.SCRIPT: ("python",),
}
_OLD_TOOLS = "setuptools<81"
"""The last with `pkg_resources`."""


def needs_of(plan: TestPlan, files: Mapping[str, bytes], version: str) -> Needs:
    """What the environment of a project has to hold.

    Args:
      plan: of the project.
      files: of the project, by path.
      version: its revision, which stands for what its build would ask Git for.
    """
    projects = plan.projects
    folder = projects[0].value if projects else "."
    # Of the others, which are mostly plugins or examples, what they depend on has to do.
    extras = projects[0].extras if projects else ()
    groups = tuple(each.value for each in plan.installs if each.kind is InstallKind.GROUP)
    prefix = "" if folder == "." else f"{folder}/"
    old = (_OLD_TOOLS,) if needs_setuptools(files) else ()
    return Needs(
        requires_python=plan.requires_python or None,
        named_pythons=plan.interpreters,
        folder=folder,
        installable=any(f"{prefix}{name}" in files for name in INSTALLABLE),
        extras=extras,
        groups=groups,
        requirements=safe_requirements((*_further_requirements(plan), *old)),
        dependencies=own_dependencies(files, folder),
        version=version,
    )


def _further_requirements(plan: TestPlan) -> list[str]:
    """Requirements that neither the project's extras nor its groups bring along."""
    texts: list[str] = []
    for install in plan.installs:
        if install.kind is InstallKind.REQUIREMENT:
            texts.append(install.value)
        elif install.kind is InstallKind.FILE:
            texts += install.requirements
    return texts


def commands_of(plan: TestPlan) -> tuple[TestCommand, ...]:
    """The commands that run the tests, the best one first."""
    environment = dict(plan.environment)
    return tuple(
        TestCommand((*_PROGRAMS[each.kind], *each.arguments), each.directory, environment)
        for each in plan.commands
    )

"""From the plan of a project to what its environment holds and how its suite is called."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from transforms.trace.environments.calls import Runner, SuiteCommand
from transforms.trace.environments.needs import (
    INSTALLABLE,
    Needs,
    needs_setuptools,
    own_dependencies,
)
from transforms.trace.plans import CommandKind, InstallKind, TestPlan

# The last with `pkg_resources`; it has a `distutils` of its own for Python 3.12 and newer.
_SETUPTOOLS = "setuptools<81"


def needs_of(plan: TestPlan, files: Mapping[str, bytes], revision: str) -> Needs:
    """What the environment of a plan has to hold.

    Args:
      plan: what its CI does, with all requirements that are known.
      files: of the repository.
      revision: its version, or what else stands for it.
    """
    projects = plan.projects
    top = next((project for project in projects if project.value == "."), None)
    first = top or (projects[0] if projects else None)
    folder = first.value if first is not None else "."
    prefix = "" if folder == "." else f"{folder}/"
    groups = [one for one in plan.installs if one.kind is InstallKind.GROUP]
    return Needs(
        requires_python=plan.requires_python or None,
        named_pythons=plan.interpreters,
        folder=folder,
        installable=any(prefix + name in files for name in INSTALLABLE),
        extras=first.extras if first is not None else (),
        groups=tuple(group.value for group in groups if not group.requirements),
        folders=tuple(one.value for one in projects if one is not first),
        requirements=plan.requirements,
        dependencies=own_dependencies(files, folder),
        tools=_tools(plan, files),
        version=revision,
    )


def commands_of(plan: TestPlan) -> tuple[SuiteCommand, ...]:
    """The commands of a plan, in their order."""
    environment = dict(plan.environment)
    return tuple(
        SuiteCommand(Runner(command.kind), command.arguments, command.directory, environment)
        for command in plan.commands
    )


def _tools(plan: TestPlan, files: Mapping[str, bytes]) -> tuple[str, ...]:
    names = {canonicalize_name(Requirement(text).name) for text in plan.requirements}
    kinds = {command.kind for command in plan.commands}
    tools = [] if kinds == {CommandKind.UNITTEST} else ["pytest"]
    if "setuptools" not in names and needs_setuptools(files):
        tools.append(_SETUPTOOLS)
    return tuple(tools)

"""Plans of how to install a project and run its tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import TypeAdapter


class Origin(StrEnum):
    """Which kind of configuration a plan was read from, the most trusted first."""

    GITHUB = "github"
    GITLAB = "gitlab"
    TRAVIS = "travis"
    CIRCLECI = "circleci"
    TOX = "tox"
    NOX = "nox"
    HATCH = "hatch"
    PDM = "pdm"
    POETRY = "poetry"
    MAKEFILE = "makefile"
    PYPROJECT = "pyproject"
    SETUP = "setup"
    REQUIREMENTS = "requirements"
    HEURISTICS = "heuristics"


class InstallKind(StrEnum):
    """What an `Install` names by its ``value``."""

    PROJECT = "project"
    """A folder of the repository that has a project, "." mostly."""
    GROUP = "group"
    """A dependency group of the project."""
    FILE = "file"
    """A requirements file, by its path inside of the repository."""
    REQUIREMENT = "requirement"
    """One requirement as `packaging.requirements` reads it, without a URL."""
    BUILD = "build"
    """A requirement of building the project."""


class CommandKind(StrEnum):
    """What a command's arguments are given to."""

    PYTEST = "pytest"
    """``python -m pytest ARGUMENTS``"""
    UNITTEST = "unittest"
    """``python -m unittest ARGUMENTS``"""
    SCRIPT = "script"
    """``python ARGUMENTS``, a file of the repository or ``-m`` with a module of it."""


@dataclass(frozen=True)
class Evidence:
    """Where a plan is from: a file, the line where it is known, and what stands there."""

    path: str
    line: int | None
    text: str


@dataclass(frozen=True)
class Install:
    """One thing to install.

    ``requirements`` are what a file, a group or the extras of a project come to as far as
    can be told without running anything, so that an installer needs to know none of them.
    """

    kind: InstallKind
    value: str
    extras: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestCommand:
    """A command that runs tests, in a directory of the repository."""

    __test__: ClassVar[bool] = False  # pytest takes classes of this name for tests

    kind: CommandKind
    arguments: tuple[str, ...] = ()
    directory: str = "."


@dataclass(frozen=True)
class TestPlan:
    """How to install a project and run its tests.

    ``interpreters`` are versions such as "3.12" that the configuration names, newest first;
    ``requires_python`` is a specifier, or empty where none is known. Requirement texts are
    checked, paths stay inside of the repository, and ``environment`` holds only variables
    that can do no harm. ``notes`` say what was not followed, and why.
    """

    __test__: ClassVar[bool] = False

    origin: Origin
    evidence: tuple[Evidence, ...] = ()
    interpreters: tuple[str, ...] = ()
    requires_python: str = ""
    installs: tuple[Install, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    commands: tuple[TestCommand, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """All requirements but those of building, files, groups and extras resolved."""
        texts: list[str] = []
        for install in self.installs:
            if install.kind is InstallKind.REQUIREMENT:
                texts.append(install.value)
            elif install.kind is not InstallKind.BUILD:
                texts += install.requirements
        return tuple(dict.fromkeys(texts))

    @property
    def projects(self) -> tuple[Install, ...]:
        """The projects to install, with their extras."""
        return tuple(each for each in self.installs if each.kind is InstallKind.PROJECT)


_ADAPTER = TypeAdapter(TestPlan)


def plan_to_json(plan: TestPlan) -> str:
    """A plan as JSON text."""
    return _ADAPTER.dump_json(plan).decode()


def plan_from_json(text: str) -> TestPlan:
    """The plan that `plan_to_json` wrote; raises ValueError where it is none."""
    return _ADAPTER.validate_json(text)

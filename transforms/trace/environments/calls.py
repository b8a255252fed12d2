"""In which ways a suite is called, the most promising one first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

_NEVER_SLOW = {"pytest-benchmark": "--benchmark-disable", "pytest-cov": "--no-cov"}
_TEST_FOLDERS = ("tests", "test", "testing")
# Without the project's own options, with which it did not start, and warnings are no errors.
_PLAIN = ("-o", "addopts=", "-o", "filterwarnings=", "-o", "required_plugins=")


class Runner(StrEnum):
    """Who runs the tests, and so says how they ended."""

    PYTEST = "pytest"
    UNITTEST = "unittest"
    SCRIPT = "script"


@dataclass(frozen=True)
class SuiteCommand:
    """What a project has to run its tests: arguments of pytest, of unittest or of Python."""

    runner: Runner
    arguments: tuple[str, ...] = ()
    folder: str = "."
    environment: Mapping[str, str] = field(default_factory=dict)


def calls_of(
    commands: Sequence[SuiteCommand], paths: Collection[str], installed: Sequence[str] = ()
) -> tuple[SuiteCommand, ...]:
    """The calls to try one after the other until one reaches tests, each once.

    Their arguments are those of Python. First come the commands as they are, then pytest
    without the project's options, on the same paths and on all, then unittest's discovery.

    Args:
      commands: those of the project, the best one first.
      paths: of all its files.
      installed: lines ``name==version`` of its environment.
    """
    names = {line.partition("==")[0] for line in installed}
    quick = tuple(option for name, option in _NEVER_SLOW.items() if name in names)
    calls = [*_as_meant(commands, quick), *_plain(commands, paths, quick)]
    calls += [*_bare(commands, quick), *_discoveries(commands, paths)]
    unique: dict[tuple[tuple[str, ...], str], SuiteCommand] = {}
    for call in calls:
        unique.setdefault((call.arguments, call.folder), call)
    return tuple(unique.values())


def _as_meant(commands: Sequence[SuiteCommand], quick: tuple[str, ...]) -> Iterator[SuiteCommand]:
    for command in commands:
        arguments = command.arguments
        if command.runner is Runner.PYTEST:
            arguments = (*_pytest(quick), *arguments)
        elif command.runner is Runner.UNITTEST:
            arguments = ("-m", "unittest", *arguments)
        yield SuiteCommand(command.runner, arguments, command.folder, command.environment)


def _plain(
    commands: Sequence[SuiteCommand], paths: Collection[str], quick: tuple[str, ...]
) -> Iterator[SuiteCommand]:
    for command in commands:
        found = paths_in(command.arguments, paths, command.folder)
        if command.runner is Runner.PYTEST and found:
            arguments = (*_pytest(quick), *_PLAIN, *found)
            yield SuiteCommand(Runner.PYTEST, arguments, command.folder, command.environment)


def _bare(commands: Sequence[SuiteCommand], quick: tuple[str, ...]) -> Iterator[SuiteCommand]:
    for folder, environment in _folders(commands).items():
        yield SuiteCommand(Runner.PYTEST, (*_pytest(quick), *_PLAIN), folder, environment)


def _discoveries(
    commands: Sequence[SuiteCommand], paths: Collection[str]
) -> Iterator[SuiteCommand]:
    for folder, environment in _folders(commands).items():
        prefix = "" if folder == "." else f"{folder}/"
        starts: list[tuple[str, ...]] = [
            ("-s", name, *(("-t", ".") if f"{prefix}{name}/__init__.py" in paths else ()))
            for name in _TEST_FOLDERS
            if any(path.startswith(f"{prefix}{name}/") for path in paths)
        ]
        for start in (*starts, ()):
            arguments = ("-m", "unittest", "discover", *start)
            yield SuiteCommand(Runner.UNITTEST, arguments, folder, environment)


def paths_in(arguments: Sequence[str], paths: Collection[str], folder: str) -> tuple[str, ...]:
    """The arguments that name files or folders of a project, without parts of files."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    kept: dict[str, None] = {}
    for argument in arguments:
        path = argument.partition("::")[0]
        place = str(PurePosixPath(folder, path))
        if not path.startswith("-") and (place in paths or place in folders):
            kept[path] = None
    return tuple(kept)


def _folders(commands: Sequence[SuiteCommand]) -> dict[str, Mapping[str, str]]:
    """Where commands run, and the repository's own folder, with the variables of the first one."""
    found: dict[str, Mapping[str, str]] = {}
    for command in commands:
        found.setdefault(command.folder, command.environment)
    return found | {".": found.get(".", {})}


def _pytest(quick: tuple[str, ...]) -> tuple[str, ...]:
    fixed = ("--continue-on-collection-errors", "--tb=line", "--color=no", "-p", "no:randomly")
    return ("-m", "pytest", *fixed, *quick)

"""In which ways a suite is called, the most promising one first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Protocol

from transforms.trace.environments.options import configured_options, keep_options, paths_in

_PYTHONS = ("python", "python3", "py")
_INSTEAD = ("nosetests", "nosetests3", "nose2", "pytest", "py.test", "tox", "nox", "make")
_NEVER_SLOW = {"pytest-benchmark": "--benchmark-disable", "pytest-cov": "--no-cov"}
_TEST_FOLDERS = ("tests", "test", "testing")


class Runner(StrEnum):
    """Who runs the tests, and so says how they ended."""

    PYTEST = "pytest"
    UNITTEST = "unittest"
    SCRIPT = "script"


class Commanded(Protocol):
    """A command that runs tests."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The program and its arguments."""

    @property
    def folder(self) -> str:
        """Where in the repository it runs."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Further variables."""


@dataclass(frozen=True)
class Call:
    """One way to run tests. The program ``python`` is that of the environment."""

    runner: Runner
    arguments: tuple[str, ...]
    folder: str = "."
    environment: Mapping[str, str] = field(default_factory=dict)


def calls_of(
    commands: Sequence[Commanded], files: Mapping[str, bytes], installed: Sequence[str] = ()
) -> tuple[Call, ...]:
    """The calls to try one after the other until one reaches tests, each once.

    First the commands as they are meant, then pytest without the project's options, on the
    same paths and on all, then unittest's discovery.
    """
    quick = _quick_options(installed)
    calls = [*_as_meant(commands, files, quick), *_bare(commands, files, quick)]
    folders = list(dict.fromkeys([*(command.folder for command in commands), "."]))
    calls += [
        Call(Runner.UNITTEST, ("python", "-m", "unittest", "discover", *start), folder)
        for folder in folders
        for start in _starts(files, folder)
    ]
    return tuple({(call.arguments, call.folder): call for call in calls}.values())


def split_command(arguments: Sequence[str]) -> tuple[Runner, tuple[str, ...]]:
    """Who runs the tests of a command, and with which arguments; coverage around it is cut off.

    Scripts keep their whole command; what runs the tests of other programs is pytest.
    """
    name = PurePosixPath(arguments[0]).name if arguments else "pytest"
    rest = list(arguments[1:])
    if name in _PYTHONS or name.startswith("python"):
        rest = _without_python_options(rest)
        if rest[:1] != ["-m"]:
            is_setup = bool(rest) and PurePosixPath(rest[0]).name == "setup.py"
            return (Runner.PYTEST, ()) if is_setup else (Runner.SCRIPT, ("python", *rest))
        name, rest = (rest[1:] or ["pytest"])[0], rest[2:]
        if name not in ("pytest", "py.test", "unittest", "coverage", *_INSTEAD):
            return Runner.SCRIPT, ("python", "-m", name, *rest)
    if name == "coverage":
        return split_command(_measured(rest))
    if name in ("pytest", "py.test"):
        return Runner.PYTEST, tuple(rest)
    if name == "unittest":
        return Runner.UNITTEST, tuple(rest)
    return (Runner.PYTEST, ()) if name in _INSTEAD else (Runner.SCRIPT, (name, *rest))


def _as_meant(
    commands: Sequence[Commanded], files: Mapping[str, bytes], quick: Sequence[str]
) -> Iterator[Call]:
    for command in commands:
        runner, rest = split_command(command.arguments)
        if runner is Runner.PYTEST:
            options = keep_options(configured_options(files, command.folder))
            own = (*_override(options), *keep_options(rest))
            arguments = (*_pytest(quick), *own)
        elif runner is Runner.UNITTEST:
            arguments = ("python", "-m", "unittest", *rest)
        else:
            arguments = rest
        yield Call(runner, arguments, command.folder, command.environment)


def _bare(
    commands: Sequence[Commanded], files: Mapping[str, bytes], quick: Sequence[str]
) -> Iterator[Call]:
    environments = {command.folder: command.environment for command in commands} | {".": {}}
    for command in commands:
        runner, rest = split_command(command.arguments)
        if runner is Runner.PYTEST and (paths := paths_in(rest, files, command.folder)):
            arguments = (*_pytest(quick), *_plain(), *paths)
            yield Call(runner, arguments, command.folder, command.environment)
    for folder, environment in environments.items():
        options = keep_options(configured_options(files, folder))
        yield Call(Runner.PYTEST, (*_pytest(quick), *_override(options)), folder, environment)
        yield Call(Runner.PYTEST, (*_pytest(quick), *_plain()), folder, environment)


def _pytest(quick: Sequence[str]) -> tuple[str, ...]:
    fixed = ("--continue-on-collection-errors", "--tb=line", "--color=no", "-p", "no:randomly")
    return ("python", "-m", "pytest", *fixed, *quick)


def _override(options: Sequence[str]) -> tuple[str, ...]:
    # Those of the configuration as arguments: quoting them once more would be another risk.
    return ("-o", "addopts=", *options)


def _plain() -> tuple[str, ...]:
    """Without any option of the configuration, and without warnings that are errors."""
    return ("-o", "addopts=", "-o", "filterwarnings=", "-o", "required_plugins=")


def _quick_options(installed: Sequence[str]) -> tuple[str, ...]:
    names = {line.partition("==")[0] for line in installed}
    return tuple(option for name, option in _NEVER_SLOW.items() if name in names)


def _starts(files: Mapping[str, bytes], folder: str) -> list[tuple[str, ...]]:
    prefix = "" if folder == "." else f"{folder}/"
    found = [
        ("-s", name, *(("-t", ".") if f"{prefix}{name}/__init__.py" in files else ()))
        for name in _TEST_FOLDERS
        if any(path.startswith(f"{prefix}{name}/") for path in files)
    ]
    return [*found, ()]


def _without_python_options(rest: list[str]) -> list[str]:
    """Arguments from the module or script on."""
    position = 0
    while position < len(rest) and rest[position].startswith("-") and rest[position] != "-m":
        position += 2 if rest[position] in ("-W", "-X") else 1
    return rest[position:]


def _measured(rest: list[str]) -> list[str]:
    """What `coverage run` runs: a module or a script."""
    if not rest or rest[0] != "run":
        return ["pytest"]
    position = 1
    while position < len(rest) and rest[position].startswith("-") and rest[position] != "-m":
        position += 1
    inner = rest[position:]
    return ["python", *inner] if inner else ["pytest"]

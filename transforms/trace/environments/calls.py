"""In which ways a suite is called, the most promising one first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import PurePosixPath
from posixpath import normpath

from transforms.trace.plans.suites import collected_by_default

_NEVER_SLOW = {"pytest-benchmark": "--benchmark-disable", "pytest-cov": "--no-cov"}
_TEST_FOLDERS = ("tests", "test", "testing")
_PYTEST = ("-m", "pytest", "--continue-on-collection-errors", "--tb=line", "--color=no",
           "-p", "no:randomly")  # fmt: skip
_FIXED = len(_PYTEST)
_SELECTING = frozenset(("-k", "-m"))
# Of those that plans keep, options whose value may look like a path.
_VALUED = _SELECTING | {"-p", "-W", "-o", "-c", "--ignore", "--rootdir", "--confcutdir"}
# In one command line.
_MOST_FILES = 1000
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


def rounds_of(
    plans: Sequence[Sequence[SuiteCommand]], paths: Collection[str], installed: Sequence[str] = ()
) -> tuple[tuple[SuiteCommand, ...], ...]:
    """Rounds of calls: of each round all are made, until those of one reach tests.

    Their arguments are those of Python; none is called twice. First come the commands as they
    are, then pytest without the project's options, on the same paths and on all, then
    unittest's discovery.

    Args:
      plans: the commands of each plan of the project, the best plan first.
      paths: of all its files.
      installed: lines ``name==version`` of its environment.
    """
    quick = _quick(installed)
    every = [command for commands in plans for command in commands]
    rounds = [[_as_meant(command, quick) for command in commands] for commands in plans]
    rounds += [list(_plain(commands, paths, quick)) for commands in plans]
    rounds += [[call] for call in (*_bare(every, quick), *_discoveries(every, paths))]
    return tuple(_unique(rounds))


def rest_of(
    calls: Sequence[SuiteCommand], paths: Collection[str], installed: Sequence[str] = ()
) -> SuiteCommand | None:
    """Pytest on the test files that some calls leave out, or None where they leave out none.

    Args:
      calls: of one round.
      paths: of all files of the project.
      installed: lines ``name==version`` of its environment.
    """
    left = collected_by_default(paths)
    for call in calls:
        left = [path for path in left if not _covers(call, path, paths)]
    if not left:
        return None
    arguments = (*_pytest(_quick(installed)), *_PLAIN, *left[:_MOST_FILES])
    return SuiteCommand(Runner.PYTEST, arguments, ".", calls[0].environment if calls else {})


def _covers(call: SuiteCommand, path: str, paths: Collection[str]) -> bool:
    """Whether a call runs all tests of a file; only of pytest it is known which it does not."""
    if call.runner is not Runner.PYTEST:
        return True
    arguments = call.arguments[_FIXED:]
    pairs = pairwise(arguments)
    if any(option in _SELECTING and "not" not in value.split() for option, value in pairs):
        return False
    parts = {argument.partition("::")[0] for argument in arguments if "::" in argument}
    named = {*paths_in(arguments, paths, call.folder)} or {"."}
    places = [normpath(f"{call.folder}/{each}") for each in named - parts]
    return any(PurePosixPath(path).is_relative_to(place) for place in places)


def _unique(rounds: Iterable[Sequence[SuiteCommand]]) -> Iterator[tuple[SuiteCommand, ...]]:
    seen: set[tuple[tuple[str, ...], str]] = set()
    for calls in rounds:
        new = {(call.arguments, call.folder): call for call in reversed(calls)}
        kept = tuple(new[key] for key in reversed(new) if key not in seen)
        seen |= new.keys()
        if kept:
            yield kept


def _as_meant(command: SuiteCommand, quick: tuple[str, ...]) -> SuiteCommand:
    arguments = command.arguments
    if command.runner is Runner.PYTEST:
        arguments = (*_pytest(quick), *arguments)
    elif command.runner is Runner.UNITTEST:
        arguments = ("-m", "unittest", *arguments)
    return replace(command, arguments=arguments)


def _plain(
    commands: Sequence[SuiteCommand], paths: Collection[str], quick: tuple[str, ...]
) -> Iterator[SuiteCommand]:
    for command in commands:
        found = paths_in(command.arguments, paths, command.folder)
        if command.runner is Runner.PYTEST and found:
            yield replace(command, arguments=(*_pytest(quick), *_PLAIN, *found))


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
    for option, argument in pairwise(("", *arguments)):
        path = argument.partition("::")[0]
        place = str(PurePosixPath(folder, path))
        is_path = option not in _VALUED and not path.startswith("-")
        if is_path and (place in paths or place in folders):
            kept[path] = None
    return tuple(kept)


def _folders(commands: Sequence[SuiteCommand]) -> dict[str, Mapping[str, str]]:
    """Where commands run, and the repository's own folder, with the variables of the first one."""
    found: dict[str, Mapping[str, str]] = {}
    for command in commands:
        found.setdefault(command.folder, command.environment)
    return found | {".": found.get(".", {})}


def _quick(installed: Sequence[str]) -> tuple[str, ...]:
    names = {line.partition("==")[0] for line in installed}
    return tuple(option for name, option in _NEVER_SLOW.items() if name in names)


def _pytest(quick: tuple[str, ...]) -> tuple[str, ...]:
    return (*_PYTEST, *quick)

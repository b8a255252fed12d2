"""What following a configuration gathers: installs, variables and commands, until it is a plan."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from transforms.trace.plans.metadata import Metadata, read_metadata
from transforms.trace.plans.plan import (
    CommandKind,
    Evidence,
    Install,
    InstallKind,
    Origin,
    TestCommand,
    TestPlan,
)
from transforms.trace.plans.pytest_options import read_arguments
from transforms.trace.plans.pytest_settings import read_settings
from transforms.trace.plans.repository import Repository, inside
from transforms.trace.plans.requirements import (
    RequirementError,
    checked_requirement,
    distribution,
    local_project,
    read_requirement_file,
)
from transforms.trace.plans.shell import expand, expand_text, read_shell
from transforms.trace.plans.variables import refused_variable
from transforms.trace.plans.versions import newest_first

MAX_DEPTH = 8
MAX_STEPS = 2_000
MAX_NOTES = 60
_MAX_NOTE = 240


@dataclass(frozen=True)
class Step:
    """Shell text of a configuration, the line it begins at, and where it runs."""

    text: str
    line: int | None = None
    directory: str = "."
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """One environment, session, job, script or target of a configuration file.

    ``extras`` and ``groups`` are of the project, which is installed with ``has_project``.
    """

    path: str
    name: str
    steps: tuple[Step, ...] = ()
    has_project: bool = False
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    interpreters: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def pip_step(words: Sequence[str], line: int | None = None) -> Step:
    """A step that installs what pip would for some arguments."""
    return Step(f"pip install {shlex.join(words)}", line)


Tool = Callable[["Context", Sequence[str]], None]
"""Follows the arguments of a program."""


class Context:
    """Follows recipes and their commands, and gathers what a plan has.

    ``tools`` follow a program by its name; `run` is given words, and notes those of a
    program that there is no tool for.
    """

    def __init__(self, repository: Repository, tools: Mapping[str, Tool]) -> None:
        self.repository = repository
        self.directory = "."
        self.variables: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.installs: list[Install] = []
        self.commands: list[TestCommand] = []
        self.interpreters: list[str] = []
        self.evidence: list[Evidence] = []
        self.notes: list[str] = []
        self._tools = tools
        self._applied: list[tuple[str, str]] = []
        self._steps = 0
        self._place: Evidence | None = None
        self._metadata: dict[str, Metadata] = {}

    # What is followed.

    def apply(self, recipe: Recipe) -> None:
        """Follows a recipe unless it is being followed already."""
        key = (recipe.path, recipe.name)
        if key in self._applied or len(self._applied) >= MAX_DEPTH:
            self.note(f"{recipe.path}: {recipe.name!r} not followed: it goes in circles")
            return
        self._applied.append(key)
        with self._restored(variables=dict(self.variables)):
            for note in recipe.notes:
                self.note(note)
            self.interpreters += recipe.interpreters
            self.set_variables(recipe.environment)
            if recipe.has_project:
                self.install_project(".", recipe.extras)
            for group in recipe.groups:
                self.install_group(group)
            for step in recipe.steps:
                self._follow_step(recipe, step)
        self._applied.pop()

    def _follow_step(self, recipe: Recipe, step: Step) -> None:
        directory = inside(step.directory)
        if directory is None or directory not in self.repository.folders:
            self.note(f"{recipe.path}: directory {step.directory[:80]!r} is not in the repository")
            return
        with self._restored(directory=directory, variables=dict(self.variables)):
            self.set_variables(step.environment)
            self.follow(step.text, recipe.path, step.line)

    def follow(self, text: str, path: str, line: int | None = None) -> None:
        """Follows the commands of a shell text that stands in a file."""
        script = read_shell(text)
        lines = text.splitlines()
        for note in script.notes:
            self.note(f"{path}: {note}")
        for command in script.commands:
            self._steps += 1
            if self._steps > MAX_STEPS:
                self.note(f"{path}: more than {MAX_STEPS} commands")
                return
            shown = lines[command.line].strip()[:_MAX_NOTE]
            place = Evidence(path, None if line is None else line + command.line, shown)
            with self._restored(_place=place):
                self._follow_command(command.words, command.assignments)

    def _follow_command(
        self, words: tuple[str, ...], assignments: tuple[tuple[str, str], ...]
    ) -> None:
        expanded = expand(words, self.variables)
        if expanded is None:
            self.note(f"{' '.join(words)[:80]!r} not followed: a variable in it is not known")
            return
        values = {name: expand_text(value, self.variables) for name, value in assignments}
        known = {name: value for name, value in values.items() if value is not None}
        if not expanded:
            self.variables |= known
            return
        with self._restored(variables=dict(self.variables)):
            self.set_variables(known)
            self.run(expanded)

    def run(self, words: Sequence[str]) -> None:
        """Follows one command by its words."""
        if not words:
            return
        self._steps += 1
        name = posixpath.basename(words[0])
        # A path that is a file of the repository is a script, whatever it is called.
        path = inside(words[0], self.directory) if "/" in words[0] else None
        tool = self._tools.get("script" if path in self.repository.files else name)
        if tool is None or self._steps > MAX_STEPS:
            self.note(f"command {' '.join(words)[:80]!r} not followed")
        else:
            tool(self, words if path in self.repository.files else words[1:])

    def change_directory(self, text: str) -> None:
        """``cd``, which leads to the end of the step."""
        directory = inside(text, self.directory)
        if directory is None or directory not in self.repository.folders:
            self.note(f"directory {text[:80]!r} is not in the repository")
        else:
            self.directory = directory

    @contextmanager
    def _restored(self, **changes: object) -> Iterator[None]:
        """Sets attributes and gives them back their values afterwards."""
        before = {name: getattr(self, name) for name in changes}
        self.__dict__.update(changes)
        try:
            yield
        finally:
            self.__dict__.update(before)

    # What is gathered.

    def note(self, text: str) -> None:
        """Records what is not followed."""
        text = " ".join(text.split())[:_MAX_NOTE]
        if text not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def set_variables(self, values: Mapping[str, str]) -> None:
        """Sets variables of the shell, and of the test run those that it may have."""
        for name, value in values.items():
            expanded = expand_text(value, self.variables)
            if expanded is not None:
                self.variables[name] = expanded
            rule = refused_variable(name, value if expanded is None else expanded)
            if rule is None and expanded is not None:
                self.environment[name] = expanded
            elif rule is not None:
                self.note(f"variable {name[:60]} refused: {rule}")

    def install(self, text: str) -> None:
        """Adds what pip would take from its command line: a requirement or a local project."""
        project = local_project(text, self.directory)
        if project is not None:
            self.install_project(*project)
            return
        try:
            self._add(Install(InstallKind.REQUIREMENT, checked_requirement(text)))
        except RequirementError as error:
            self.note(f"requirement {text[:80]!r} refused: {error}")

    def install_project(self, path: str, extras: Sequence[str] = ()) -> None:
        """Adds the project in a folder with extras of it."""
        metadata = self.metadata(path)
        if not metadata.installable:
            self.note(f"{path}: no project to install")
            return
        unknown = [extra for extra in extras if extra not in metadata.extras]
        if unknown:
            self.note(f"extras {', '.join(unknown)[:80]} are not in the files that are read")
        known = dict.fromkeys(each for extra in extras for each in metadata.extras.get(extra, ()))
        self._add(Install(InstallKind.PROJECT, path, tuple(extras), tuple(known)))

    def install_group(self, name: str) -> None:
        """Adds a dependency group of the project at the top."""
        groups = self.metadata(".").groups
        if name in groups:
            self._add(Install(InstallKind.GROUP, name, (), groups[name]))
        else:
            self.note(f"dependency group {name[:80]!r} is not in the files that are read")

    def install_file(self, text: str) -> None:
        """Adds a requirements file, and the projects that it names."""
        path = inside(text, self.directory)
        if path is None or path not in self.repository.files:
            self.note(f"requirements file {text[:80]!r} refused: no such file inside")
            return
        listed = read_requirement_file(self.repository, path)
        for note in listed.notes:
            self.note(note)
        for project in listed.projects:
            self.install_project(*project)
        self._add(Install(InstallKind.FILE, path, (), tuple(dict.fromkeys(listed.requirements))))

    def metadata(self, directory: str) -> Metadata:
        """Metadata of the project in a folder."""
        if directory not in self._metadata:
            self._metadata[directory] = read_metadata(self.repository, directory)
        return self._metadata[directory]

    def pytest(self, words: Sequence[str]) -> None:
        """Adds a command of pytest by its arguments, with the plugins that those need."""
        settings = read_settings(self.repository, self.directory)
        arguments = read_arguments(words, self.repository, self.directory)
        for note in (*arguments.notes, *settings.notes):
            self.note(note)
        if arguments.dropped:
            self.note(f"pytest options dropped: {' '.join(dict.fromkeys(arguments.dropped))}")
        kept = [*settings.arguments, *arguments.kept, *arguments.paths]
        for requirement in ("pytest", *settings.requirements, *arguments.needed):
            self._add(Install(InstallKind.REQUIREMENT, requirement))
        self.command(CommandKind.PYTEST, kept)

    def command(self, kind: CommandKind, arguments: Sequence[str]) -> None:
        """Adds a command that runs tests."""
        command = TestCommand(kind, tuple(arguments), self.directory)
        if command not in self.commands:
            self.commands.append(command)
        if self._place is not None and self._place not in self.evidence:
            self.evidence.append(self._place)

    def _add(self, install: Install) -> None:
        """Adds an install unless it is of the project itself, from the index."""
        own = self.metadata(".").name
        if install.kind is InstallKind.REQUIREMENT and distribution(install.value) == own:
            self.note(f"requirement {install.value!r} refused: it is the project itself")
            return
        others = tuple(each for each in install.requirements if distribution(each) != own)
        install = replace(install, requirements=others)
        if install not in self.installs:
            self.installs.append(install)

    def plan(self, origin: Origin, evidence: Sequence[Evidence] = ()) -> TestPlan:
        """What was gathered, as a plan."""
        metadata = self.metadata(".")
        for requirement in metadata.build:
            self._add(Install(InstallKind.BUILD, requirement))
        return TestPlan(
            origin=origin,
            evidence=tuple(dict.fromkeys((*evidence, *self.evidence))),
            interpreters=newest_first(self.interpreters),
            requires_python=metadata.requires_python,
            installs=tuple(self.installs),
            environment=tuple(sorted(self.environment.items())),
            commands=tuple(self.commands),
            notes=tuple(self.notes),
        )

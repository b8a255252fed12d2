"""Builds the environment of a project in the sandbox, with fall-backs that are recorded.

uv does it, and not pip: it makes an environment without the interpreter's `ensurepip`, which
distributions split off, resolves and installs some ten times faster, and is one file to show
to the sandbox. Its cache lies in the workplace, so that no project meets what another wrote.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from uv import find_uv_bin

from transforms.trace.environments.interpreters import MONITORED, Interpreter
from transforms.trace.environments.needs import Needs
from transforms.trace.environments.roots import find_roots
from transforms.trace.environments.workplaces import (
    CACHE,
    ENVIRONMENT,
    PROJECT,
    SETTINGS,
    Command,
    Workplace,
    base_environment,
    last_lines,
)

_MOST_SINGLES = 30
_MOST_INSTALLED = 2000
_LEAST_SECONDS = 5.0
# Tools that tests need may depend on the project itself, mostly on some version or a later one.
_LATEST = "9999"
_CONSTRAINTS = {
    # The last with `pkg_resources`, with `setup.py test`, and with `use_2to3`.
    "setuptools-81": "setuptools<81\n",
    "setuptools-72": "setuptools<72\n",
    "setuptools-58": "setuptools<58\n",
}


@dataclass(frozen=True)
class BuildLimits:
    """What building one environment may take, all its steps together."""

    seconds: float = 900.0
    step_seconds: float = 600.0


@dataclass(frozen=True)
class Step:
    """One thing that was tried; ``tail`` is what it said last."""

    name: str
    done: bool
    arguments: tuple[str, ...]
    seconds: float
    tail: str


@dataclass(frozen=True)
class Environment:
    """An environment to run tests in. All paths are those within the sandbox.

    ``roots`` maps folders to the paths of the repository whose modules are installed there;
    ``installed`` has lines such as ``attrs==25.1.0``.
    """

    interpreter: Interpreter
    python: str
    packages: str
    roots: Mapping[str, str]
    installed: tuple[str, ...]
    python_path: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class BuildFailed:
    """No environment: the step that nothing came after, and why."""

    step: str
    reason: str
    tail: str
    steps: tuple[Step, ...]


def uv_program() -> Path:
    """uv's executable, which the sandbox has to show."""
    return Path(find_uv_bin()).resolve()


def write_settings(folder: Path) -> None:
    """Writes what builds are told by files into a workplace, before any command has run."""
    for name, text in _CONSTRAINTS.items():
        (folder / SETTINGS / f"{name}.txt").write_text(text)


def build_environment(
    workplace: Workplace,
    interpreters: Sequence[Interpreter],
    needs: Needs,
    index_url: str,
    limits: BuildLimits | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Environment | BuildFailed:
    """The environment of a project whose files lie in its workplace.

    The ``interpreters`` are those that it allows, the one to try first in front; another one
    is tried where the project itself cannot be installed, and at last its tests do without.
    """
    building = _Building(workplace, needs, index_url, limits or BuildLimits(), clock)
    first, *others = interpreters
    # What breaks on 3.12 mostly breaks on all newer ones: there `distutils` is gone.
    second = [one for one in others if one.minor < MONITORED <= first.minor] or others
    for interpreter in (first, *second[:1]):
        if building.make(interpreter) and building.install():
            return building.result(interpreter)
    if building.make(first) and building.do_without():
        return building.result(first)
    failed = next((step for step in reversed(building.steps) if not step.done), None)
    if failed is None:
        return BuildFailed("start", "its time was over", "", tuple(building.steps))
    return BuildFailed(failed.name, _reason(failed.tail), failed.tail, tuple(building.steps))


@dataclass
class _Building:
    workplace: Workplace
    needs: Needs
    index_url: str
    limits: BuildLimits
    clock: Callable[[], float]
    steps: list[Step] = field(default_factory=list)
    python_path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.limits.seconds
        self._source = str(self.workplace.inside / PROJECT / self.needs.folder)
        project = self.workplace.inside / PROJECT
        self._folders = [str(project / folder) for folder in self.needs.folders]
        self._python = str(self.workplace.inside / ENVIRONMENT / "bin/python")

    def make(self, interpreter: Interpreter) -> bool:
        """Whether there is a new empty environment."""
        folder = str(self.workplace.inside / ENVIRONMENT)
        arguments = ("venv", "--clear", "--no-project", "--python", str(interpreter.executable))
        return self._uv(f"environment for Python {interpreter}", (*arguments, folder))

    def install(self) -> bool:
        """Whether the project and what its tests run with are installed, the rest if possible."""
        needs = self.needs
        if not needs.installable:
            return self.do_without()
        extras = f"[{','.join(needs.extras)}]" if needs.extras else ""
        groups = [part for group in needs.groups for part in ("--group", group)]
        further = [part for folder in self._folders for part in ("-e", folder)]
        own = ("-e", self._source + extras, *further)
        whole = (*needs.tools, *needs.requirements, *groups, *own)
        if self._pip("all together", whole):
            return True
        if not self._install_project():
            return False
        extended = [f"{self._source}[{extra}]" for extra in needs.extras]
        self._install_rest([*self._folders, *extended], "-e")
        self._install_rest(needs.groups, "--group")
        self._install_rest(needs.requirements)
        return True

    def do_without(self) -> bool:
        """Whether all but the project itself is there, whose modules are then found by path."""
        if self.needs.tools and not self._pip("tools", self.needs.tools):
            return False
        self._install_rest((*self.needs.dependencies, *self.needs.requirements))
        self.python_path = (f"{self._source}/src", f"{self._source}/lib", self._source)
        return True

    def result(self, interpreter: Interpreter) -> Environment:
        """What was built."""
        major, minor = interpreter.minor
        packages = f"lib/python{major}.{minor}/site-packages"
        return Environment(
            interpreter=interpreter,
            python=self._python,
            packages=str(self.workplace.inside / ENVIRONMENT / packages),
            roots=find_roots(self.workplace, packages),
            installed=self._installed(),
            python_path=self.python_path,
            steps=tuple(self.steps),
        )

    def _install_project(self) -> bool:
        tools = self.needs.tools
        if self._pip("project alone", (*tools, "-e", self._source)):
            return True
        for name in _CONSTRAINTS:
            path = str(self.workplace.inside / SETTINGS / f"{name}.txt")
            if self._looks_old() and self._pip(
                f"project built by {name}", (*tools, "-b", path, "-e", self._source)
            ):
                return True
        return self._pip("project not editable", (*tools, self._source))

    def _looks_old(self) -> bool:
        """Whether what failed last was a build, which another backend may do."""
        tail = self.steps[-1].tail
        return any(word in tail for word in ("build_", "Failed to build", "setuptools", "2to3"))

    def _install_rest(self, rest: Sequence[str], option: str = "") -> None:
        """Installs all of these together, or one by one those that can be."""
        prefix = (option,) if option else ()
        every = tuple(part for one in rest for part in (*prefix, one))
        if not rest or self._pip("further requirements", every) or len(rest) == 1:
            return
        for one in rest[:_MOST_SINGLES]:
            self._pip(one.removeprefix(self._source)[:100], (*prefix, one))

    def _installed(self) -> tuple[str, ...]:
        arguments = ("pip", "list", "--format", "json", "--python", self._python)
        finished = self.workplace.run(self._command(arguments))
        return parse_installed(finished.output)

    def _pip(self, name: str, arguments: Sequence[str]) -> bool:
        options = ("pip", "install", "--python", self._python, "--index-url", self.index_url)
        return self._uv(name, (*options, *arguments))

    def _uv(self, name: str, arguments: tuple[str, ...]) -> bool:
        command = self._command(arguments)
        if command.seconds < _LEAST_SECONDS:
            return False
        finished = self.workplace.run(command, index=True)
        tail = last_lines(finished.output)
        if finished.breach is not None:
            tail += f"\nended by its limit: {finished.breach}"
        done = finished.status == 0
        self.steps.append(Step(name, done, arguments, round(finished.seconds, 3), tail))
        return done

    def _command(self, arguments: tuple[str, ...]) -> Command:
        seconds = min(self.limits.step_seconds, self._ends - self.clock())
        environment = base_environment(self.workplace) | self._variables()
        # Where the project is, for its groups are those of the folder that uv runs in.
        folder = f"{PROJECT}/{self.needs.folder}"
        return Command((str(uv_program()), *arguments), environment, folder, seconds)

    def _variables(self) -> dict[str, str]:
        version = public_version(self.needs.version)
        variables = {
            "UV_CACHE_DIR": str(self.workplace.inside / CACHE),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": "hardlink",
            "UV_HTTP_RETRIES": "0",
            "UV_NO_SOURCES": "1",
            "UV_DEFAULT_INDEX": self.index_url,
            "PIP_INDEX_URL": self.index_url,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # There is no history of Git to take a version from.
            "SETUPTOOLS_SCM_PRETEND_VERSION": version,
            "PBR_VERSION": version,
            "PDM_BUILD_SCM_VERSION": version,
            "POETRY_DYNAMIC_VERSIONING_BYPASS": version,
            "UV_DYNAMIC_VERSIONING_BYPASS": version,
        }
        # Test suites hardly need what is fast and takes minutes to compile.
        return variables | {"CFLAGS": "-O0 -w", "CXXFLAGS": "-O0 -w"}


def public_version(revision: str) -> str:
    """A version that build backends take: the revision where it is one, else the latest of all."""
    try:
        return str(Version(revision))
    except InvalidVersion:
        return _LATEST


def parse_installed(output: bytes) -> tuple[str, ...]:
    """Lines ``name==version`` from what uv lists, of which nothing is believed; sorted."""
    try:
        lines = output.decode("utf-8", "replace").splitlines()
        listed = json.loads(next(line for line in lines if line.startswith("[")))
        found = [(entry["name"], entry["version"]) for entry in listed[:_MOST_INSTALLED]]
    except (ValueError, LookupError, TypeError, RecursionError, StopIteration):
        return ()
    installed = set[str]()
    for name, version in found:
        try:
            installed.add(f"{canonicalize_name(name, validate=True)}=={Version(version)}")
        except (ValueError, TypeError):
            continue
    return tuple(sorted(installed))


def _reason(tail: str) -> str:
    """The line that says most about a failure."""
    lines = tail.splitlines()
    errors = [line for line in lines if "rror" in line or "No solution" in line]
    return (errors or lines or ["it said nothing"])[-1].strip()[:300]

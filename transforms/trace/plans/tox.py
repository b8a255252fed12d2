"""tox's environments, from INI or TOML, as recipes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from transforms.trace.plans.context import Recipe, Step, pip_step
from transforms.trace.plans.documents import (
    DocumentError,
    Ini,
    as_list,
    as_mapping,
    as_texts,
    dig,
    parse_ini,
)
from transforms.trace.plans.repository import Repository, inside
from transforms.trace.plans.tox_values import (
    expand_braces,
    factor_lines,
    split_names,
    substitute,
)
from transforms.trace.plans.versions import interpreter_version

_FLAGS = re.compile(r"true|yes|1|on", re.IGNORECASE)
_OLDER = {
    "set_env": "setenv",
    "change_dir": "changedir",
    "env_list": "envlist",
    "base_python": "basepython",
    "skip_install": "skip_install",
    "no_package": "skipsdist",
}


class ToxFile:
    """What a repository says to tox; values by the names of tox 4, in lines."""

    def __init__(self, path: str, sections: Ini, document: dict[str, Any]) -> None:
        self.path = path
        self._document = document
        self._sections: dict[str, dict[str, str]] = {}
        for name, values in sections.items():
            for each in expand_braces(name):
                self._sections.setdefault(each, {}).update(values)

    def names(self) -> list[str]:
        """Names of environments that tox runs without being told, then all others."""
        core = self._sections.get("tox", self._sections.get("tox:tox", {}))
        text = core.get("env_list", core.get("envlist", ""))
        listed = split_names(text) + as_texts(self._document.get("env_list"))
        own = [name[8:] for name in self._sections if name.startswith("testenv:")]
        own += as_mapping(self._document.get("env"))
        names = listed or (["py"] if self._has_base() else [])
        return list(dict.fromkeys(name for name in (*names, *own) if name and name[0] != "."))

    def _has_base(self) -> bool:
        return "testenv" in self._sections or "env_run_base" in self._document

    def recipe(self, name: str, arguments: tuple[str, ...] = ()) -> Recipe | None:
        """One environment as a recipe, with arguments in the place of ``{posargs}``."""
        known = f"testenv:{name}" in self._sections or name in self.names()
        if not known and not (self._has_base() and _is_generic(name)):
            return None
        lines = _Lines(self, name, arguments)
        directory = inside(" ".join(lines.of("change_dir")) or ".")
        lines.root = _way_up(directory or ".")
        skips = any(map(_FLAGS.fullmatch, [*lines.of("skip_install"), *self._core("no_package")]))
        skips |= lines.of("package") in (["skip"], ["false"])
        deps = [word for line in lines.of("deps") for word in _dependency(line)]
        deps = [
            word.replace(f"{lines.root}/", "", 1) if lines.root != "." else word for word in deps
        ]
        commands = lines.of("commands")
        steps = [pip_step(deps)] if deps else []
        steps += [Step(text, None, directory or ".") for text in map(_plain, commands) if text]
        variables = dict(_assignment(line) for line in lines.of("set_env") if "=" in line)
        versions = (
            interpreter_version(each) for each in (*name.split("-"), *lines.of("base_python"))
        )
        return Recipe(
            path=self.path,
            name=name,
            steps=tuple(steps),
            has_project=not skips,
            extras=tuple(_names(lines.of("extras"))),
            groups=tuple(_names(lines.of("dependency_groups"))),
            environment=variables,
            interpreters=tuple(version for version in versions if version),
            notes=(),
        )

    def _core(self, key: str) -> list[str]:
        core = self._sections.get("tox", {})
        value = core.get(key, core.get(_OLDER.get(key, key), ""))
        return [*value.split(), *map(str, as_list(self._document.get(key)))]

    def raw(self, name: str, key: str) -> tuple[str | None, Any]:
        """A value of an environment or of the one that all begin with: INI text, or from TOML."""
        for section in (f"testenv:{name}", "testenv"):
            values = self._sections.get(section, {})
            for each in (key, _OLDER.get(key, key)):
                if each in values:
                    return values[each], None
        for table in (dig(self._document, "env", name), self._document.get("env_run_base")):
            if key in as_mapping(table):
                return None, as_mapping(table)[key]
        return None, None

    def section_value(self, section: str, key: str) -> str:
        """What ``{[section]key}`` stands for."""
        values = self._sections.get(section, {})
        return values.get(key, values.get(_OLDER.get(key, key), ""))

    def reference(self, path: list[str]) -> Any:
        """What a reference in TOML stands for."""
        return dig(self._document, *path)


class _Lines:
    """Lines of values of one environment, with conditions and substitutions resolved."""

    def __init__(self, file: ToxFile, name: str, arguments: tuple[str, ...]) -> None:
        self._file = file
        self._name = name
        self._arguments = arguments
        self.root = "."

    def of(self, key: str) -> list[str]:
        text, value = self._file.raw(self._name, key)
        if text is not None:
            substituted = self._substitute(text)
            return factor_lines(substituted, self._name, key == "commands")
        return list(self._of_toml(value, key, 0))

    def _substitute(self, text: str) -> str:
        return substitute(text, self._name, self.root, self._arguments, self._file.section_value)

    def _of_toml(self, value: Any, key: str, depth: int) -> Iterator[str]:
        if depth > 8:
            return
        if key == "set_env":
            yield from (
                f"{k}={self._substitute(v)}"
                for k, v in as_mapping(value).items()
                if isinstance(v, str)
            )
            return
        for item in as_list(value):
            if isinstance(item, list):
                yield shlex.join(self._of_toml(item, "words", depth + 1))
            elif isinstance(item, dict):
                yield from self._replaced(item, key, depth)
            elif isinstance(item, bool):
                yield str(item)
            elif isinstance(item, str):
                yield self._substitute(item)

    def _replaced(self, item: dict[str, Any], key: str, depth: int) -> Iterator[str]:
        if item.get("replace") == "posargs":
            yield from self._arguments or self._of_toml(item.get("default"), "words", depth + 1)
        elif item.get("replace") == "ref":
            of = as_texts(item.get("of")) or ["env", str(item.get("env")), str(item.get("key"))]
            yield from self._of_toml(self._file.reference(of), key, depth + 1)
        elif "default" in item:
            yield from self._of_toml(item["default"], key, depth + 1)


def read_tox(repository: Repository) -> ToxFile | None:
    """The file that tox would read, None where there is none."""
    if "tox.ini" in repository.files and (sections := repository.ini("tox.ini")):
        if any(name == "tox" or name.startswith("testenv") for name in sections):
            return ToxFile("tox.ini", sections, {})
    sections = repository.ini("setup.cfg")
    if "tox:tox" in sections:
        return ToxFile("setup.cfg", sections, {})
    table = as_mapping(dig(repository.pyproject, "tool", "tox"))
    if isinstance(legacy := table.get("legacy_tox_ini"), str):
        try:
            return ToxFile("pyproject.toml", parse_ini(legacy), {})
        except DocumentError as error:
            repository.problems["pyproject.toml"] = f"pyproject.toml: legacy_tox_ini: {error}"
    if table:
        return ToxFile("pyproject.toml", {}, table)
    document = repository.toml("tox.toml")
    return ToxFile("tox.toml", {}, document) if document else None


def _is_generic(name: str) -> bool:
    """Whether tox makes an environment of such a name up where none is configured."""
    return all(each in {"py", "pypy3"} or interpreter_version(each) for each in name.split("-"))


def _way_up(directory: str) -> str:
    return "." if directory == "." else "/".join([".."] * len(directory.split("/")))


def _dependency(line: str) -> list[str]:
    """Arguments of pip for a line of dependencies, of which options are several."""
    if line.startswith("-"):
        return line.replace("=", " ", 1).split() if line.startswith("--") else line.split()
    return [line]


def _plain(command: str) -> str:
    """A command without marks that its failure counts not; none where failure is wanted."""
    command = command.strip()
    return "" if command.startswith("!") else command.removeprefix("-").strip()


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def _names(lines: list[str]) -> list[str]:
    return [name for line in lines for name in line.replace(",", " ").lower().split()]

"""Targets of Makefiles and justfiles as recipes."""

from __future__ import annotations

import re

from transforms.trace.plans.context import Recipe, Step
from transforms.trace.plans.repository import Repository

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
JUSTFILES = ("justfile", "Justfile", ".justfile")
_MAX_TARGETS = 400

_ASSIGNMENT = re.compile(
    r"(?:export\s+)?(?P<name>[\w.-]{1,100})\s{0,20}(?:::?|\?|\+|!)?=(?P<value>.*)"
)
_RULE = re.compile(r"(?P<targets>[^\s:=#][^:=#]{0,400}?)\s{0,20}::?(?!=)(?P<needs>[^=]*)")
_JUST_RULE = re.compile(
    r"@?(?P<target>[\w-]{1,100})(?P<arguments>(?:\s[^:]{0,300})?):(?!=)(?P<needs>.*)"
)
_REFERENCE = re.compile(r"\$[({](?P<name>[\w.-]{1,100})[)}]")
_JUST_REFERENCE = re.compile(r"\{\{\s{0,20}(?P<name>[\w-]{0,100})\s{0,20}\}\}")


def make_target(repository: Repository, name: str | None, directory: str) -> Recipe | None:
    """A target of the Makefile in a directory, the first without a name; None if there is none."""
    return _target(repository, MAKEFILES, name, directory)


def just_target(repository: Repository, name: str | None, directory: str) -> Recipe | None:
    """A target of the justfile in a directory, the first without a name; None if there is none."""
    return _target(repository, JUSTFILES, name, directory)


def _target(
    repository: Repository, files: tuple[str, ...], name: str | None, directory: str
) -> Recipe | None:
    prefix = "" if directory == "." else f"{directory}/"
    path = next((prefix + file for file in files if prefix + file in repository.files), None)
    if path is None:
        return None
    targets = _Targets(repository.text(path), files is JUSTFILES)
    wanted = name or next(iter(targets.needs), "")
    if wanted not in targets.needs:
        return None
    program = "just" if files is JUSTFILES else "make"
    before = [
        Step(f"{program} {need}", None, directory)
        for need in targets.needs[wanted]
        if need in targets.needs and need != wanted
    ]
    own = [Step(text, line, directory) for line, text in targets.lines[wanted]]
    return Recipe(path, wanted, (*before, *own))


class _Targets:
    """Targets of a file: what each needs, and the lines of shell text that it runs."""

    def __init__(self, text: str, is_just: bool) -> None:
        self.needs: dict[str, list[str]] = {}
        self.lines: dict[str, list[tuple[int, str]]] = {}
        self._variables: dict[str, str] = {"MAKE": "make", "CURDIR": "."}
        self._is_just = is_just
        current: list[str] = []
        for number, line in _continued(text):
            if line[:1] in {"\t", " "} and line.strip():
                for target in current:
                    self._add_line(target, number, line)
            elif line.strip() and not line.startswith("#"):
                current = self._read_head(line, current)

    def _read_head(self, line: str, current: list[str]) -> list[str]:
        assigned = _ASSIGNMENT.fullmatch(line)
        if assigned:
            self._variables[assigned["name"]] = assigned["value"].strip().strip("\"'")
            return []
        if self._is_just:
            match = _JUST_RULE.fullmatch(line)
            names = [match["target"]] if match else []
        else:
            match = _RULE.match(line)
            names = match["targets"].split() if match else []
        if match is None or len(self.needs) > _MAX_TARGETS:
            return current if line.startswith(("if", "else", "endif")) else []
        needs, _, command = match["needs"].partition(";")
        names = [name for name in names if not name.startswith(".") and "%" not in name]
        for name in names:
            self.needs.setdefault(name, []).extend(needs.partition("#")[0].split())
            self.lines.setdefault(name, [])
            if command.strip():
                self.lines[name].append((0, command.strip()))
        return names

    def _add_line(self, target: str, number: int, line: str) -> None:
        text = line.strip().lstrip("@-+ ")
        pattern = _JUST_REFERENCE if self._is_just else _REFERENCE
        for _ in range(5):
            replaced = pattern.sub(self._value, text)[:8_000]
            if replaced == text:
                break
            text = replaced
        if not self._is_just:
            text = text.replace("$$", "$")
        if text and not text.startswith("#"):
            self.lines[target].append((number, text))

    def _value(self, match: re.Match[str]) -> str:
        # What the caller would have to give is empty, as it is for make.
        return self._variables.get(match["name"], "")


def _continued(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers from 1 on, continued ones joined."""
    found: list[tuple[int, str]] = []
    joined = ""
    start = 0
    for number, line in enumerate(text.splitlines(), start=1):
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        found.append((start, joined + line))
        joined, start = "", 0
    return found

"""Scripts and environments of hatch, pdm, poe and pipenv, as recipes."""

from __future__ import annotations

import re
import shlex
from typing import Any

from transforms.trace.plans.context import Recipe, Step, pip_step
from transforms.trace.plans.documents import as_list, as_mapping, as_texts, dig
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.versions import interpreter_version

HATCH_TEST = "hatch-test"
_MAX_DEPTH = 6
_ARGUMENTS = re.compile(r"\{args(?::(?P<default>[^{}]{0,400}))?\}")
_CONTEXT = re.compile(r"\{(?:root|home)(?::\w+)?\}")
# What `hatch test` installs and runs where nothing is configured (hatch 1.14).
_HATCH_TEST = {
    "dependencies": ["coverage-enable-subprocess", "coverage[toml]", "pytest", "pytest-mock",
                     "pytest-randomly", "pytest-rerunfailures", "pytest-xdist[psutil]"],
    "scripts": {"run": "pytest{env:HATCH_TEST_ARGS:} {args:tests}"},
}  # fmt: skip


def hatch_environments(repository: Repository) -> tuple[str, dict[str, Any]]:
    """The file that has hatch's environments, and the environments; "" and none without."""
    if "hatch.toml" in repository.files:
        return "hatch.toml", as_mapping(repository.toml("hatch.toml").get("envs"))
    found = as_mapping(dig(repository.pyproject, "tool", "hatch", "envs"))
    return ("pyproject.toml" if found else ""), found


def hatch_recipe(repository: Repository, name: str, words: list[str]) -> Recipe | None:
    """A command in one of hatch's environments; None where there is no such environment."""
    path, environments = hatch_environments(repository)
    if name == HATCH_TEST:
        environments = {**environments, name: _HATCH_TEST | as_mapping(environments.get(name))}
    if name not in environments and name != "default":
        return None
    values = _inherited(environments, name)
    scripts = as_mapping(values.get("scripts"))
    dependencies = [
        text for key in ("dependencies", "extra-dependencies") for text in as_texts(values.get(key))
    ]
    steps = [pip_step(dependencies)] if dependencies else []
    steps += [Step(line) for line in _script_lines(scripts, words, 0)]
    matrix = [
        version
        for row in as_list(values.get("matrix"))
        for version in as_texts(as_mapping(row).get("python"))
    ]
    versions = map(interpreter_version, [*matrix, *as_texts(values.get("python"))])
    return Recipe(
        path=path or "pyproject.toml",
        name=f"{name}:{' '.join(words)}",
        steps=tuple(steps),
        has_project=str(values.get("skip-install", False)).lower() != "true",
        extras=tuple(map(str.lower, as_texts(values.get("features")))),
        groups=tuple(map(str.lower, as_texts(values.get("dependency-groups")))),
        environment=_texts(as_mapping(values.get("env-vars"))),
        interpreters=tuple(version for version in versions if version),
    )


def _inherited(environments: dict[str, Any], name: str) -> dict[str, Any]:
    """An environment's values over those of its template, "default" unless it says else."""
    values: dict[str, Any] = {}
    for _ in range(_MAX_DEPTH):
        own = as_mapping(environments.get(name))
        values = {**own, **values, "scripts": {**as_mapping(own.get("scripts")),
                                               **as_mapping(values.get("scripts"))}}  # fmt: skip
        template = own.get("template", "default" if name != HATCH_TEST else name)
        if template == name or not isinstance(template, str):
            break
        name = template
    return values


def _script_lines(scripts: dict[str, Any], words: list[str], depth: int) -> list[str]:
    """Lines that a command comes to, where its first word may name a script."""
    if not words or words[0] not in scripts or depth > _MAX_DEPTH:
        return [shlex.join(words)] if words else []
    found: list[str] = []
    for line in as_texts(scripts[words[0]])[:50]:
        text = _with_arguments(line, words[1:])
        inner = text.removeprefix("- ").split()
        if inner and inner[0] in scripts and inner[0] != words[0]:
            found += _script_lines(scripts, inner, depth + 1)
        else:
            found.append(text.removeprefix("- "))
    return found[:200]


def _with_arguments(line: str, arguments: list[str]) -> str:
    line = re.sub(r"\{env:[^{}]{0,200}\}", "", line[:4_000])
    line = _CONTEXT.sub(".", line)
    return _ARGUMENTS.sub(lambda match: shlex.join(arguments) or match["default"] or "", line)


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def named_script(repository: Repository, tool: str, name: str, rest: list[str]) -> Recipe | None:
    """A script of pdm, poe or pipenv by its name, with arguments added; None if there is none."""
    path, table = _script_table(repository, tool)
    if name not in table:
        return None
    value = table[name]
    common = as_mapping(table.get("_")) if tool == "pdm" else {}
    settings = as_mapping(value)
    lines = _values(tool, value)
    if len(lines) == 1 and rest:
        lines = [f"{lines[0]} {shlex.join(rest)}"]
    environment = {**as_mapping(common.get("env")), **as_mapping(settings.get("env"))}
    directory = settings.get("working_dir", settings.get("cwd", "."))
    lines = [re.sub(r"\{args(?::([^{}]*))?\}", r"\1", line[:4_000]) for line in lines]
    where = directory if isinstance(directory, str) else "."
    return Recipe(
        path, name, tuple(Step(line, None, where) for line in lines),
        environment=_texts(environment),
    )  # fmt: skip


def _script_table(repository: Repository, tool: str) -> tuple[str, dict[str, Any]]:
    if tool == "pipenv":
        return "Pipfile", as_mapping(repository.toml("Pipfile").get("scripts"))
    section = {"pdm": "scripts", "poe": "tasks", "rye": "scripts"}[tool]
    return "pyproject.toml", as_mapping(dig(repository.pyproject, "tool", tool, section))


def _values(tool: str, value: Any) -> list[str]:
    """Shell lines of a script in one of the several ways in which it can be written."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        # Names of other tasks for poe, one command's words for the others.
        if tool == "poe":
            return [_task(tool, each) for each in value[:50]]
        return [shlex.join(as_texts(value))]
    table = as_mapping(value)
    for key in ("cmd", "shell", "chain"):
        if isinstance(table.get(key), str):
            return [table[key]]
        if isinstance(table.get(key), list):
            return [shlex.join(as_texts(table[key]))]
    for key in ("composite", "sequence"):
        if key in table:
            return [_task(tool, each) for each in as_list(table[key])[:50]]
    return []


def _task(tool: str, value: Any) -> str:
    if isinstance(value, str):
        return f"{tool} run {value}" if tool != "poe" else f"poe {value}"
    return " ".join(as_texts(as_mapping(value).get("cmd"))[:1])


def script_names(repository: Repository, tool: str) -> list[str]:
    """Names of all scripts of a tool."""
    return list(_script_table(repository, tool)[1])

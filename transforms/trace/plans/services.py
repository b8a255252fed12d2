"""GitLab CI, Travis and CircleCI: their jobs as recipes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from transforms.trace.plans.context import Recipe, Step
from transforms.trace.plans.documents import as_list, as_mapping, as_texts, dig
from transforms.trace.plans.github import line_of
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.versions import interpreter_version

GITLAB = ".gitlab-ci.yml"
TRAVIS = ".travis.yml"
CIRCLECI = ".circleci/config.yml"
_MAX_JOBS = 100
_MAX_EXTENDS = 10
_IMAGE = re.compile(r"(?:^|/)(?:python|cimg/python|circleci/python):(?P<version>[^\s@]{1,40})$")
_PARAMETER = re.compile(r"<<\s{0,9}(?P<name>[\w.-]{1,100})\s{0,9}>>")
_VARIABLE = re.compile(r"(?P<name>\w{1,100})=(?P<value>\"[^\"]*\"|'[^']*'|\S*)")
_GITLAB_OTHERS = """
    default include stages variables workflow image services cache before_script after_script
    pages
"""
_GITLAB_KEYS = frozenset(_GITLAB_OTHERS.split())


def gitlab_jobs(repository: Repository) -> Iterator[Recipe]:
    """Jobs of GitLab CI with what they extend."""
    document = as_mapping(repository.yaml(GITLAB))
    default = as_mapping(document.get("default"))
    names = [name for name in document if name not in _GITLAB_KEYS and name[:1] != "."]
    for name in names[:_MAX_JOBS]:
        job = _extended(document, name)
        before = job.get(
            "before_script", document.get("before_script", default.get("before_script"))
        )
        lines = [*_lines(before), *_lines(job.get("script"))]
        image = job.get("image", document.get("image", default.get("image")))
        variables = _texts(document.get("variables")) | _texts(job.get("variables"))
        matrix = [as_mapping(row) for row in as_list(dig(job, "parallel", "matrix"))[:20]]
        for key, values in (matrix[0] if matrix else {}).items():
            variables[key] = (as_texts(values) or [""])[-1]
        named = [text for row in matrix for values in row.values() for text in as_texts(values)]
        yield Recipe(
            path=GITLAB,
            name=name,
            steps=(_script(repository, GITLAB, lines),),
            environment=variables,
            interpreters=tuple(_versions([*_image(image), *named])),
        )


def _extended(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A job's values over those of the jobs that it extends."""
    job: dict[str, Any] = {}
    pending = [name]
    for _ in range(_MAX_EXTENDS):
        if not pending:
            break
        own = as_mapping(document.get(pending.pop(0)))
        job = {**own, **job}
        pending += as_texts(own.get("extends"))[::-1]
    return job


def _lines(value: Any) -> list[str]:
    """Lines of a script, which may be nested lists where aliases are used."""
    found: list[str] = []
    for item in as_list(value):
        found += as_texts(item)
    return found


def _image(value: Any) -> list[str]:
    name = value if isinstance(value, str) else as_mapping(value).get("name")
    match = _IMAGE.search(name) if isinstance(name, str) else None
    return [match["version"].partition("-")[0]] if match else []


def _versions(texts: list[str]) -> Iterator[str]:
    yield from (version for text in texts if (version := interpreter_version(text)))


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in as_mapping(value).items() if isinstance(text, str)}


def _script(repository: Repository, path: str, lines: list[str]) -> Step:
    """All lines of a job as one step, since one shell runs them."""
    line = line_of(repository.text(path), lines[0]) if len(lines) == 1 else None
    return Step("\n".join(lines), line)


def travis_jobs(repository: Repository) -> Iterator[Recipe]:
    """Travis's job for each of its stages' scripts, the common one first."""
    document = as_mapping(repository.yaml(TRAVIS))
    if not document:
        return
    versions = as_texts(document.get("python"))
    environment = document.get("env")
    variables = _travis_variables(environment)
    includes = [
        as_mapping(each) for key in ("jobs", "matrix")
        for each in as_list(as_mapping(document.get(key)).get("include"))[:_MAX_JOBS]
    ]  # fmt: skip
    versions += [text for each in includes for text in as_texts(each.get("python"))]
    for number, job in enumerate([{}, *includes]):
        if number and "script" not in job and "env" not in job:
            continue
        values = {**document, **job}
        lines = [
            line
            for key in ("before_install", "install", "before_script", "script")
            for line in _lines(values.get(key))
        ]
        yield Recipe(
            path=TRAVIS,
            name=str(job.get("name", job.get("stage", f"job-{number}"))),
            steps=(_script(repository, TRAVIS, lines),),
            environment=variables | _travis_variables(job.get("env")),
            interpreters=tuple(_versions(versions)),
        )


def _travis_variables(value: Any) -> dict[str, str]:
    """Variables of ``env``: those for all jobs, and the last row of its matrix."""
    if isinstance(value, dict):
        rows = as_texts(value.get("global")) + as_texts(as_list(value.get("jobs"))[-1:])
        rows += as_texts(as_list(value.get("matrix"))[-1:])
        found = {k: v for k, v in _texts(value).items() if k not in {"global", "jobs", "matrix"}}
    else:
        rows, found = as_texts(as_list(value)[-1:]), {}
    for row in rows:
        for match in _VARIABLE.finditer(row[:2_000]):
            found[match["name"]] = match["value"].strip("\"'")
    return found


def circleci_jobs(repository: Repository) -> Iterator[Recipe]:
    """CircleCI's jobs, with the commands that the configuration defines in their place."""
    document = as_mapping(repository.yaml(CIRCLECI))
    commands = as_mapping(document.get("commands"))
    for name, value in list(as_mapping(document.get("jobs")).items())[:_MAX_JOBS]:
        job = as_mapping(value)
        executor = as_mapping(dig(document, "executors", str(job.get("executor"))))
        images = [*as_list(job.get("docker")), *as_list(executor.get("docker"))]
        versions = [v for each in images for v in _image(as_mapping(each).get("image"))]
        versions += [text for row in _circle_matrices(document, name) for text in row]
        yield Recipe(
            path=CIRCLECI,
            name=name,
            steps=tuple(_circle_steps(repository, job.get("steps"), commands, 0)),
            environment=_texts(job.get("environment")),
            interpreters=tuple(_versions(versions)),
        )


def _circle_matrices(document: dict[str, Any], name: str) -> Iterator[list[str]]:
    for workflow in as_mapping(document.get("workflows")).values():
        for item in as_list(as_mapping(workflow).get("jobs")):
            parameters = as_mapping(dig(item, name, "matrix", "parameters"))
            for values in parameters.values():
                yield [text.rpartition(":")[2] for text in as_texts(values)]


def _circle_steps(
    repository: Repository, items: Any, commands: dict[str, Any], depth: int
) -> Iterator[Step]:
    text = repository.text(CIRCLECI)
    for item in as_list(items)[:100]:
        if isinstance(item, str) and item in commands and depth < 4:
            inner = as_mapping(commands[item]).get("steps")
            yield from _circle_steps(repository, inner, commands, depth + 1)
            continue
        for key, value in as_mapping(item).items():
            if key == "run":
                table = as_mapping(value)
                run = value if isinstance(value, str) else table.get("command")
                if isinstance(run, str):
                    where = table.get("working_directory")
                    yield Step(_PARAMETER.sub("$UNKNOWN", run), line_of(text, run),
                               where if isinstance(where, str) else ".",
                               _texts(table.get("environment")))  # fmt: skip
            elif key in {"when", "unless"} or (key in commands and depth < 4):
                inner = as_mapping(value if key in {"when", "unless"} else commands[key])
                yield from _circle_steps(repository, inner.get("steps"), commands, depth + 1)

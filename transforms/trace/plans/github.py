"""GitHub workflows: their jobs as recipes, one combination of each matrix chosen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.trace.plans.context import Recipe, Step
from transforms.trace.plans.documents import as_list, as_mapping, as_texts, dig
from transforms.trace.plans.repository import Repository, inside
from transforms.trace.plans.versions import interpreter_version

MAX_WORKFLOWS = 40
MAX_COMBINATIONS = 256
_MAX_STEPS = 100
_WORKFLOW = re.compile(r"\.github/workflows/[^/]{1,200}\.ya?ml")
_EXPRESSION = re.compile(r"\$\{\{(?P<inner>[^{}]{0,400})\}\}")
_COMPARISON = re.compile(
    r"(?P<left>[\w.-]{1,100})\s{0,9}(?P<operator>[!=]=)\s{0,9}'(?P<right>[^']{0,100})'"
)
_STARTS = re.compile(r"startsWith\((?P<left>[\w.-]{1,100}),\s{0,9}'(?P<right>[^']{0,100})'\)")
_UNKNOWN = "$UNKNOWN"

Values = Mapping[str, str]


@dataclass(frozen=True)
class _Scope:
    """Names that expressions may use, and variables with values in them filled in."""

    values: Values

    def fill(self, text: str) -> str:
        """A text with expressions replaced; what is not known stays a variable without value."""
        return _EXPRESSION.sub(lambda match: self._value(match["inner"]), text[:100_000])

    def _value(self, inner: str) -> str:
        for part in inner.split("||"):
            name = part.strip()
            found = name[1:-1] if re.fullmatch(r"'[^']*'", name) else self.values.get(name)
            if found:
                return found
        return "" if "matrix." in inner and "(" not in inner else _UNKNOWN

    def variables(self, table: Any) -> dict[str, str]:
        """Variables of an ``env`` table."""
        return {
            name: self.fill(value)
            for name, value in as_mapping(table).items()
            if isinstance(value, str)
        }

    def excludes(self, condition: Any) -> bool:
        """Whether a condition is known not to hold; a conjunction by any of its parts."""
        if not isinstance(condition, str) or "||" in condition:
            return False
        for match in _COMPARISON.finditer(condition):
            value = self.values.get(match["left"])
            is_equal = (value or "").lower() == match["right"].lower()
            if value is not None and is_equal != (match["operator"] == "=="):
                return True
        for match in _STARTS.finditer(condition):
            value = self.values.get(match["left"])
            negated = condition[: match.start()].rstrip().endswith("!")
            if value is not None and value.startswith(match["right"]) == negated:
                return True
        return False


def github_jobs(repository: Repository) -> Iterator[Recipe]:
    """Jobs of all workflows that run on Linux, in the order of files and of jobs."""
    paths = sorted(path for path in repository.files if _WORKFLOW.fullmatch(path))
    for path in paths[:MAX_WORKFLOWS]:
        workflow = as_mapping(repository.yaml(path))
        for name, job in as_mapping(workflow.get("jobs")).items():
            recipe = _job(repository, path, name, as_mapping(job), workflow)
            if recipe is not None:
                yield recipe


def _job(
    repository: Repository, path: str, name: str, job: dict[str, Any], workflow: dict[str, Any]
) -> Recipe | None:
    combinations = _combinations(as_mapping(dig(job, "strategy", "matrix")))
    scope = _scope(min(combinations, key=_preference))
    if _runs_elsewhere(scope.fill(" ".join(as_texts(job.get("runs-on"))))):
        return None
    values = dict(scope.values)
    for table in (workflow.get("env"), job.get("env")):
        for key, value in _Scope(values).variables(table).items():
            values[f"env.{key}"] = value
    scope = _Scope(values)
    directory = next(
        (
            found
            for table in (job, workflow)
            if isinstance(found := dig(table, "defaults", "run", "working-directory"), str)
        ),
        ".",
    )
    steps = list(_steps(repository, path, job.get("steps"), scope, directory, 0))
    if used := job.get("uses"):
        steps += _used(repository, str(used), as_mapping(job.get("with")), scope, directory, 0)
    environment = {key[4:]: value for key, value in values.items() if key.startswith("env.")}
    return Recipe(
        path=path,
        name=name,
        steps=tuple(steps[:_MAX_STEPS]),
        environment=environment,
        interpreters=tuple(_interpreters(job, combinations)),
    )


def _combinations(matrix: dict[str, Any]) -> list[dict[str, str]]:
    """All combinations of a matrix, with what ``include`` adds and ``exclude`` takes away."""
    axes = {
        key: [_entry(item) for item in as_list(value)]
        for key, value in matrix.items()
        if key not in {"include", "exclude"} and isinstance(value, list)
    }
    product = itertools.islice(itertools.product(*axes.values()), MAX_COMBINATIONS)
    base = [_flat(dict(zip(axes, row, strict=True))) for row in product] if axes else []
    excluded = [_flat(as_mapping(each)) for each in as_list(matrix.get("exclude"))[:50]]
    base = [row for row in base if not any(each.items() <= row.items() for each in excluded)]
    added = []
    for include in as_list(matrix.get("include"))[:100]:
        values = _flat(as_mapping(include))
        shared = {key: value for key, value in values.items() if key in axes}
        matching = [row for row in base if shared.items() <= row.items()] if axes else []
        for row in matching:
            row.update(values)
        if not matching:
            added.append(values)
    return (base + added) or [{}]


def _entry(item: Any) -> Any:
    return item if isinstance(item, str | dict) else ""


def _flat(row: dict[str, Any]) -> dict[str, str]:
    """A combination with values of tables under dotted names."""
    found: dict[str, str] = {}
    for key, value in row.items():
        if isinstance(value, str):
            found[key] = value
        elif isinstance(value, list):
            found[key] = " ".join(as_texts(value))
        for inner, each in as_mapping(value).items():
            if isinstance(each, str):
                found[f"{key}.{inner}"] = each
    return found


def _preference(row: dict[str, str]) -> tuple[bool, bool, list[int]]:
    """Linux before others, CPython before others, newer before older but for previews."""
    text = " ".join(row.values())
    versions = [found for value in row.values() if (found := interpreter_version(value))]
    newest = max(([int(n) for n in each.split(".")] for each in versions), default=[0, 0])
    is_odd = bool(re.search(r"pypy|graalpy|jython|-dev|alpha|beta|rc\d|experimental", text))
    return _runs_elsewhere(text), is_odd or (not versions and len(row) > 0), [-n for n in newest]


def _scope(row: dict[str, str]) -> _Scope:
    values = {f"matrix.{key}": value for key, value in row.items()}
    return _Scope({**values, "runner.os": "Linux", "github.workspace": "."})


def _runs_elsewhere(text: str) -> bool:
    lowered = text.lower()
    return ("windows" in lowered or "macos" in lowered) and "ubuntu" not in lowered


def _interpreters(job: dict[str, Any], combinations: list[dict[str, str]]) -> Iterator[str]:
    for row in combinations:
        for key, value in row.items():
            version = interpreter_version(value) if "py" in key.lower() or "tox" in key else None
            if version or "py" in key.lower():
                words = [version] if version else map(interpreter_version, value.split())
                yield from (each for each in words if each)
    for step in as_list(job.get("steps")):
        given = dig(step, "with", "python-version")
        for text in as_texts(given):
            yield from (v for word in text.split() if (v := interpreter_version(word)))


def _steps(
    repository: Repository, path: str, items: Any, scope: _Scope, directory: str, depth: int
) -> Iterator[Step]:
    """Steps that run something, with those of the repository's own actions in their place."""
    text = repository.text(path)
    for item in map(as_mapping, as_list(items)[:_MAX_STEPS]):
        if scope.excludes(item.get("if")) or str(item.get("shell", "bash")) in {"pwsh", "cmd"}:
            continue
        where = item.get("working-directory")
        where = scope.fill(where) if isinstance(where, str) else directory
        if isinstance(run := item.get("run"), str):
            line = line_of(text, run)
            yield Step(scope.fill(run), line, where, scope.variables(item.get("env")))
        elif isinstance(used := item.get("uses"), str):
            yield from _used(repository, used, as_mapping(item.get("with")), scope, where, depth)


def _used(
    repository: Repository, used: str, given: dict[str, Any], scope: _Scope, directory: str,
    depth: int,
) -> Iterator[Step]:  # fmt: skip
    """What an action runs: those of the repository itself are read, of others a few are known."""
    name = used.partition("@")[0]
    if name.startswith("./") and depth < 3:
        folder = inside(name) or ""
        for path in (f"{folder}/action.yml", f"{folder}/action.yaml"):
            if path in repository.files:
                action = as_mapping(repository.yaml(path))
                inner = _with_inputs(action, given, scope)
                items = dig(action, "runs", "steps")
                yield from _steps(repository, path, items, inner, directory, depth + 1)
    elif re.search(r"(?:^|[/-])tox(?:\.ya?ml|-action)?$", name):
        arguments = next((str(given[key]) for key in ("tox-args", "args") if key in given), "")
        yield Step(f"tox {scope.fill(arguments)}", None, directory)


def _with_inputs(action: dict[str, Any], given: dict[str, Any], scope: _Scope) -> _Scope:
    values = dict(scope.values)
    for key, declared in as_mapping(action.get("inputs")).items():
        value = given.get(key, as_mapping(declared).get("default", ""))
        if isinstance(value, str):
            values[f"inputs.{key}"] = scope.fill(value)
    return _Scope(values)


def line_of(text: str, fragment: str) -> int | None:
    """The line, from 1 on, where a fragment's first line stands in a text; None if it does not."""
    first = next((line.strip() for line in fragment.splitlines() if line.strip()), "")
    place = text.find(first) if first else -1
    return None if place < 0 else text.count("\n", 0, place) + 1

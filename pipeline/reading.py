"""Reading a configuration: YAML and ``--set`` in, a checked one or one clear error out."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.configuration import Configuration
from pipeline.errors import UsageError
from transforms.crawl.git.urls import without_credentials
from transforms.stores.errors import StoreError
from transforms.stores.store import local_path


def read_configuration(
    path: Path | str, *, output: str | None = None, changes: Sequence[str] = ()
) -> Configuration:
    """Reads the configuration at a path or address, with ``key.key=value`` changes over it.

    Raises:
      UsageError: the file is missing or no YAML, or a key or value is wrong.
    """
    body = _read_yaml(path)
    for change in changes:
        _apply(body, change)
    if output is not None:
        body["output"] = output
    try:
        return Configuration.model_validate(body)
    except ValidationError as error:
        # Those that end in an example come last.
        lines = sorted(map(describe_error, _without_echoes(error.errors())), key=_line_count)
        raise UsageError(f"{path}: " + "\n".join(dict.fromkeys(lines))) from error


def write_configuration(configuration: Configuration) -> str:
    """The resolved configuration as YAML, with every default spelled out."""
    body = configuration.model_dump(mode="json", exclude={"sources"})
    sources = [
        {entry.kind: entry.source.model_dump(mode="json", exclude_none=True)}
        for entry in configuration.sources
    ]
    return yaml.safe_dump({"sources": sources, **body}, sort_keys=False, allow_unicode=True)


def _without_echoes(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Errors without that there are no sources where it is because all of them are wrong."""
    wrong = {error["loc"][:1] for error in errors if len(error["loc"]) > 1}
    return [error for error in errors if error["loc"] not in wrong or error["type"] != "too_short"]


def _line_count(text: str) -> int:
    return text.count("\n")


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML readers silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} is given twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path | str) -> dict[str, Any]:
    try:
        text = local_path(str(path)).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"no configuration at {path}. A first one:\n"
            "sources:\n  - pypi: {projects: [boltons]}\noutput: my-run"
        ) from error
    except StoreError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    try:
        body = yaml.load(text, _UniqueKeyLoader)  # noqa: S506  a subclass of SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path} is not YAML: {error}") from error
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise UsageError(f"{path} must be a mapping of keys such as sources, not {body!r:.60}")
    return body


def _apply(body: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {change}: must be key=value, such as shard.context_length=1024")
    *parents, last = key.split(".")
    place = body
    for parent in parents:
        below = place.setdefault(parent, {})
        if not isinstance(below, dict):
            raise UsageError(f"--set {change}: {parent} is not a mapping")
        place = below
    try:
        place[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {change}: {text!r} is no YAML value") from error


def describe_error(details: ErrorDetails) -> str:
    """One line that says what is wrong with a configuration and what is allowed there."""
    location = details["loc"]
    name = ".".join(str(part) for part in location) or "configuration"
    match details["type"]:
        case "extra_forbidden":
            known = _keys_at(location[:-1])
            return f"{name}: unknown key; {nearest(str(location[-1]), known)}"
        case "missing" if location == ("sources",):
            return "no sources: say where repositories come from, such as\n" + _EXAMPLE
        case "missing":
            return f"{name}: must be given"
        case "model_type":
            source = location[:1] == ("sources",) and len(location) == 2
            form = "a source is a mapping with exactly one of" if source else "must be a mapping of"
            return f"{name}: {form} {', '.join(_keys_at(location))}{_shown(details)}"
        case "too_short" if location == ("sources",):
            return "no sources: say where repositories come from, such as\n" + _EXAMPLE
    message = details["msg"].removeprefix("Value error, ")
    return f"{name}: {message}{_shown(details)}"


def _shown(details: ErrorDetails) -> str:
    given = details["input"]
    return (
        ""
        if isinstance(given, Mapping | BaseModel)
        else f" (got {without_credentials(repr(given)):.80})"
    )


_EXAMPLE = "sources:\n  - pypi: {projects: [boltons]}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them if none is near."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(words)}"


def _keys_at(location: Sequence[int | str]) -> list[str]:
    """The keys that the configuration knows at a place."""
    model: Any = Configuration
    for part in location:
        if isinstance(part, str) and part in getattr(model, "model_fields", {}):
            model = _model_in(model.model_fields[part].annotation)
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None

"""YAML, TOML and INI of strangers, read within bounds."""

from __future__ import annotations

import configparser
import tomllib
from typing import Any

import yaml

# The largest of the 17 projects' workflows and tox files that this was tried on has 40 kB.
MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
"""Nodes of a YAML document with all of its aliases written out."""

Ini = dict[str, dict[str, str]]

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


class DocumentError(ValueError):
    """A document is too large or is not what its name says."""


class _Loader(_BASE):  # type: ignore[misc]
    """Reads all scalars as text, so that version 3.10 stays apart from 3.1, and no tags."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        "<": [pair for pair in yaml.SafeLoader.yaml_implicit_resolvers["<"] if pair[0] == _MERGE]
    }
    yaml_constructors = {  # noqa: RUF012
        tag: yaml.SafeLoader.yaml_constructors[tag]
        for tag in (f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str"))
    }


def _untagged(loader: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.yaml_constructors[None] = _untagged  # type: ignore[index]


def parse_yaml(text: str) -> Any:
    """A YAML document of texts, lists and dictionaries; raises `DocumentError`.

    Aliases are followed as long as the document stays within `MAX_NODES` with them.
    """
    _check_length(text)
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _count_nodes(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise DocumentError(f"no YAML: {_brief(error)}") from error


def _check_depth(text: str) -> None:
    """Refuses deep documents by their events, since composing one recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=_BASE):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise DocumentError(f"more than {MAX_DEPTH} levels")


def _count_nodes(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes a tree has with aliases written out; raises `DocumentError`."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    key = id(node)
    if key not in sizes:
        sizes[key] = MAX_NODES + 1  # what a node inside of itself finds
        pairs = isinstance(node, yaml.MappingNode)
        children = [each for pair in node.value for each in pair] if pairs else node.value
        sizes[key] = 1 + sum(_count_nodes(child, sizes) for child in children)
    if sizes[key] > MAX_NODES:
        raise DocumentError(f"more than {MAX_NODES} nodes with all aliases")
    return sizes[key]


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML document; raises `DocumentError`."""
    _check_length(text)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"no TOML: {_brief(error)}") from error


def parse_ini(text: str) -> Ini:
    """Sections of an INI file, without interpolation; raises `DocumentError`."""
    _check_length(text)
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    # Names of sections and of variables keep their case.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
        sections = {name: dict(parser.items(name)) for name in parser.sections()}
    except (configparser.Error, ValueError, AttributeError, TypeError) as error:
        raise DocumentError(f"no INI: {_brief(error)}") from error
    return {name: {k: v or "" for k, v in items.items()} for name, items in sections.items()}


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(f"{len(text)} characters, {MAX_CHARACTERS} at most are read")


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def as_mapping(value: Any) -> dict[str, Any]:
    """A value where it is a dictionary with texts as keys, else an empty one."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str)}


def as_list(value: Any) -> list[Any]:
    """A value where it is a list, an empty list for nothing, else a list of just the value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_texts(value: Any) -> list[str]:
    """The texts of a list, or a text as the only one of a list."""
    return [each for each in as_list(value) if isinstance(each, str)]


def dig(value: Any, *keys: str) -> Any:
    """What stands under keys in nested dictionaries, None where anything on the way is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value

"""Poetry's own tables of pyproject.toml, with its constraints as standard requirements."""

from __future__ import annotations

import re
from typing import Any

from packaging.utils import canonicalize_name

from transforms.trace.plans.documents import as_mapping, as_texts

_BOUND = re.compile(r"(?P<kind>\^|~(?!=))\s*(?P<version>\d{1,9}(?:\.\d{1,9}){0,5})\S{0,30}")


def requires_python(settings: dict[str, Any]) -> str:
    """The specifier of Python versions, empty where there is none."""
    constraint = as_mapping(settings.get("dependencies")).get("python")
    return _specifier(constraint) if isinstance(constraint, str) else ""


def dependencies(settings: dict[str, Any]) -> list[str]:
    """Requirements of the project itself, without optional ones."""
    items = as_mapping(settings.get("dependencies"))
    required = {k: v for k, v in items.items() if not as_mapping(v).get("optional")}
    return _requirements(required)


def groups(settings: dict[str, Any]) -> dict[str, list[str]]:
    """Requirements of dependency groups, "dev" among them where it is the older table."""
    found = {
        canonicalize_name(name): _requirements(as_mapping(as_mapping(group).get("dependencies")))
        for name, group in as_mapping(settings.get("group")).items()
    }
    older = _requirements(as_mapping(settings.get("dev-dependencies")))
    if older:
        found["dev"] = found.get("dev", []) + older
    return found


def extras(settings: dict[str, Any]) -> dict[str, list[str]]:
    """Requirements of extras, which name optional dependencies."""
    items = {
        canonicalize_name(k): (k, v) for k, v in as_mapping(settings.get("dependencies")).items()
    }
    return {
        canonicalize_name(extra): _requirements(
            dict(items[key] for key in map(canonicalize_name, as_texts(names)) if key in items)
        )
        for extra, names in as_mapping(settings.get("extras")).items()
    }


def _requirements(items: dict[str, Any]) -> list[str]:
    return [_requirement(name, value) for name, value in items.items() if name != "python"]


def _requirement(name: str, value: Any) -> str:
    """One dependency; one from a URL keeps it, to be refused where requirements are checked."""
    if isinstance(value, list):  # one of several by markers; the last is for the newest Python
        value = value[-1] if value else ""
    if isinstance(value, str):
        return f"{name}{_specifier(value)}"
    table = as_mapping(value)
    for source in ("git", "path", "url"):
        if source in table:
            return f"{name} @ {table[source]}"
    wanted = ",".join(as_texts(table.get("extras")))
    version = table.get("version")
    text = f"{name}[{wanted}]" if wanted else name
    text += _specifier(version) if isinstance(version, str) else ""
    markers = table.get("markers")
    return f"{text}; {markers}" if isinstance(markers, str) else text


def _specifier(constraint: str) -> str:
    """A constraint with carets and tildes as a specifier; of alternatives the last is taken."""
    parts = constraint[:200].split("||")[-1].replace(" ", ",").split(",")
    return ",".join(_part(each.strip()) for each in parts if each.strip(" *"))


def _part(text: str) -> str:
    match = _BOUND.fullmatch(text)
    if match is None:
        return f"=={text}" if text[:1].isdigit() else text
    numbers = [int(each) for each in match["version"].split(".")]
    place = min(1, len(numbers) - 1)
    if match["kind"] == "^":
        place = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    above = ".".join(map(str, [*numbers[:place], numbers[place] + 1]))
    return f">={match['version']},<{above}"

"""What a project says of itself: its name, the Python it needs, extras and dependency groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from transforms.trace.plans import poetry
from transforms.trace.plans.documents import as_list, as_mapping, as_texts, dig
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.requirements import checked_requirements
from transforms.trace.plans.setup_script import setup_arguments

Lists = dict[str, list[str]]

_MAX_INCLUDES = 16


@dataclass
class _Found:
    """Raw texts of one project's files, the first of several sources winning."""

    name: str = ""
    requires_python: str = ""
    dependencies: list[str] = field(default_factory=list)
    extras: Lists = field(default_factory=dict)
    groups: Lists = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Metadata:
    """A project's metadata with checked requirements; extras and groups by normalized names.

    Groups are those of pyproject.toml, pdm, poetry and uv. ``tests`` is what setup.py calls
    ``tests_require``. With ``installable`` there is a file that makes it a project.
    """

    name: str
    requires_python: str
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    tests: tuple[str, ...]
    build: tuple[str, ...]
    installable: bool
    notes: tuple[str, ...]


def read_metadata(repository: Repository, directory: str = ".") -> Metadata:
    """The metadata of the project in a folder of the repository."""
    prefix = "" if directory == "." else f"{directory}/"
    pyproject = repository.toml(f"{prefix}pyproject.toml")
    found = _Found()
    _read_pyproject(pyproject, found)
    _read_setup_cfg(repository.ini(f"{prefix}setup.cfg"), found)
    _read_setup_script(setup_arguments(repository.python(f"{prefix}setup.py")), found)
    _read_package_information(repository.text(f"{prefix}PKG-INFO"), found)
    notes: list[str] = []
    is_project = any(key in pyproject for key in ("project", "build-system")) or "poetry" in (
        as_mapping(pyproject.get("tool"))
    )
    return Metadata(
        name=canonicalize_name(found.name),
        requires_python=_specifier(found.requires_python),
        dependencies=checked_requirements(found.dependencies, "dependencies", notes),
        extras=_checked_extras(found, notes),
        groups={
            name: checked_requirements(texts, f"group {name}", notes)
            for name, texts in found.groups.items()
        },
        tests=checked_requirements(found.tests, "tests_require", notes),
        build=checked_requirements(
            as_texts(dig(pyproject, "build-system", "requires")), "build-system", notes
        ),
        installable=is_project
        or f"{prefix}setup.py" in repository.files
        or "metadata" in repository.ini(f"{prefix}setup.cfg"),
        notes=tuple(notes),
    )


def _specifier(text: str) -> str:
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return ""


def _checked_extras(found: _Found, notes: list[str]) -> dict[str, tuple[str, ...]]:
    """Extras, with those that a project requires of itself (``all = project[a,b]``) resolved."""
    own = canonicalize_name(found.name)
    checked = {
        name: checked_requirements(texts, f"extra {name}", notes)
        for name, texts in found.extras.items()
    }

    def resolve(name: str, seen: frozenset[str]) -> Iterable[str]:
        for text in checked.get(name, ()):
            requirement = Requirement(text)
            if canonicalize_name(requirement.name) != own:
                yield text
                continue
            for extra in sorted(map(canonicalize_name, requirement.extras - seen)):
                if len(seen) < _MAX_INCLUDES and extra not in seen:
                    yield from resolve(extra, seen | {extra})

    return {name: tuple(dict.fromkeys(resolve(name, frozenset((name,))))) for name in checked}


def _read_pyproject(pyproject: dict[str, Any], found: _Found) -> None:
    project = as_mapping(pyproject.get("project"))
    tool = as_mapping(pyproject.get("tool"))
    flit = as_mapping(dig(tool, "flit", "metadata"))
    _name(found, project.get("name"), flit.get("module"), dig(tool, "poetry", "name"))
    _python(found, project.get("requires-python"), flit.get("requires-python"))
    found.dependencies += as_texts(project.get("dependencies")) + as_texts(flit.get("requires"))
    _lists(found.extras, as_mapping(project.get("optional-dependencies")))
    _lists(found.extras, as_mapping(flit.get("requires-extra")))
    groups = as_mapping(pyproject.get("dependency-groups"))
    for name in groups:
        found.groups[canonicalize_name(name)] = _group(groups, name, ())
    _lists(found.groups, as_mapping(dig(tool, "pdm", "dev-dependencies")))
    if development := as_texts(dig(tool, "uv", "dev-dependencies")):
        found.groups.setdefault("dev", []).extend(development)
    settings = as_mapping(tool.get("poetry"))
    _python(found, poetry.requires_python(settings))
    found.dependencies += poetry.dependencies(settings)
    found.extras |= {k: v for k, v in poetry.extras(settings).items() if k not in found.extras}
    found.groups |= {k: v for k, v in poetry.groups(settings).items() if k not in found.groups}


def _group(groups: dict[str, Any], name: str, path: tuple[str, ...]) -> list[str]:
    """Requirements of a dependency group with those that it includes; cycles end."""
    normal = canonicalize_name(name)
    if normal in path or len(path) > _MAX_INCLUDES:
        return []
    found: list[str] = []
    for key, items in groups.items():
        if canonicalize_name(key) != normal:
            continue
        for item in as_list(items):
            if isinstance(item, str):
                found.append(item)
            elif isinstance(included := as_mapping(item).get("include-group"), str):
                found += _group(groups, included, (*path, normal))
    return list(dict.fromkeys(found))


def _read_setup_cfg(sections: dict[str, dict[str, str]], found: _Found) -> None:
    options = sections.get("options", {})
    _name(found, sections.get("metadata", {}).get("name"))
    _python(found, options.get("python_requires"))
    if not found.dependencies:
        found.dependencies += _lines(options.get("install_requires"))
    found.tests += _lines(options.get("tests_require"))
    extras = sections.get("options.extras_require", {})
    _lists(found.extras, {name: _lines(text) for name, text in extras.items()})


def _lines(text: str | None) -> list[str]:
    """Items of a list in an INI file, by lines or by semicolons on one line."""
    lines = [line.partition(" #")[0].strip() for line in (text or "").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _read_setup_script(arguments: dict[str, Any], found: _Found) -> None:
    _name(found, arguments.get("name"))
    _python(found, arguments.get("python_requires"))
    if not found.dependencies:
        found.dependencies += as_texts(arguments.get("install_requires"))
    found.tests += as_texts(arguments.get("tests_require"))
    for name, texts in as_mapping(arguments.get("extras_require")).items():
        # "test:python_version<'3'" is an extra with a marker, ":marker" a dependency with one.
        extra, _, marker = name.partition(":")
        if extra:
            lines = as_texts(texts)
            _lists(found.extras, {extra: [f"{t}; {marker}" if marker else t for t in lines]})


def _read_package_information(text: str, found: _Found) -> None:
    """Metadata of a source distribution, which knows what files leave to be computed."""
    if not text:
        return
    raw, _ = parse_email(text)
    _name(found, raw.get("name"))
    _python(found, raw.get("requires_python"))
    # Files say more exactly what an extra is; the distribution's metadata fills what they lack.
    missing: Lists = {
        canonicalize_name(name): []
        for name in raw.get("provides_extra", [])
        if canonicalize_name(name) not in found.extras
    }
    dependencies: list[str] = []
    for each in raw.get("requires_dist", []):
        try:
            requirement = Requirement(each)
        except (InvalidRequirement, RecursionError):
            continue
        marker, requirement.marker = requirement.marker, None
        named = [name for name in missing if marker and f'extra == "{name}"' in str(marker)]
        for name in named:
            missing[name].append(str(requirement))
        if marker is None or "extra" not in str(marker):
            dependencies.append(each)
    found.extras |= missing
    found.dependencies = found.dependencies or dependencies


def _name(found: _Found, *candidates: object) -> None:
    texts = (each for each in candidates if isinstance(each, str) and len(each) < 200)
    found.name = found.name or next(texts, "")


def _python(found: _Found, *candidates: object) -> None:
    texts = (each for each in candidates if isinstance(each, str) and len(each) < 200)
    found.requires_python = found.requires_python or next(texts, "")


def _lists(into: Lists, items: Mapping[str, Any]) -> None:
    for name, value in items.items():
        into.setdefault(canonicalize_name(name), []).extend(as_texts(value))

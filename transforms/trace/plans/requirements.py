"""Requirements: which of them are followed, and files that list them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from transforms.trace.plans.repository import Repository, inside

MAX_FILES = 20
MAX_REQUIREMENTS = 400
_MAX_LENGTH = 400
_FILE_OPTION = re.compile(r"(?:-r|--requirement)(?:\s*=\s*|\s*)(?P<path>[^\s]+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)(?P<target>[^\s]+)")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_EXTRAS = re.compile(r"(?P<path>[^\[\]]*)(?:\[(?P<extras>[\w.,\s-]*)\])?")


class RequirementError(ValueError):
    """A requirement is not followed; the message says why."""


@dataclass
class Listed:
    """What a requirements file lists, with all that it includes."""

    requirements: list[str] = field(default_factory=list)
    projects: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def checked_requirement(text: str) -> str:
    """A requirement in the standard's own writing; raises `RequirementError`."""
    text = text.partition(" --")[0].strip()  # hashes and options of one requirement
    if len(text) > _MAX_LENGTH:
        raise RequirementError("it is too long")
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        raise RequirementError("it is no requirement") from error
    if requirement.url is not None:
        raise RequirementError("it names a URL")
    return str(requirement)


def checked_requirements(texts: list[str], where: str, notes: list[str]) -> tuple[str, ...]:
    """Those of some requirements that are followed; notes say why others are not."""
    found = []
    for text in texts[:MAX_REQUIREMENTS]:
        try:
            found.append(checked_requirement(text))
        except RequirementError as error:
            notes.append(f"{where}: requirement {text[:80]!r} refused: {error}")
    return tuple(dict.fromkeys(found))


def distribution(requirement: str) -> str:
    """The normalized name of what a checked requirement requires."""
    return canonicalize_name(Requirement(requirement).name)


def local_project(text: str, directory: str) -> tuple[str, tuple[str, ...]] | None:
    """Path and extras of what pip takes for a local project (``.[test]``), None if it is none."""
    match = _EXTRAS.fullmatch(text)
    if match is None or not (match["path"].startswith(".") or match["path"].endswith("/")):
        return None
    path = inside(match["path"], directory)
    if path is None:
        return None
    extras = (canonicalize_name(each.strip()) for each in (match["extras"] or "").split(","))
    return path, tuple(each for each in extras if each)


def read_requirement_file(repository: Repository, path: str) -> Listed:
    """All that a requirements file of the repository lists."""
    listed = Listed()
    _read_file(repository, path, listed, set())
    del listed.requirements[MAX_REQUIREMENTS:]
    return listed


def _read_file(repository: Repository, path: str, listed: Listed, seen: set[str]) -> None:
    if path in seen:
        return
    if path not in repository.files or len(seen) >= MAX_FILES:
        listed.notes.append(f"{path}: no such file of requirements, or too many of them")
        return
    seen.add(path)
    directory = posixpath.dirname(path) or "."
    for line in _lines(repository.text(path)):
        if included := _FILE_OPTION.fullmatch(line):
            target = inside(included["path"], directory)
            if target is None:
                listed.notes.append(f"{path}: {line[:80]!r} refused: it is outside")
            else:
                _read_file(repository, target, listed, seen)
        elif editable := _EDITABLE.fullmatch(line):
            _add_project(editable["target"], directory, path, listed)
        elif line.startswith("-"):
            listed.notes.append(f"{path}: option {line[:80]!r} not followed")
        elif line.startswith("."):
            _add_project(line, directory, path, listed)
        else:
            listed.requirements += checked_requirements([line], path, listed.notes)


def _add_project(text: str, directory: str, path: str, listed: Listed) -> None:
    # pip takes such paths from where it runs, which is the top, not from the file's folder.
    project = local_project(text, ".") or local_project(text, directory)
    if project is None:
        listed.notes.append(f"{path}: project {text[:80]!r} refused: it is outside")
    else:
        listed.projects.append(project)


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield stripped

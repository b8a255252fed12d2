"""What the environment of a project has to hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

INSTALLABLE = ("pyproject.toml", "setup.py", "setup.cfg")

_MOST_METADATA_BYTES = 1 << 20
_MOST_REQUIREMENTS = 300
_DOCUMENTS = re.compile(
    rb"""["'\s:=,]((?:[\w.-]+/)*(?:[\w-]+\.(?:md|rst|txt)|README|LICEN[CS]E|COPYING|CHANGES|"""
    rb"""AUTHORS|NEWS|HISTORY|CHANGELOG|VERSION))(?=["'\s,])"""
)
_OLD_MODULES = re.compile(rb"^\s*(?:import|from)\s+(?:pkg_resources|setuptools|distutils)\b", re.M)


@dataclass(frozen=True)
class Needs:
    """Of one project.

    Requirements are lines of PEP 508; ``extras`` and ``groups`` are its own. ``folder`` is
    where it is installed from. ``version`` stands for what it would ask Git for.
    """

    requires_python: str | None = None
    named_pythons: tuple[str, ...] = ()
    folder: str = "."
    installable: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Further projects of the repository to install."""
    requirements: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    """Its own, for where it cannot be installed itself."""
    tools: tuple[str, ...] = ("pytest",)
    """What its tests run with."""
    version: str = "0"


def safe_requirements(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that name a project of an index: no URLs, paths or options, each once."""
    kept: dict[str, None] = {}
    for line in lines[:_MOST_REQUIREMENTS]:
        text = line.partition(" #")[0].strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        # A URL leads out of the sandbox, where nothing answers; the project may be on the index.
        kept[requirement.name if requirement.url else text] = None
    return tuple(kept)


def own_dependencies(files: Mapping[str, bytes], folder: str = ".") -> tuple[str, ...]:
    """What a project declares that it depends on, in its metadata or in `pyproject.toml`."""
    from_metadata = _metadata_dependencies(files.get(_joined(folder, "PKG-INFO"), b""))
    return safe_requirements((*from_metadata, *_declared(files, folder)))


def missing_documents(files: Mapping[str, bytes], folder: str = ".") -> dict[str, bytes]:
    """Empty stand-ins for texts that a build reads, such as a README, and that are not there.

    The crawl leaves out what is no source code, and builds fail over it.
    """
    wanted = set[str]()
    for name in INSTALLABLE:
        content = files.get(_joined(folder, name), b"")[:_MOST_METADATA_BYTES]
        wanted |= {match.decode() for match in _DOCUMENTS.findall(content)}
    paths = {_joined(folder, name) for name in wanted if ".." not in name.split("/")}
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    return {path: b"\n" for path in sorted(paths) if path not in files and path not in folders}


def needs_setuptools(files: Mapping[str, bytes]) -> bool:
    """Whether its modules import what environments had of old and no longer have."""
    return any(
        path.endswith(".py")
        and path.rpartition("/")[2] != "setup.py"
        and _OLD_MODULES.search(content) is not None
        for path, content in files.items()
    )


def _metadata_dependencies(content: bytes) -> list[str]:
    head = content[:_MOST_METADATA_BYTES].decode("utf-8", "replace").partition("\n\n")[0]
    found = [line[14:] for line in head.splitlines() if line.startswith("Requires-Dist:")]
    return [line for line in found if "extra ==" not in line]


def _declared(files: Mapping[str, bytes], folder: str) -> list[str]:
    content = files.get(_joined(folder, "pyproject.toml"), b"")[:_MOST_METADATA_BYTES]
    try:
        project = tomllib.loads(content.decode("utf-8", "replace")).get("project")
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    found = project.get("dependencies") if isinstance(project, dict) else None
    return [line for line in found if isinstance(line, str)] if isinstance(found, list) else []


def _joined(folder: str, name: str) -> str:
    return str(PurePosixPath(folder, name))

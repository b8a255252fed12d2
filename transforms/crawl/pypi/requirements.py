"""Lines of a list of projects: a requirement, and the hashes its file may have.

The form is pip's: ``boltons==25.0.0 --hash=sha256:HEX``, ``toolz>=0.12``, ``attrs``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from transforms.crawl.paths import readable_path

_HASH = re.compile(r"\s+--hash[=\s]\s*(\S+)\s*$")
_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")
_SHOWN_CHARACTERS = 100
_FORM = "write NAME, NAME==VERSION or NAME>=VERSION, then --hash=sha256:HEX if you like"


@dataclass(frozen=True)
class ProjectLine:
    """What one line asks for. ``name`` is normalized, ``hashes`` are in lower case."""

    name: str
    specifier: SpecifierSet
    hashes: tuple[str, ...]

    @property
    def is_pinned(self) -> bool:
        """Whether it names one version."""
        return any(
            part.operator == "===" or (part.operator == "==" and not part.version.endswith(".*"))
            for part in self.specifier
        )

    def allows(self, version: str) -> bool:
        """Whether a version, be it a pre-release, is one that the line names."""
        try:
            parsed = Version(version)
        except ValueError:  # numbers too long for Python, too
            return False
        return self.specifier.contains(parsed, prereleases=True)

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}"


def parse_project_line(line: str) -> ProjectLine:
    """Parses a line; raises ValueError that names it and the right form."""
    text, hashes = line, list[str]()
    while match := _HASH.search(text):
        sha256 = _SHA256.fullmatch(match[1])
        if sha256 is None:
            raise ValueError(f"project {line!r}: a hash is sha256: and 64 hexadecimal digits")
        hashes.append(sha256[1].lower())
        text = text[: match.start()]
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"project {line!r}: {reason}; {_FORM}") from None
    if requirement.url or requirement.marker or requirement.extras:
        raise ValueError(f"project {line!r}: no URL, marker or extra has a meaning here; {_FORM}")
    name = canonicalize_name(requirement.name)
    return ProjectLine(name, requirement.specifier, tuple(reversed(hashes)))


def project_name(line: str) -> str:
    """The normalized name of the project of a line, or the start of one that is no requirement."""
    try:
        return parse_project_line(line).name
    except ValueError:
        return readable_path(line)[:_SHOWN_CHARACTERS]


def hashes_of(line: str) -> tuple[str, ...]:
    """The hashes that a line names; none where it is no requirement."""
    try:
        return parse_project_line(line).hashes
    except ValueError:
        return ()

"""Lines of a list of projects: a requirement, and the hashes its file may have.

The form is pip's: ``boltons==25.0.0 --hash=sha256:HEX``, ``toolz>=0.12``, ``attrs``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_HASH = re.compile(r"\s+--hash[=\s]\s*(\S+)\s*$")
_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")
_FORM = "write NAME, NAME==VERSION or NAME>=VERSION, then --hash=sha256:HEX if you like"


@dataclass(frozen=True)
class ProjectLine:
    """What one line asks for. ``name`` is normalized, ``hashes`` are in lower case."""

    name: str
    specifier: SpecifierSet
    hashes: tuple[str, ...]

    def allows(self, version: str, *, any_release: bool = False) -> bool:
        """Whether a version will do; a pre-release only where the line names one."""
        try:
            parsed = Version(version)
        except InvalidVersion:
            return False
        prereleases = any_release or bool(self.specifier.prereleases)
        return self.specifier.contains(parsed, prereleases=prereleases)

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
    if requirement.url or requirement.marker:
        raise ValueError(f"project {line!r}: URLs and markers have no meaning here; {_FORM}")
    name = canonicalize_name(requirement.name)
    return ProjectLine(name, requirement.specifier, tuple(reversed(hashes)))

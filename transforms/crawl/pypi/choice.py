"""Which of the files that an index lists a line asks for."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage, ProjectPage, UnparsableFilenameError, parse_filename

from schemas.failures import Reason
from transforms.crawl.pypi.requirements import ProjectLine
from transforms.crawl.source import CrawlError
from transforms.web.eviction import is_distribution_name

# Of several sdists of one release, which old projects have, the most usual kind first.
_SDIST_SUFFIXES = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Allowed:
    """Which releases count besides those that pip would take."""

    pre_releases: bool = False
    yanked: bool = False


def choose_file(page: ProjectPage, line: ProjectLine, allowed: Allowed) -> DistributionPackage:
    """The file that a line asks for among those that an index lists.

    With hashes, a file that has one of them. Otherwise that of the newest release which
    pip would take or which is allowed besides: the source distribution, the wheel where
    there is none, one in pure Python first. Raises `CrawlError` where there is no file.
    """
    files = [
        file
        for file in page.packages
        if file.package_type in ("sdist", "wheel")
        and is_distribution_name(file.filename)
        and line.allows(file.version or "")
    ]
    if line.hashes:
        return _choose_by_hash(files, line)
    releases = _releases(files, line, allowed)
    if not files and any(line.allows(file.version or "") for file in page.packages):
        detail = f"{line.name} {line.specifier} has neither a source distribution nor a wheel"
        raise CrawlError(Reason.NO_SOURCE_DISTRIBUTION, detail)
    if not releases:
        detail = f"no release of {line.name} is allowed by {str(line.specifier) or 'any version'!r}"
        raise CrawlError(Reason.NOT_FOUND, f"{detail}; yanked ones do not count")
    newest = max(version for version, _ in releases)
    return min((file for version, file in releases if version == newest), key=_rank)


def sha256_of_file(file: DistributionPackage) -> str:
    """The hash that the index promises, in lower case, empty where it promises none."""
    return file.digests.get("sha256", "").lower()


def version_of(name: str, filename: str) -> str | None:
    """The version in the name of a file of a project, normalized; None where there is none."""
    try:
        project, version, _ = parse_filename(filename, name)
        return str(Version(version)) if canonicalize_name(project) == name else None
    except (UnparsableFilenameError, InvalidVersion):
        return None


def _choose_by_hash(files: list[DistributionPackage], line: ProjectLine) -> DistributionPackage:
    matching = [file for file in files if sha256_of_file(file) in line.hashes]
    if not matching:
        detail = f"the index lists no file of {line} with the given hash"
        raise CrawlError(Reason.NOT_FOUND, detail)
    return min(matching, key=lambda file: (file.package_type != "sdist", file.filename))


def _releases(
    files: list[DistributionPackage], line: ProjectLine, allowed: Allowed
) -> list[tuple[Version, DistributionPackage]]:
    """The files of releases that count, by pip's rules unless more is allowed.

    Those are: a pre-release where the line names one or there is nothing else, and a
    yanked release where the line pins it (PEP 592).
    """
    releases = [(Version(file.version or ""), file) for file in files]
    if not allowed.pre_releases and not line.specifier.prereleases:
        final = [release for release in releases if not release[0].is_prerelease]
        releases = final or releases
    if not allowed.yanked:
        sound = [release for release in releases if not release[1].is_yanked]
        releases = sound or (releases if line.is_pinned else [])
    return releases


def _rank(file: DistributionPackage) -> tuple[bool, int, str]:
    is_wheel = file.package_type == "wheel"
    rank = _wheel_rank(file.filename) if is_wheel else _sdist_rank(file.filename)
    return is_wheel, rank, file.filename


def _sdist_rank(filename: str) -> int:
    ranks = [rank for rank, end in enumerate(_SDIST_SUFFIXES) if filename.endswith(end)]
    return ranks[0] if ranks else len(_SDIST_SUFFIXES)


def _wheel_rank(filename: str) -> int:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return 3
    pure = [tag.interpreter for tag in tags if tag.platform == "any" and tag.abi == "none"]
    if not pure:
        return 2
    return 0 if any(interpreter.startswith("py3") for interpreter in pure) else 1

"""Which license holds for each file of a repository, and for the repository itself.

A file's own tag or notice comes first, then the license files of its folder, or else of the
nearest folder above it that has any, and for the files at the root what holds for the
repository: its license files at the root and the metadata of its distribution, together.

Several files in one folder:

- Files named after their license (LICENSE-MIT and LICENSE-APACHE) are a choice.
- Otherwise all of them hold (LICENSE and COPYING).
- The LGPL goes with the GPL's text: it alone holds where the two are LGPL-3.0 and GPL-3.0, or
  its file is called COPYING.LESSER.
- A folder LICENSES counts where no file in the folder that it lies in says anything; all its
  texts hold.
- A text that nobody knows counts only where there is no other.

License files and metadata:

- The same licenses: the metadata's expression, which knows "or" from "and" and whether later
  versions are allowed, which texts do not say.
- One names all that the other names, and more: the longer one.
- Different ones: both hold, and it is half as sure as the surer one.
- A text that is not known, or doubtful: the metadata.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from transforms.crawl.licenses.findings import FILE_PREFIX, METADATA, LicenseFinding
from transforms.crawl.licenses.headers import find_in_header
from transforms.crawl.licenses.names import license_named
from transforms.crawl.licenses.paths import governed_folder, names_one_of_several
from transforms.crawl.licenses.texts import MAX_TEXT_BYTES, combine, find_in_license_file
from transforms.license_expressions import UNKNOWN_LICENSE, join_expressions, licenses_in

MAX_REPOSITORY_TEXT_BYTES = 1 << 20
"""Distinct license texts that are read of a repository, those nearest to its root first."""

_SURE_ENOUGH = 0.5
_ONE_DECLARED = 0.8
_SEVERAL_DECLARED = 0.5
_MAX_NAMED_FILES = 3
_VERSION_ENDING = re.compile(r"-(?:only|or-later)\b")


@dataclass(frozen=True)
class RepositoryLicenses:
    """What a repository says of the licenses of its files."""

    repository: LicenseFinding | None
    folders: Mapping[str, LicenseFinding]
    """What the license files of each folder say together; the root is ""."""

    def of_file(self, path: str, content: bytes) -> LicenseFinding | None:
        """The license of one of its files."""
        own = find_in_header(content)
        if own is not None:
            return own
        folder = path.rpartition("/")[0]
        while folder:
            found = self.folders.get(folder)
            if found is not None:
                return found
            folder = folder.rpartition("/")[0]
        return self.repository


def find_repository_licenses(
    license_files: Mapping[str, bytes], metadata: Sequence[str]
) -> RepositoryLicenses:
    """Reads license files, given by path, and joins what they say with the metadata's licenses."""
    return assign_licenses(_read(license_files), metadata)


def assign_licenses(
    found: Mapping[str, LicenseFinding], metadata: Sequence[str]
) -> RepositoryLicenses:
    """The licenses of a repository, given what its license files say and the metadata."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    collections: dict[str, list[str]] = defaultdict(list)
    for path in sorted(found):
        folder, collected = governed_folder(path)
        (collections if collected else by_folder)[folder].append(path)
    for folder, paths in collections.items():
        by_folder.setdefault(folder, paths)
    folders = {
        folder: _join({path: found[path] for path in paths}, folder not in collections)
        for folder, paths in by_folder.items()
    }
    return RepositoryLicenses(_with_metadata(folders.get(""), metadata), folders)


def _read(license_files: Mapping[str, bytes]) -> dict[str, LicenseFinding]:
    found: dict[str, LicenseFinding] = {}
    read: set[bytes] = set()
    left = MAX_REPOSITORY_TEXT_BYTES
    for path in sorted(license_files, key=lambda path: (path.count("/"), path)):
        text = license_files[path][:MAX_TEXT_BYTES]
        if text not in read:
            if len(text) > left:
                continue
            left -= len(text)
            read.add(text)
        finding = find_in_license_file(text)
        if finding is not None and (
            finding.expression != UNKNOWN_LICENSE or _must_hold_terms(path)
        ):
            found[path] = finding
    return found


def _must_hold_terms(path: str) -> bool:
    """Whether a license file that nobody knows is taken for terms, not for a page about them."""
    name = PurePosixPath(path.lower())
    is_page = name.suffix in (".rst", ".md") and governed_folder(path)[0] != ""
    return not is_page and not name.name.startswith("copyright")


def _join(found: Mapping[str, LicenseFinding], may_be_choice: bool) -> LicenseFinding:
    known = {path: one for path, one in found.items() if one.expression != UNKNOWN_LICENSE}
    used = _without_companion(known) or dict(list(found.items())[:1])
    whole = {path: one for path, one in used.items() if not _is_alternative(path)}
    names = {name for one in used.values() for name in licenses_in(one.expression)}
    for path, one in whole.items():
        # A file that names all the others' licenses says how they go together.
        if licenses_in(one.expression) == names:
            return replace(one, evidence=_evidence([path]))
    expressions = [one.expression for one in used.values()]
    if may_be_choice and not whole:
        expression = join_expressions(expressions, "OR")
    else:
        expression = combine(expressions, "")
    return LicenseFinding(
        expression, _evidence(list(used)), min(one.confidence for one in used.values())
    )


def _without_companion(found: Mapping[str, LicenseFinding]) -> dict[str, LicenseFinding]:
    """Without the GPL's text where it only accompanies a COPYING.LESSER."""
    if not any(path.lower().endswith(".lesser") for path in found):
        return dict(found)
    return {path: one for path, one in found.items() if not one.expression.startswith("GPL-")}


def _is_alternative(path: str) -> bool:
    return names_one_of_several(PurePosixPath(path).name)


def _evidence(paths: Sequence[str]) -> str:
    named = "+".join(paths[:_MAX_NAMED_FILES])
    more = len(paths) - _MAX_NAMED_FILES
    return f"{FILE_PREFIX}{named}" + (f"+{more} more" if more > 0 else "")


def _with_metadata(files: LicenseFinding | None, metadata: Sequence[str]) -> LicenseFinding | None:
    declared = _declared(metadata)
    if files is None or declared is None:
        return files or declared
    if files.expression == UNKNOWN_LICENSE or files.confidence < _SURE_ENOUGH:
        return declared
    stated, named = (_bases(one.expression) for one in (files, declared))
    both = f"{files.evidence}+{METADATA}"
    surer = max(files.confidence, declared.confidence)
    if stated == named:
        chosen = declared if len(metadata) == 1 else files
        return LicenseFinding(chosen.expression, both, surer)
    if stated > named:
        return files
    if stated < named:
        return declared
    expressions = (files.expression, declared.expression)
    return LicenseFinding(join_expressions(expressions, "AND"), both, round(surer / 2, 2))


def _declared(metadata: Sequence[str]) -> LicenseFinding | None:
    named = [name for text in metadata if (name := license_named(text)) is not None]
    if not named:
        return None
    confidence = _ONE_DECLARED if len(named) == 1 else _SEVERAL_DECLARED
    return LicenseFinding(join_expressions(named, "AND"), METADATA, confidence)


def _bases(expression: str) -> frozenset[str]:
    """The licenses of an expression, whether or not later versions of them are allowed."""
    return frozenset(_VERSION_ENDING.sub("", name) for name in licenses_in(expression))

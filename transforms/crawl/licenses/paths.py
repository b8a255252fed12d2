"""Which files hold licenses, and which folder each of them speaks for."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_STEM = r"(?:un)?licen[cs]e|copying|copyright"
_NAME = re.compile(
    rf"(?:(?P<first>[a-z0-9.+-]{{2,20}})[-_])?(?:{_STEM})(?P<rest>(?:[-_.][a-z0-9.+_-]{{1,40}})?)"
)
_TEXT_SUFFIXES = ("", ".txt", ".md", ".rst", ".markdown")
_LICENSE_WORD = re.compile(
    r"[^a-z]*(?:[al]?gpl|lesser|lib|mit|x11|apache|asl|bsd|isc|mpl|psf|python|zpl|boost|bsl|cc|epl"
    r"|cddl|zlib|ofl|unlicense|artistic|eupl|wtfpl|hpnd|ncsa|postgres|upl|mulan|cecill|[0-9])"
)
_OTHERS = re.compile(r"third|3rd|part(?:y|ies)|vendor|bundle|depend|extern")
# Where wheels and sdists keep copies of the license files of the tree.
_METADATA_FOLDER = re.compile(r"\A[^/]+\.(?:dist-info|egg-info)/(?:licen[cs]es/|license_files/)?")
_COLLECTION = re.compile(r"(?i)licen[cs]es")
# What the path of every license file has somewhere: it is asked for every path there is.
_HINT = re.compile(r"(?i)licen[cs]e|copying|copyright")
MAX_NAME_CHARACTERS = 100


def is_license_path(path: str) -> bool:
    """Whether a file is there to state a license of the files around it.

    Such are LICENSE, COPYING, UNLICENSE, LICENSE-MIT, MIT-LICENSE.txt, and the texts in a
    folder LICENSES as REUSE has it. Lists of other people's licenses are not.
    """
    if _HINT.search(path) is None:
        return False
    parts = PurePosixPath(_METADATA_FOLDER.sub("", path)).parts
    if not parts or len(parts[-1]) > MAX_NAME_CHARACTERS:
        return False
    name = parts[-1].lower()
    if _OTHERS.search(name):
        return False
    if _in_collection(parts):
        return PurePosixPath(name).suffix in _TEXT_SUFFIXES or _names_license(name)
    match = _NAME.fullmatch(name)
    if match is None or (match["first"] and not _LICENSE_WORD.match(match["first"])):
        return False
    rest = match["rest"]
    return rest in _TEXT_SUFFIXES or _names_license(rest) or rest.startswith("-")


def names_one_of_several(name: str) -> bool:
    """Whether a license file's name says which license it holds, as LICENSE-MIT does."""
    match = _NAME.fullmatch(name.lower())
    return match is not None and bool(match["first"] or _names_license(match["rest"]))


def governed_folder(path: str) -> tuple[str, bool]:
    """The folder whose files a license file speaks for, and whether it lies in a collection.

    The root is "". A folder LICENSES speaks for the one that it is in.
    """
    parts = PurePosixPath(_METADATA_FOLDER.sub("", path)).parts
    if _in_collection(parts):
        return "/".join(parts[:-2]), True
    return "/".join(parts[:-1]), False


def _in_collection(parts: tuple[str, ...]) -> bool:
    return len(parts) > 1 and _COLLECTION.fullmatch(parts[-2]) is not None


def _names_license(name: str) -> bool:
    return _LICENSE_WORD.match(name) is not None and PurePosixPath(name).suffix not in (
        ".py",
        ".js",
        ".go",
        ".html",
        ".json",
    )

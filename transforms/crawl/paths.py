"""Paths of files in repositories: which are safe to store and to show.

Nothing is ever written under a path that a repository names, but those who read the
documents may do so; so a path that could leave a folder, or that some system cannot
hold, ends here and nowhere else.
"""

from __future__ import annotations

import re
import unicodedata

MAX_PATH_BYTES = 1024
MAX_COMPONENT_BYTES = 255  # NAME_MAX of the common file systems

# C0, DEL and C1; the separator of Windows; its mark of drives and of second streams.
# At the end of a name Windows drops dots and spaces, which makes ".. " its "..".
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\:]|[. ](?:/|$)")
# Names that Windows takes for devices, with any suffix. The digits include the
# superscripts of Latin-1, see "Naming Files, Paths, and Namespaces" in its manual.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\..*)?",
    re.IGNORECASE,
)


# Git's own folder under all names that some system takes for it (CVE-2014-9390): what is
# written there may run. Unicode's ignorable characters are those of HFS+.
_GIT = frozenset((".git", "git~1"))
_IGNORABLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")

_ARCHIVE_SUFFIXES = (
    *(".zip", ".whl", ".egg", ".jar", ".war", ".7z", ".rar", ".tar"),
    *(".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz", ".tar.lzma", ".tar.z"),
    *(".tgz", ".tbz", ".tbz2", ".txz", ".tzst"),
)


def safe_path(raw: str) -> str | None:
    """The path itself where every system can hold it inside a folder, else None.

    Bytes that are not UTF-8 are expected as lone surrogates, the way `os.fsdecode`
    and `tarfile` hand them on.
    """
    if _FORBIDDEN.search(raw):
        return None
    try:
        encoded = raw.encode()
    except UnicodeEncodeError:
        return None
    if len(encoded) > MAX_PATH_BYTES:
        return None
    return raw if all(map(_is_safe_component, raw.split("/"))) else None


def _is_safe_component(component: str) -> bool:
    return (
        component not in ("", ".", "..")
        and len(component.encode()) <= MAX_COMPONENT_BYTES
        and not _DEVICE.fullmatch(component)
        and not _is_git(component)
    )


def _is_git(component: str) -> bool:
    if component.isascii():
        return component.lower() in _GIT
    return _IGNORABLE.sub("", component).lower() in _GIT


def collision_key(path: str) -> str:
    """What two paths have in common that some system takes for one.

    macOS and Windows do not tell cases apart, and macOS neither composed from decomposed
    characters: this is Unicode's canonical caseless matching (chapter 3.13, D145).
    """
    if path.isascii():
        return path.lower()
    folded = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFD", folded)


def is_archive_name(path: str) -> bool:
    """Whether a file is an archive by the end of its name."""
    return path.lower().endswith(_ARCHIVE_SUFFIXES)


def readable_path(raw: str) -> str:
    """A path, or what is said of it, as any table and terminal takes it: escaped, and cut."""
    text = raw[:MAX_PATH_BYTES].encode("utf-8", "backslashreplace").decode()
    escaped = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", text)
    return escaped[:MAX_PATH_BYTES]


def path_order(path: str) -> bytes:
    """The key by which paths are sorted: their bytes, which no locale or platform changes."""
    return path.encode("utf-8", "surrogateescape")

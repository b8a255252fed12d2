"""Which language a file is in, by its name alone."""

from __future__ import annotations

from collections.abc import Mapping

# Scripts of Windows (.pyw) and templates of Cython (.pyx) are left out: the first are
# hardly published, the second are another language.
EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "python": ("py", "pyi"),
}

_LANGUAGES = {
    extension: language for language, extensions in EXTENSIONS.items() for extension in extensions
}


def language_of(path: str) -> str | None:
    """The language of the file at a path, or None where it is none of ours."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return _LANGUAGES.get(extension.lower()) if stem and dot else None


def is_known(language: str) -> bool:
    """Whether there is a language of this name."""
    return language in EXTENSIONS

"""Files that list repositories, one a line, and what such lists have in common."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from transforms.stores.address import is_object, parse_object
from transforms.stores.store import local_path

MAX_LINE_CHARACTERS = 1 << 16
_FORM = "name a file of one repository a line"


def absolute_path(path: str) -> str:
    """A path of the working directory or a home as one that holds everywhere.

    Addresses of objects do so as they are. Raises ValueError where they are none.
    """
    if is_object(path):
        parse_object(path)
        return path
    # Not resolved: a repository is called what the configuration calls it.
    return os.path.normpath(Path(path).expanduser().absolute())


def _path_only(path: str) -> str:
    if is_object(path):
        raise ValueError("must be a folder of this machine; archive and parquet read objects")
    return absolute_path(path)


FilePath = Annotated[str, AfterValidator(absolute_path)]
"""A path of this machine, absolute from the moment that the configuration is read, or the
address of an object."""
LocalPath = Annotated[str, AfterValidator(_path_only)]
"""A path of this machine, absolute from the moment that the configuration is read."""


def iterate_lines(path: str) -> Iterator[str]:
    """The lines of a list that are neither empty nor comments, streamed.

    A comment begins with ``#``. Raises ValueError where the file is no list.
    """
    return (line for _, line in numbered_lines(path))


def numbered_lines(path: str) -> Iterator[tuple[int, str]]:
    """`iterate_lines` with the number of each line, from 1 on."""
    number = 0
    try:
        # Some editors begin a file with a byte order mark.
        with local_path(path).open(encoding="utf-8-sig") as file:
            while line := file.readline(MAX_LINE_CHARACTERS):
                number += 1
                if len(line) == MAX_LINE_CHARACTERS:
                    raise ValueError(f"{path}: line {number} is longer than any name or URL")
                text = line.strip()
                if text and not text.startswith("#"):
                    yield number, text
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: after line {number} it is not UTF-8 text") from error
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; {_FORM}") from error


def state_of_lists(paths: Iterable[str]) -> str:
    """What a source's lists hold, as a hash; raises ValueError where one cannot be read."""
    hashes = []
    for path in paths:
        try:
            with local_path(path).open("rb") as file:
                hashes.append(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}; {_FORM}") from error
    return digest_of(hashes) if hashes else ""


def digest_of(texts: Iterable[bytes]) -> str:
    """A hash over several texts, which differs where any of them or their order does."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()

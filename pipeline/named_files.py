"""Files that a configuration names: what is in them decides the output as it does."""

from __future__ import annotations

import hashlib

from pipeline.errors import UsageError
from transforms.stores.store import local_path


def digest_of_named(key: str, path: str) -> str:
    """SHA-256 of a file that a key of the configuration names; raises `UsageError`."""
    try:
        with local_path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{key}: {path}: {error.strerror}") from error

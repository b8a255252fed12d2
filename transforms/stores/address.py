"""Addresses of files: paths of this machine, and objects of stores.

Those are written ``s3://bucket/key`` and ``gs://bucket/key``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEMES = ("s3", "gs")
_OBJECT = re.compile(r"(s3|gs)://([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class ObjectAddress:
    """An object, or all whose keys begin alike: ``key`` may be empty or the start of keys."""

    scheme: str
    bucket: str
    key: str


def is_object(address: str) -> bool:
    """Whether an address is that of an object, and not a path."""
    return address.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def parse_object(address: str) -> ObjectAddress:
    """The parts of an object's address; raises ValueError where it names no bucket."""
    found = _OBJECT.fullmatch(address)
    if found is None:
        raise ValueError(
            f"{address!r:.200} names no bucket; write s3://BUCKET/NAME or gs://BUCKET/NAME"
        )
    key = found[3] or ""
    if any(part in ("", ".", "..") for part in key.rstrip("/").split("/")) and key.rstrip("/"):
        raise ValueError(
            f"{address!r:.200} has an empty name, '.' or '..' between slashes, which stores "
            "take for different things; leave it out"
        )
    return ObjectAddress(found[1], found[2], key)


def below(folder: str, name: str) -> str:
    """The address of a file of a folder, or of the objects that begin like it."""
    return f"{folder.rstrip('/')}/{name}" if name else folder.rstrip("/")

"""Downloads that are kept between runs: ``downloads/SHA256/FILENAME`` under the cache.

A file is there whole or not at all, whoever else downloads it at the same time. What
the index said of it lies beside it, so that a run without network finds the same facts.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import Reason
from transforms.crawl.source import CrawlError
from transforms.parts import temporary_beside, write_whole

_RELEASE = "release.json"

# What an index may call a file. Anything else is not fetched: it is either no
# distribution or an attempt to write elsewhere.
_FILENAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,200}\.(?:tar\.gz|tgz|zip|tar\.bz2|tar\.xz|tar|whl)"
)


def is_distribution_name(filename: str) -> bool:
    """Whether a file name is that of a source distribution or wheel, and harmless."""
    return _FILENAME.fullmatch(filename) is not None


@dataclass(frozen=True)
class Download:
    """A file in the cache, whose hash was compared."""

    path: Path
    released: datetime.datetime | None


class Downloads:
    """The downloads below one cache folder."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "downloads"

    def has(self, sha256: str) -> bool:
        """Whether there is a file of this hash, by its name alone."""
        return self._stored(sha256) is not None

    def find(self, sha256: str) -> Download | None:
        """The file of this hash, unless it is not there or was damaged since."""
        path = self._stored(sha256)
        if path is None or _sha256_of(path) != sha256:
            return None
        return Download(path, _read_release(path.with_name(_RELEASE)))

    def store(
        self,
        chunks: Iterator[bytes],
        sha256: str,
        filename: str,
        released: datetime.datetime | None,
    ) -> Download:
        """Keeps what has the promised hash; raises `CrawlError` where it has another one."""
        if not is_distribution_name(filename) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError(f"neither {filename!r} nor {sha256!r} may come from outside unchecked")
        path = self._folder / sha256 / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(path)
        try:
            _write(chunks, temporary, sha256, filename)
            moment = None if released is None else released.isoformat()
            write_whole(path.with_name(_RELEASE), json.dumps({"released": moment}).encode())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return Download(path, released)

    def _stored(self, sha256: str) -> Path | None:
        folder = self._folder / sha256
        if not (folder / _RELEASE).exists():
            # Put there by hand: what the index says of it is missing, so it is fetched again.
            return None
        names = sorted(path.name for path in folder.glob("*") if is_distribution_name(path.name))
        return folder / names[0] if names else None


def _write(chunks: Iterator[bytes], path: Path, sha256: str, filename: str) -> None:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha256:
        detail = f"{filename} should have sha256 {sha256} and has {digest.hexdigest()}"
        raise CrawlError(Reason.HASH_MISMATCH, detail)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_release(path: Path) -> datetime.datetime | None:
    """When the index says that a file was uploaded, where it says so."""
    try:
        moment = json.loads(path.read_bytes())["released"]
        return None if moment is None else datetime.datetime.fromisoformat(moment)
    except (OSError, ValueError, KeyError, TypeError):
        return None

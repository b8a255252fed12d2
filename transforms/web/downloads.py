"""Downloads that are kept between runs: ``downloads/SHA256/FILENAME`` under the cache.

A file is there whole or not at all, whoever else downloads it at the same time, and may
go at any moment to make room. So a file is handed out in the folder of who wants it, as
a hard link where possible. What the index said of it lies beside it in the cache, so
that a run without network finds the same facts.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from schemas.failures import Reason
from transforms.stores.files import temporary_beside, write_whole
from transforms.web.errors import FetchError
from transforms.web.eviction import RELEASE, is_distribution_name, making_room


@dataclass(frozen=True)
class Download:
    """A file whose hash was compared, under its own name in the folder of who wanted it."""

    path: Path
    released: datetime.datetime | None


# Of a cache that belongs to somebody else, lies on a disk that is only read, or is a file.
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)


class Downloads:
    """The downloads below one cache folder, at most ``max_bytes`` of them."""

    def __init__(self, cache: Path, max_bytes: int) -> None:
        self._folder = cache / "downloads"
        self._max_bytes = max_bytes

    def has(self, sha256: str) -> bool:
        """Whether there is a file of this hash, by its name alone."""
        return self._stored(sha256) is not None

    def find(
        self, sha256: str, scratch: Path, accept: Callable[[str], object] = is_distribution_name
    ) -> Download | None:
        """The file of this hash and of a name to accept, unless it was damaged since."""
        stored = self._stored(sha256, accept)
        if stored is None:
            return None
        path = Path(tempfile.mkdtemp(dir=scratch), stored.name)
        try:
            _link_or_copy(stored, path)
            moment = _read_releases(stored.with_name(RELEASE)).get(stored.name)
            with contextlib.suppress(PermissionError):
                # A cache that others fill for us is read as it is.
                os.utime(stored)
        except FileNotFoundError:
            # It went meanwhile. Where only the file was lent, its facts are missing.
            return None
        released = None if moment is None else datetime.datetime.fromisoformat(moment)
        return Download(path, released) if _sha256_of(path) == sha256 else None

    def store(
        self,
        chunks: Iterator[bytes],
        sha256: str,
        filename: str,
        released: datetime.datetime | None,
        scratch: Path,
    ) -> Download:
        """Keeps what has the promised hash; raises `FetchError` where it has another one."""
        if not is_distribution_name(filename) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError(f"neither {filename!r} nor {sha256!r} may come from outside unchecked")
        path = Path(tempfile.mkdtemp(dir=scratch), filename)
        try:
            _write(chunks, path, sha256, filename)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if path.stat().st_size <= self._max_bytes:
            try:
                self._keep(path, sha256, released)
            except OSError as error:
                # What cannot be kept is used all the same; a full disk is nothing to go on with.
                if error.errno not in _UNWRITABLE:
                    raise
        return Download(path, released)

    def _keep(self, path: Path, sha256: str, released: datetime.datetime | None) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        stored = self._folder / sha256 / path.name
        # Files of several projects may have one content, and each has its own release.
        moment = None if released is None else released.isoformat()
        releases = _read_releases(stored.with_name(RELEASE)) | {path.name: moment}
        facts = json.dumps({"released": releases}, sort_keys=True).encode()
        # Where another process makes room for too long, this costs one download more later.
        with (
            contextlib.suppress(filelock.Timeout),
            making_room(self._folder, path.stat().st_size + len(facts), self._max_bytes),
        ):
            write_whole(stored.with_name(RELEASE), facts)
            temporary = temporary_beside(stored)
            try:
                _link_or_copy(path, temporary)
                temporary.replace(stored)
            finally:
                temporary.unlink(missing_ok=True)

    def _stored(
        self, sha256: str, accept: Callable[[str], object] = is_distribution_name
    ) -> Path | None:
        folder = self._folder / sha256
        # What was put there by hand is fetched again: what the index says of it is missing.
        known = _read_releases(folder / RELEASE)
        found = [name for name in known if is_distribution_name(name) and (folder / name).exists()]
        names = sorted(filter(accept, found))
        return folder / names[0] if names else None


def _link_or_copy(source: Path, target: Path) -> None:
    """The same content under another name; a copy where file systems differ or have no links."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _write(chunks: Iterator[bytes], path: Path, sha256: str, filename: str) -> None:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha256:
        detail = f"{filename} should have sha256 {sha256} and has {digest.hexdigest()}"
        raise FetchError(Reason.HASH_MISMATCH, detail)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_releases(path: Path) -> dict[str, str | None]:
    """When the index says that each file of a folder was uploaded, where it says so."""
    try:
        releases = dict(json.loads(path.read_bytes())["released"])
        for moment in filter(None, releases.values()):
            datetime.datetime.fromisoformat(moment)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return releases

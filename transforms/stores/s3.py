"""Objects of S3 and of what speaks like it, by name below one address.

Every write is followed by a look at the object: a server that is killed while it puts the
parts of an upload together may say afterwards that it has done so, and has not.
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from transforms.stores.address import below, parse_object
from transforms.stores.client import Family, client
from transforms.stores.copies import process_copies, scratch_folder
from transforms.stores.errors import (
    BusyObjectError,
    MissingObjectError,
    PassingError,
    StoreError,
    naming,
)
from transforms.stores.files import Output
from transforms.stores.patience import patiently
from transforms.stores.store import Entry

PART_BYTES = 64 << 20
"""Larger objects are sent in parts of this size, of which S3 takes 10,000."""
WRITES = 3
"""So often an object is written that the store has not, or has not whole, when asked."""
_CHUNK_BYTES = 1 << 20
_DELETED_AT_ONCE = 1000
_MAX_COPY_BYTES = 5 << 30
"""What the store copies by one request."""


@dataclass(frozen=True)
class Held:
    """An object with what tells it from later ones of the same name.

    ``age_seconds`` is by the clock of the store alone.
    """

    data: bytes
    etag: str
    age_seconds: float


@dataclass(frozen=True)
class Upload:
    """An upload in parts that was begun and not finished."""

    name: str
    upload_id: str
    begun: datetime


@dataclass(frozen=True)
class S3Store:
    """The objects whose keys begin with that of an address, ``s3://bucket/key``."""

    root: str
    _known: dict[str, tuple[str, bytes]] = field(default_factory=dict, compare=False, repr=False)

    progress_seconds = 10.0
    """How often it is worth telling how far a work is: a request costs time and money."""

    def address(self, name: str) -> str:
        """The address of an object."""
        return below(self.root, name)

    def _place(self, name: str) -> dict[str, str]:
        parsed = parse_object(self.address(name))
        return {"Bucket": parsed.bucket, "Key": parsed.key}

    def _ask(self, name: str, operation: str, **arguments: Any) -> Any:
        """What the store answers about one object; the operation must be one to do twice."""
        asked = getattr(client(Family.CONTROL), operation)
        place = self._place(name)
        return patiently(self.address(name), lambda: asked(**place, **arguments))

    def _head(self, name: str) -> tuple[str, int]:
        found = self._ask(name, "head_object")
        return found["ETag"], found["ContentLength"]

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name."""
        try:
            self._head(name)
        except MissingObjectError:
            return False
        return True

    def path(self, name: str) -> Path:
        """A copy of an object on this machine, to be opened while the path is held."""
        etag, size = self._head(name)

        def download(path: Path) -> None:
            self._download(name, etag, size, path)

        return process_copies().get(self._identity(name, etag), etag, size, download)

    def _identity(self, name: str, etag: str) -> str:
        """What stands for an object among copies: those made inside of a store are the same.

        The ETag of an object that was not sent in parts is a hash of what it holds.
        """
        return self.address(name) if "-" in etag else name.rpartition("/")[2]

    def adopt(self, name: str, etag: str, size: int, written: Path) -> None:
        """Keeps the file that an object was made of as its copy."""
        process_copies().adopt(self._identity(name, etag), etag, size, written)

    def _download(self, name: str, etag: str, size: int, path: Path) -> None:
        arguments = {**self._place(name), "IfMatch": etag}

        def get() -> None:
            body = client(Family.TRANSFER).get_object(**arguments)["Body"]
            with contextlib.closing(body), path.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
                if file.tell() != size:
                    said = f"of {size:,} bytes only {file.tell():,} can be read"
                    raise PassingError(errno.EIO, said, self.address(name))

        patiently(self.address(name), get)

    def read(self, name: str) -> bytes:
        """What a small object holds."""
        return self.hold(name).data

    def hold(self, name: str) -> Held:
        """A small object with what tells it from later ones; raises `MissingObjectError`."""

        def get() -> tuple[Any, bytes]:
            found = client(Family.CONTROL).get_object(**self._place(name))
            return found, found["Body"].read()

        found, data = patiently(self.address(name), get)
        now = found["ResponseMetadata"]["HTTPHeaders"].get("date")
        modified = found["LastModified"]
        # HTTP's dates have no fractions of a second, and neither do the stores' own.
        asked = email.utils.parsedate_to_datetime(now) if now else modified
        age = max((asked - modified).total_seconds(), 0.0)
        return Held(data, found["ETag"], age)

    def entries(self, folder: str = "") -> list[Entry]:
        """All objects below a folder, their names from the root on, in their order."""
        start = self._prefix(folder)
        parsed = parse_object(self.root)
        cut = len(self._prefix(""))

        def get() -> list[Entry]:
            pages = client(Family.CONTROL).get_paginator("list_objects_v2")
            return [
                Entry(each["Key"][cut:], each["Size"], each["ETag"])
                for page in pages.paginate(Bucket=parsed.bucket, Prefix=start)
                for each in page.get("Contents", ())
            ]

        found = patiently(self.address(folder), get)
        # Some programs put empty objects in the place of folders.
        return [entry for entry in found if entry.name and not entry.name.endswith("/")]

    def _prefix(self, folder: str) -> str:
        key = parse_object(below(self.root, folder.rstrip("/"))).key.rstrip("/")
        return f"{key}/" if key else ""

    def read_all(self, folder: str, suffix: str) -> dict[str, bytes]:
        """The small objects of a folder by name without suffix, only new ones read again."""
        wanted = [
            entry
            for entry in self.entries(folder)
            if entry.name.endswith(suffix) and "/" not in entry.name[len(folder) + 1 :]
        ]
        changed = [
            entry for entry in wanted if self._known.get(entry.name, ("", b""))[0] != entry.etag
        ]
        with ThreadPoolExecutor(8) as pool:
            for entry, held in zip(changed, pool.map(self._read_if_there, changed), strict=True):
                if held is not None:
                    self._known[entry.name] = (held.etag, held.data)
        found = {
            entry.name: self._known[entry.name][1] for entry in wanted if entry.name in self._known
        }
        return {name[len(folder) + 1 :].removesuffix(suffix): data for name, data in found.items()}

    def _read_if_there(self, entry: Entry) -> Held | None:
        try:
            return self.hold(entry.name)
        except MissingObjectError:
            return None

    def output(self, name: str) -> Output:
        """A place for an object."""
        return S3Output(self, name)

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Writes a small object, over one that is there."""
        self._write(name, data, len(data), {})

    def tell(self, name: str, data: bytes) -> None:
        """Writes a small object for whoever looks at it now, once and whatever comes of it."""
        with contextlib.suppress(StoreError), naming(self.address(name)):
            client(Family.CONTROL).put_object(**self._place(name), Body=data)

    def _write(self, name: str, body: Any, size: int, conditions: dict[str, str]) -> str:
        """Writes an object by one request and looks whether it is there; gives its ETag."""
        arguments = {**self._place(name), **conditions}

        def put() -> Any:
            if not isinstance(body, bytes):
                body.seek(0)
            return client(Family.TRANSFER).put_object(**arguments, Body=body)

        for _ in range(WRITES):
            done = patiently(self.address(name), put)
            if self._etag_if_whole(name, size):
                etag: str = done["ETag"]
                return etag
        raise self._lost(name)

    def _etag_if_whole(self, name: str, size: int) -> str | None:
        try:
            etag, found = self._head(name)
        except MissingObjectError:
            return None
        return etag if found == size else None

    def _lost(self, name: str) -> StoreError:
        said = "the store says that it has written it, and has not; run the same command again"
        return StoreError(errno.EIO, said, self.address(name))

    def upload(self, name: str, path: Path) -> str:
        """Writes an object from a file of any size; gives its ETag."""
        size = path.stat().st_size
        if size <= PART_BYTES:
            with path.open("rb") as file:
                return self._write(name, file, size, {})
        for _ in range(WRITES):
            with contextlib.suppress(MissingObjectError):
                self._upload_parts(name, path)
            if etag := self._etag_if_whole(name, size):
                return etag
        raise self._lost(name)

    def _upload_parts(self, name: str, path: Path) -> None:
        from boto3.s3.transfer import TransferConfig

        place = self._place(name)
        config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
        )
        asked = client(Family.TRANSFER).upload_file
        patiently(
            self.address(name),
            lambda: asked(str(path), place["Bucket"], place["Key"], Config=config),
        )

    def add(self, name: str, data: bytes) -> str | None:
        """Writes a small object if there is none; gives its ETag, None where there is another.

        One that holds the same is taken for ours: an answer that was lost is asked for again.
        """
        return self._write_if(name, data, {"IfNoneMatch": "*"})

    def replace(self, name: str, data: bytes, etag: str) -> str | None:
        """Writes a small object over the one of this ETag; None where it is not there now."""
        return self._write_if(name, data, {"IfMatch": etag})

    def _write_if(self, name: str, data: bytes, conditions: dict[str, str]) -> str | None:
        try:
            return self._write(name, data, len(data), conditions)
        except (BusyObjectError, MissingObjectError):
            try:
                held = self.hold(name)
            except MissingObjectError:
                return None
            return held.etag if held.data == data else None

    def copy(self, sources: Iterable[tuple[Entry, str]]) -> None:
        """Copies objects inside of the store: entries of this one, each with its new name."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda pair: self._copy(*pair), sources))

    def _copy(self, entry: Entry, name: str) -> None:
        place, source = self._place(name), self._place(entry.name)

        def copy() -> None:
            if entry.size <= _MAX_COPY_BYTES:
                client(Family.TRANSFER).copy_object(**place, CopySource=source)
            else:
                client(Family.TRANSFER).copy(source, place["Bucket"], place["Key"])

        patiently(self.address(entry.name), copy)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there do no harm."""
        keys = [self._place(name)["Key"] for name in names]
        bucket = parse_object(self.root).bucket
        for first in range(0, len(keys), _DELETED_AT_ONCE):
            self._delete_some(bucket, keys[first : first + _DELETED_AT_ONCE])

    def _delete_some(self, bucket: str, keys: Sequence[str]) -> None:
        asked = client(Family.CONTROL).delete_objects
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        done = patiently(self.root, lambda: asked(Bucket=bucket, Delete=wanted))
        for refused in done.get("Errors", ()):
            if refused.get("Code") not in ("NoSuchKey", "404"):
                said = f"cannot be deleted: {refused.get('Code')} {refused.get('Message')}"
                raise StoreError(errno.EACCES, said, f"s3://{bucket}/{refused.get('Key')}")

    def delete_below(self, folder: str) -> None:
        """Deletes all objects of a folder."""
        self.delete([entry.name for entry in self.entries(folder)])

    def uploads(self) -> list[Upload]:
        """Uploads in parts below the root that were begun and not finished."""
        parsed, cut = parse_object(self.root), len(self._prefix(""))

        def get() -> list[Upload]:
            pages = client(Family.CONTROL).get_paginator("list_multipart_uploads")
            return [
                Upload(each["Key"][cut:], each["UploadId"], each["Initiated"])
                for page in pages.paginate(Bucket=parsed.bucket, Prefix=self._prefix(""))
                for each in page.get("Uploads", ())
            ]

        return patiently(self.root, get)

    def abort(self, upload: Upload) -> None:
        """Gives an upload up, and frees the space of its parts."""
        with contextlib.suppress(MissingObjectError):
            self._ask(upload.name, "abort_multipart_upload", UploadId=upload.upload_id)

    def local(self, name: str) -> Path:
        """A place on this machine for what only this process needs."""
        address = self.address(name)
        own = f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{name.rpartition('/')[2]}"
        folder = scratch_folder() / "work"
        folder.mkdir(exist_ok=True)
        return folder / own


@dataclass(frozen=True)
class S3Output:
    """A place for an object, which is written to a file of this machine first."""

    store: S3Store
    key: str

    @property
    def name(self) -> str:
        """The object's name without folders."""
        return self.key.rpartition("/")[2]

    def temporary(self) -> Path:
        """A file in the folder of this process."""
        folder = scratch_folder() / "written"
        folder.mkdir(exist_ok=True)
        return folder / f"{threading.get_ident()}-{os.urandom(4).hex()}.tmp"

    def publish(self, temporary: Path, *, durable: bool = True) -> None:
        """Uploads what was written, and keeps it as the object's copy."""
        size = temporary.stat().st_size
        etag = self.store.upload(self.key, temporary)
        self.store.adopt(self.key, etag, size, temporary)

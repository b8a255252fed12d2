"""Objects of Google Cloud Storage.

The generation of an object, which each write makes a new one, stands where S3 has the ETag.
Every request is sent once: `patiently` asks again, where the client's own way is to wait
for two minutes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.stores.address import parse_object
from transforms.stores.errors import BusyObjectError, MissingObjectError, PassingError
from transforms.stores.gcs_client import gcs_client, store_time
from transforms.stores.gcs_errors import no_bucket
from transforms.stores.objects import AT_ONCE, NOTHING, Body, Head, StoredObjects
from transforms.stores.patience import naming, patiently
from transforms.stores.requests import CONNECT_SECONDS, Family
from transforms.stores.store import Entry, Held

PART_BYTES = 64 << 20
"""A multiple of 256 KiB, in which objects are sent that the client does not send at once."""
_SENT_AT_ONCE_BYTES = 8 << 20
"""What the client sends by one request."""
_ENTRY_FIELDS = "items(name,size,generation),nextPageToken"


@dataclass(frozen=True)
class GcsStore(StoredObjects):
    """The objects whose keys begin with that of an address, ``gs://bucket/key``."""

    def _blob(self, name: str) -> Any:
        parsed = parse_object(self.address(name))
        return gcs_client().bucket(parsed.bucket).blob(parsed.key)

    def _describe(self, name: str) -> Any:
        """What the store says of an object."""

        def get() -> Any:
            blob = self._blob(name)
            blob.reload(**_once(Family.CONTROL))
            return blob

        return patiently(self.address(name), get)

    def _head(self, name: str) -> Head:
        blob = self._describe(name)
        # Objects that were composed have no hash.
        return Head(str(blob.generation), int(blob.size), blob.md5_hash or "")

    def _get(self, name: str) -> tuple[str, bytes]:
        def get() -> tuple[str, bytes]:
            blob = self._blob(name)
            data = blob.download_as_bytes(raw_download=True, **_once(Family.CONTROL))
            return str(blob.generation), data

        return patiently(self.address(name), get)

    def hold(self, name: str) -> Held:
        """A small object with what tells it from later ones; raises `MissingObjectError`."""
        while True:
            etag, data = self._get(name)
            blob = self._describe(name)
            # Otherwise it was written between the two requests.
            if str(blob.generation) == etag:
                age = max(store_time() - blob.updated.timestamp(), 0.0)
                return Held(data, etag, age)

    def _download(self, name: str, head: Head, path: Path) -> None:
        address = self.address(name)

        def get() -> None:
            blob = self._blob(name)
            with path.open("wb") as file:
                blob.download_to_file(
                    file,
                    raw_download=True,
                    if_generation_match=int(head.etag),
                    **_once(Family.TRANSFER),
                )
                size = file.tell()
            if str(blob.generation) != head.etag:
                raise BusyObjectError(errno.EBUSY, "it was written while it was read", address)
            if size != head.size:
                said = f"of {head.size:,} bytes only {size:,} can be read"
                raise PassingError(errno.EIO, said, address)

        patiently(address, get)

    def _list(self, prefix: str) -> list[Entry]:
        found = gcs_client().list_blobs(
            parse_object(self.root).bucket,
            prefix=prefix,
            fields=_ENTRY_FIELDS,
            **_once(Family.CONTROL),
        )
        try:
            with naming(self.root):
                return [Entry(blob.name, int(blob.size), str(blob.generation)) for blob in found]
        except MissingObjectError as error:
            raise no_bucket(self.root) from error

    def _put(self, name: str, body: Body, size: int, over: str | None) -> str:
        blob = self._blob(name)
        conditions = {} if over is None else {"if_generation_match": _generation(over)}
        options = {**conditions, **_once(Family.TRANSFER)}
        try:
            with naming(self.address(name)):
                if isinstance(body, Path):
                    blob.chunk_size = PART_BYTES
                    with body.open("rb") as file:
                        blob.upload_from_file(file, size=size, **options)
                else:
                    blob.upload_from_string(body, "application/octet-stream", **options)
        except MissingObjectError as error:
            if size > _SENT_AT_ONCE_BYTES:
                said = "the store has forgotten an upload; run the same command again"
                raise PassingError(errno.EIO, said, self.address(name)) from error
            raise no_bucket(self.address(name)) from error
        return str(blob.generation)

    def _copy(self, entry: Entry, name: str) -> None:
        def copy() -> None:
            source, target = self._blob(entry.name), self._blob(name)
            token = None
            while True:
                # A large object is copied by several requests, each of which goes on.
                token, _, _ = target.rewrite(source, token=token, **_once(Family.TRANSFER))
                if token is None:
                    return

        patiently(self.address(entry.name), copy)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there do no harm."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._delete, names))

    def _delete(self, name: str) -> None:
        with suppress(MissingObjectError):
            patiently(self.address(name), lambda: self._blob(name).delete(**_once(Family.CONTROL)))

    def abort_uploads(self) -> list[str]:
        """None: the store tells of no unfinished uploads, and ends them after a week."""
        return []


def _once(family: Family) -> dict[str, Any]:
    """The options of a request that is sent once and may take its time."""
    return {"timeout": (CONNECT_SECONDS, family.value), "retry": None}


def _generation(etag: str) -> int:
    """The generation that a condition names; that of what is not there is zero."""
    return 0 if etag == NOTHING else int(etag)

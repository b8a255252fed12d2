"""Objects of S3 and of what speaks like it."""

from __future__ import annotations

import contextlib
import email.utils
import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from transforms.stores.address import parse_object
from transforms.stores.client import client
from transforms.stores.errors import MissingObjectError, PassingError, StoreError
from transforms.stores.objects import NOTHING, Body, Head, StoredObjects
from transforms.stores.patience import naming, patiently
from transforms.stores.requests import Family
from transforms.stores.store import Entry, Held

PART_BYTES = 64 << 20
"""Larger objects are sent in parts of this size, of which S3 takes 10,000."""
_CHUNK_BYTES = 1 << 20
_DELETED_AT_ONCE = 1000
_MAX_COPY_BYTES = 5 << 30
"""What the store copies by one request."""


@dataclass(frozen=True)
class Upload:
    """An upload in parts that was begun and not finished."""

    name: str
    upload_id: str
    begun: datetime


@dataclass(frozen=True)
class S3Store(StoredObjects):
    """The objects whose keys begin with that of an address, ``s3://bucket/key``."""

    def _place(self, name: str) -> dict[str, str]:
        parsed = parse_object(self.address(name))
        return {"Bucket": parsed.bucket, "Key": parsed.key}

    def _ask(self, name: str, operation: str, **arguments: Any) -> Any:
        """What the store answers about one object; the operation must be one to do twice."""
        asked = getattr(client(Family.CONTROL), operation)
        place = self._place(name)
        return patiently(self.address(name), lambda: asked(**place, **arguments))

    def _head(self, name: str) -> Head:
        found = self._ask(name, "head_object")
        etag = found["ETag"]
        # That of an object that was not sent in parts is a hash of what it holds.
        return Head(etag, found["ContentLength"], "" if "-" in etag else etag)

    def _download(self, name: str, head: Head, path: Path) -> None:
        arguments = {**self._place(name), "IfMatch": head.etag}

        def get() -> None:
            body = client(Family.TRANSFER).get_object(**arguments)["Body"]
            with contextlib.closing(body), path.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
                if file.tell() != head.size:
                    said = f"of {head.size:,} bytes only {file.tell():,} can be read"
                    raise PassingError(errno.EIO, said, self.address(name))

        patiently(self.address(name), get)

    def _get(self, name: str) -> tuple[str, bytes]:
        held = self.hold(name)
        return held.etag, held.data

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

    def _list(self, prefix: str) -> list[Entry]:
        pages = client(Family.CONTROL).get_paginator("list_objects_v2")
        return [
            Entry(each["Key"], each["Size"], each["ETag"])
            for page in pages.paginate(Bucket=parse_object(self.root).bucket, Prefix=prefix)
            for each in page.get("Contents", ())
        ]

    def _put(self, name: str, body: Body, size: int, over: str | None) -> str:
        if isinstance(body, Path):
            if size > PART_BYTES:
                self._upload_parts(name, body)
                return ""
            with body.open("rb") as file:
                return self._put_object(name, file, over)
        return self._put_object(name, body, over)

    def _put_object(self, name: str, body: Any, over: str | None) -> str:
        conditions = {} if over is None else {"IfMatch": over}
        if over == NOTHING:
            conditions = {"IfNoneMatch": "*"}
        done = client(Family.TRANSFER).put_object(**self._place(name), **conditions, Body=body)
        if "ETag" not in done:
            raise PassingError(errno.EIO, "the answer was cut short", self.address(name))
        etag: str = done["ETag"]
        return etag

    def _upload_parts(self, name: str, path: Path) -> None:
        from boto3.s3.transfer import TransferConfig

        place = self._place(name)
        config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
        )
        # A server that was killed may have put the parts together or forgotten them.
        with contextlib.suppress(MissingObjectError), naming(self.address(name)):
            client(Family.TRANSFER).upload_file(
                str(path), place["Bucket"], place["Key"], Config=config
            )

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

    def abort_uploads(self) -> list[str]:
        """Gives up the uploads that were begun and not finished; gives the names of objects."""
        found = self.uploads()
        for upload in found:
            self.abort(upload)
        return [upload.name for upload in found]

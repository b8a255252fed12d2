"""Listing: what the sources name, streamed into the ``requests`` table and out of it again.

Lists may have millions of lines. They are written as they come, and a worker reads
those of the part that it crawls.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import requests, tables
from schemas.documents import part_of_repository
from transforms.crawl.source import Place, Request, Source
from transforms.parts import Progress, Receipt, Workspace, reading

RUN_ROWS = 1 << 18
GROUP_ROWS = 1 << 13


@dataclass(frozen=True)
class ListSource:
    """Lists the repositories that one source names."""

    workspace: Workspace
    sources: tuple[Source, ...]
    parts: int
    cache: str

    def __call__(self, unit: str) -> Receipt:
        """Lists the source whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        number = [requests.file_name(n) for n in range(len(self.sources))].index(name)
        progress = Progress(self.workspace, unit)
        scratch = self.workspace.files.local(f"scratch/{unit}")
        place = Place(Path(self.cache), scratch, progress.tell)
        found = self.sources[number].requests(place)
        writer = self.workspace.write_table(
            # Each batch becomes a row group.
            tables.REQUESTS,
            name,
            requests.SCHEMA,
            row_group_bytes=1,
        )
        with writer, progress:
            for batch in request_batches(found, self.parts):
                progress.add(repositories=batch.num_rows)
                writer.write(batch)
        rows = writer.entry.rows
        return Receipt({tables.REQUESTS: (writer.entry,)}, {"requests": rows})


def request_batches(found: Iterable[Request], parts: int) -> Iterator[pa.RecordBatch]:
    """Rows of the requests table, sorted by part and name within runs of bounded length."""
    requested = iter(found)
    while run := set(islice(requested, RUN_ROWS)):
        rows = sorted((part_of_repository(each.repository, parts), *_columns(each)) for each in run)
        for first in range(0, len(rows), GROUP_ROWS):
            columns = zip(*rows[first : first + GROUP_ROWS], strict=True)
            arrays = [
                pa.array(values, field.type)
                for values, field in zip(columns, requests.SCHEMA, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=requests.SCHEMA)


def _columns(request: Request) -> tuple[str, str, str]:
    return request.repository, request.source, request.location


def digest_requests(paths: Sequence[Path], parts: int) -> list[str]:
    """A digest of the requests of each part, whatever their order; raises `DamagedFileError`."""
    sums = [0] * parts
    for path in paths:
        with reading(path), pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for part, *request in zip(*(column.to_pylist() for column in batch), strict=True):
                    # A sum does not depend on order, and hides no request that is there twice.
                    row = hashlib.sha256(json.dumps(request).encode()).digest()
                    sums[part] = (sums[part] + int.from_bytes(row)) % (1 << 256)
    return [f"{total:064x}" for total in sums]


def read_requests(paths: Sequence[Path], part: int) -> list[Request]:
    """The requests of one part, each once, sorted by repository; raises `DamagedFileError`."""
    found: set[Request] = set()
    for path in paths:
        with reading(path), pq.ParquetFile(path) as file:
            state = path.stat()
            for group in _parts_of_groups(path, state.st_ino, state.st_mtime_ns)[part]:
                table = file.read_row_group(group)
                rows = pc.equal(table["part"], part)
                table = table.filter(rows).drop_columns(["part"])
                found.update(Request(**row) for row in table.to_pylist())
    return sorted(found)


@functools.lru_cache(maxsize=64)
def _parts_of_groups(path: Path, inode: int, modified: int) -> Mapping[int, Sequence[int]]:
    """The row groups in which a part has requests, by part, of a file that is not changed.

    A worker looks for it once and not for each part: in a long list, that would be most of
    what is read.
    """
    groups: defaultdict[int, list[int]] = defaultdict(list)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            for part in pc.unique(file.read_row_group(group, ["part"])["part"]).to_pylist():
                groups[part].append(group)
    return groups

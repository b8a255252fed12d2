"""Reading and writing the parts of tables.

A stage reads committed tables of a run and writes into a staging folder of its own.
A file appears under its name only when it is whole and on the disk. When all files
that belong to one unit of work are there, a receipt says so: whatever has a receipt
is finished and is not done again when an interrupted stage resumes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.digest import TableDigest
from schemas.manifest import FileEntry
from transforms.stores.files import LocalOutput, Output, writing_to
from transforms.stores.requests import count_requests, worker_name
from transforms.stores.store import Store, store_at

ROW_GROUP_BYTES = 16 << 20
ERRORS = "errors"
"""The folder of what went wrong with units of work, in the staging folder of a stage."""
# A batch costs some 14 KB of memory besides its bytes, and repositories may be tiny.
PENDING_BATCHES = 1024
_RECEIPTS = "receipts"
_PROGRESS = "progress"


@dataclass(frozen=True)
class Receipt:
    """What one unit of a stage's work wrote: files by table, and counts by name.

    ``requests`` are what its ``worker`` had asked of object stores by then, in all.
    """

    files: Mapping[str, tuple[FileEntry, ...]]
    statistics: Mapping[str, int] = field(default_factory=dict)
    # Who did the work makes no other receipt of it.
    worker: str = field(default="", compare=False)
    requests: int = field(default=0, compare=False)

    @classmethod
    def of(
        cls, writers: Mapping[str, PartWriter], statistics: Mapping[str, int] = MappingProxyType({})
    ) -> Receipt:
        """The receipt for one file of each of some tables, by table; they must be written."""
        files = {table: (writer.entry,) for table, writer in writers.items()}
        return cls(files=files, statistics=dict(statistics))

    def to_json(self) -> str:
        """The receipt as the text of its file."""
        files = {
            table: [asdict(entry) for entry in entries] for table, entries in self.files.items()
        }
        body = {**vars(self), "files": files, "statistics": dict(self.statistics)}
        return json.dumps(body, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Receipt:
        """Reads the text of a receipt's file."""
        body = json.loads(text)
        files = {
            table: tuple(FileEntry(**entry) for entry in entries)
            for table, entries in body["files"].items()
        }
        return cls(**{**body, "files": files})


@dataclass(frozen=True)
class Workspace:
    """Where one stage of one run reads and writes.

    ``run`` is the folder with the committed tables, ``staging`` the stage's own; either may
    be the address of objects.
    """

    run: str
    staging: str

    @property
    def files(self) -> Store:
        """The files of the stage."""
        return store_at(self.staging)

    def committed(self, table: str, name: str) -> Path:
        """A file of a committed table, to be read while the path is held."""
        return store_at(self.run).path(f"{table}/{name}")

    def staged(self, table: str, name: str) -> Path:
        """A file of a table that is being made, to be read while the path is held."""
        return self.files.path(f"{table}/{name}")

    def output(self, table: str, name: str) -> Output:
        """The place of a file of a table that is being made."""
        return self.files.output(f"{table}/{name}")

    def write_table(
        self, table: str, name: str, schema: pa.Schema, *, row_group_bytes: int = ROW_GROUP_BYTES
    ) -> PartWriter:
        """A writer for one file of a table that is being made, its format by its suffix."""
        return PartWriter(self.output(table, name), schema, row_group_bytes)

    @contextmanager
    def write_tables(
        self, name: str, schemas: Mapping[str, pa.Schema]
    ) -> Iterator[dict[str, PartWriter]]:
        """Writers for the files of this name of several tables that are being made, by table."""
        with ExitStack() as stack:
            yield {
                table: stack.enter_context(self.write_table(table, name, schema))
                for table, schema in schemas.items()
            }

    def write_file(self, table: str, name: str, data: bytes | Iterable[memoryview]) -> FileEntry:
        """Writes a file without rows, whole or in chunks, of a table that is being made."""
        digest, size = hashlib.sha256(), 0
        with writing_to(self.output(table, name)) as file:
            for chunk in [data] if isinstance(data, bytes) else data:
                size += file.write(chunk)
                digest.update(chunk)
        sha256 = digest.hexdigest()
        return FileEntry(name=name, rows=0, bytes=size, sha256=sha256, digest=sha256)

    def write_receipt(self, unit: str, receipt: Receipt) -> None:
        """Declares a unit of work finished."""
        if requests := count_requests().total():
            receipt = replace(receipt, worker=worker_name(), requests=requests)
        self.files.write(f"{_RECEIPTS}/{unit}.json", receipt.to_json().encode())

    def has_receipt(self, unit: str) -> bool:
        """Whether a unit of work is finished."""
        return self.files.exists(f"{_RECEIPTS}/{unit}.json")

    def receipts(self) -> dict[str, Receipt]:
        """The receipts of all finished units, by unit in sorted order."""
        found = self.files.read_all(_RECEIPTS, ".json")
        return {unit: Receipt.from_json(text.decode()) for unit, text in sorted(found.items())}

    def progress(self) -> dict[str, Mapping[str, int]]:
        """What each unit says of how far it is, by unit."""
        found = self.files.read_all(_PROGRESS, ".json")
        return {unit: json.loads(text) for unit, text in found.items()}

    def forget_unfinished(self) -> None:
        """Removes errors, and what units without a receipt say of how far they are."""
        self.files.delete_below(ERRORS)
        finished = {Path(entry.name).stem for entry in self.files.entries(_RECEIPTS)}
        told = [Path(entry.name) for entry in self.files.entries(_PROGRESS)]
        self.files.delete(
            str(path) for path in told if path.suffix != ".json" or path.stem not in finished
        )

    def notices(self) -> list[str]:
        """What units say in words, such as what they wait for, each once, sorted."""
        found = self.files.read_all(_PROGRESS, ".txt").values()
        return sorted({text.decode() for text in found} - {""})

    def keep_local(self, name: str) -> str:
        """Keeps a file that one worker has on its machine; gives its address."""
        path = self.files.local(name)
        address = self.files.address(name)
        # The store may be what failed.
        with suppress(OSError):
            if str(path) != address:
                self.files.write(name, path.read_bytes())
        return address


class Progress(AbstractContextManager["Progress"]):
    """Tells how far a unit of work is, at most twice a second, in a file of its own.

    Where the counts end up beside the work rather than in memory, any process on any
    runner can show them. As a context, it tells the last counts when it ends.
    """

    def __init__(self, workspace: Workspace, unit: str) -> None:
        self._files = workspace.files
        self._name = f"{_PROGRESS}/{unit}"
        self._counts: dict[str, int] = {}
        self._told = ""
        self._written = 0.0

    def add(self, **counts: int) -> None:
        """Adds to the unit's counts."""
        for name, count in counts.items():
            self._counts[name] = self._counts.get(name, 0) + count
        now = time.monotonic()
        if now - self._written >= self._files.progress_seconds:
            self._written = now
            self._write()

    def _write(self) -> None:
        self._files.tell(f"{self._name}.json", json.dumps(self._counts).encode())

    def tell(self, line: str) -> None:
        """Says in words what the unit waits for, until the next line; an empty one ends it."""
        if line != self._told:
            self._told = line
            self._files.tell(f"{self._name}.txt", line.encode())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Writes the counts that have been kept back last."""
        # What failed counts from nothing again, and its disk may be full.
        if error is None and self._counts:
            self._write()


class PartWriter(AbstractContextManager["PartWriter"]):
    """Writes one file of a table; nothing is under its name until it is whole.

    ``.parquet`` files are Zstandard with row groups of about ``row_group_bytes``,
    ``.arrow`` files uncompressed IPC streams. Leaving the context by an exception
    removes what was written.
    """

    def __init__(
        self, place: Path | Output, schema: pa.Schema, row_group_bytes: int = ROW_GROUP_BYTES
    ) -> None:
        self._output = LocalOutput(place) if isinstance(place, Path) else place
        self._schema = schema
        self._row_group_bytes = row_group_bytes
        self._digest = TableDigest(schema)
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._rows = 0
        self._entry: FileEntry | None = None

    def __enter__(self) -> Self:
        self._temporary = self._output.temporary()
        self._sink = self._temporary.open("wb")
        if self._output.name.endswith(".parquet"):
            self._writer: Any = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression="zstd",
                use_dictionary=_dictionary_columns(self._schema),
                write_statistics=False,
            )
        else:
            self._writer = pa.ipc.new_stream(self._sink, self._schema)
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends the rows of a batch of the table's schema."""
        if batch.schema != self._schema:
            raise ValueError(f"batch has schema {batch.schema}, the table has {self._schema}")
        self._rows += batch.num_rows
        self._pending.append(batch)
        self._pending_bytes += batch.nbytes
        if self._pending_bytes >= self._row_group_bytes:
            self._flush()
        elif len(self._pending) >= PENDING_BATCHES:
            self._pending = self._gathered()

    def _gathered(self) -> list[pa.RecordBatch]:
        table = pa.Table.from_batches(self._pending, self._schema).combine_chunks()
        batches: list[pa.RecordBatch] = table.to_batches()
        return batches

    def _flush(self) -> None:
        if self._pending:
            for batch in self._gathered():
                # Once for many small batches, which cost more to digest than their bytes.
                self._digest.update(batch)
                self._writer.write_batch(batch)
            self._pending, self._pending_bytes = [], 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._sink:
                if kind is None:
                    self._flush()
                self._writer.close()
            if kind is None:
                self._publish()
        finally:
            # Gone already where it was published.
            self._temporary.unlink(missing_ok=True)

    def _publish(self) -> None:
        with self._temporary.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._entry = FileEntry(
            name=self._output.name,
            rows=self._rows,
            bytes=self._temporary.stat().st_size,
            sha256=sha256,
            digest=self._digest.hexdigest(),
        )
        self._output.publish(self._temporary)

    @property
    def entry(self) -> FileEntry:
        """What was written, once the context is left."""
        if self._entry is None:
            raise ValueError(f"{self._output.name} is not written yet")
        return self._entry


class DamagedFileError(OSError):
    """A file of a table is not in the format that its name promises."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what readers of a file say of damage into `DamagedFileError`."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        # What the system refuses has a number; Arrow's own complaints about data have none.
        if isinstance(error, OSError) and error.errno:
            raise
        raise DamagedFileError(errno.EIO, f"damaged file ({error})", str(path)) from error


def read_part(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The columns of a whole Parquet part; raises `DamagedFileError`."""
    with reading(path):
        return pq.ParquetFile(path).read(columns=columns, use_threads=False)


def iterate_row_groups(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The row groups of a Parquet part in order, each as one batch.

    Raises `DamagedFileError`.
    """
    with reading(path), pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            table = file.read_row_group(index, columns=columns, use_threads=False)
            yield from table.combine_chunks().to_batches()


def read_rows(
    path: Path, rows: Sequence[int] | npt.NDArray[np.int64], columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Some rows of a Parquet part, ascending, a batch for each row group that has any.

    Row groups without any of them are not read. Raises `DamagedFileError`.
    """
    wanted = np.asarray(rows, dtype=np.int64)
    with reading(path), pq.ParquetFile(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            here = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, end)] - first
            first = end
            if here.size:
                table = file.read_row_group(group, columns=columns, use_threads=False)
                yield from table.take(pa.array(here)).combine_chunks().to_batches()


def read_row(path: Path, row: int, columns: list[str] | None = None) -> dict[str, Any]:
    """One row of a Parquet part, of which only its row group is read; raises `DamagedFileError`."""
    for batch in read_rows(path, [row], columns):
        found: dict[str, Any] = batch.to_pylist()[0]
        return found
    raise IndexError(f"{path.name} has no row {row}")


def map_stream(path: Path) -> pa.Table:
    """An Arrow IPC stream as a table on a memory map, nothing copied.

    Raises `DamagedFileError`.
    """
    with reading(path), pa.memory_map(str(path)) as source:
        return pa.ipc.open_stream(source).read_all()


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    """The columns that repeat themselves: strings other than paths and hashes."""
    plain = {"path", "sha256"}
    return [
        field.name
        for field in schema
        if field.name not in plain
        and (pa.types.is_string(field.type) or pa.types.is_list(field.type))
    ]

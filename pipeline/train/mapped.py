"""Shards of a committed table: found by their manifest, and mapped into memory.

A mapped shard has one memory map and no open file, and its arrays are views of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.manifest import FILE_NAME, FileEntry, Manifest, ManifestError
from schemas.shards import Split
from schemas.tokenizers import TOKENIZER_FILE


class ShardsError(ValueError):
    """Shards are missing or damaged, or do not go together. The message says what to do."""


class Columns(NamedTuple):
    """A record batch without copies; ``starts[offsets[i]:offsets[i + 1]]`` are those of row i.

    ``input_ids`` uint16 or uint32[rows, context_length], ``lengths`` int32[rows], ``offsets``
    int32[rows + 1], ``starts`` int32[pieces]. One number is had faster from a memoryview.
    """

    input_ids: npt.NDArray[np.unsignedinteger]
    lengths: memoryview
    offsets: memoryview
    starts: npt.NDArray[np.int32]

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> Columns:
        """Views of a record batch of a stream."""
        ids, starts = batch["input_ids"], batch["document_starts"]
        return cls(
            _view(ids.values).reshape(-1, ids.type.list_size),
            _view(batch["length"]).data,
            _view(starts.offsets).data,
            _view(starts.values),
        )

    def starts_of(self, row: int) -> npt.NDArray[np.int32]:
        """Where documents begin in a row."""
        return self.starts[self.offsets[row] : self.offsets[row + 1]]


def _view(array: pa.Array) -> npt.NDArray[Any]:
    # Arrow's own `to_numpy` would import pandas, where there is one, for half a second.
    view: npt.NDArray[Any] = np.from_dlpack(array)
    return view


class Shard(NamedTuple):
    """A shard in memory: its record batches, the row at which each begins, and its kind."""

    batches: list[Columns]
    firsts: list[int]
    kind: tuple[str, int]


@dataclass(frozen=True)
class ShardFile:
    """A shard as its manifest has it."""

    path: Path
    entry: FileEntry

    def require(self) -> None:
        """Raises `ShardsError` if it is missing or has another size."""
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from error
        if size != self.entry.bytes:
            raise self._error(f"has {size:,} bytes, its manifest says {self.entry.bytes:,}")

    def open(self, check: bool) -> Shard:
        """Maps it; raises `ShardsError` if it is not what it should be."""
        try:
            if check:
                self._check()
            with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as reader:
                ids = reader.schema.field("input_ids").type
                batches = [Columns.of(batch) for batch in reader]
        except (OSError, KeyError, pa.ArrowException) as error:
            raise self._error(f"cannot be read: {error}") from error
        ends = np.cumsum([0, *(len(batch.lengths) for batch in batches)]).tolist()
        if ends[-1] != self.entry.rows:
            raise self._error(f"has {ends[-1]:,} rows, its manifest says {self.entry.rows:,}")
        return Shard(batches, ends[:-1], (str(ids.value_type), ids.list_size))

    def _check(self) -> None:
        with self.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.entry.sha256:
                raise self._error("has other content than its manifest says")

    def _error(self, what: str) -> ShardsError:
        run = self.path.parent.parent
        return ShardsError(f"{self.path} {what}; `repomill verify {run}` names all damaged files")


def find_files(folders: Sequence[Path], split: str) -> list[ShardFile]:
    """The shards of a split that have rows, in order; all of them are there.

    Raises:
      ShardsError: one is not, or there are none, or a folder has no manifest or another
        tokenizer than the others.
      ValueError: no folder is named, or no such split is known.
    """
    if not folders or split not in list(Split):
        raise ValueError(
            f"name folders of shards and one of {', '.join(Split)}, got {folders} and {split!r}"
        )
    name = re.compile(rf"{split}-\d+-of-\d+\.arrow")
    files, tokenizers = [], set()
    for folder in folders:
        for entry in _read_manifest(folder / FILE_NAME).files:
            if name.fullmatch(entry.name) and entry.rows:
                files.append(ShardFile(folder / entry.name, entry))
            elif entry.name == TOKENIZER_FILE:
                tokenizers.add(entry.sha256)
    named = ", ".join(map(str, folders))
    if not files:
        raise ShardsError(f"there are no rows of the split {split} in {named}")
    if len(tokenizers) > 1:
        raise ShardsError(f"the shards in {named} were made by different tokenizers")
    for file in files:
        file.require()
    return files


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; name the shards folder of a finished run"
    except ManifestError as error:
        reason = f"is damaged: {error}; `repomill run` makes the table anew"
    raise ShardsError(f"{path} {reason}")

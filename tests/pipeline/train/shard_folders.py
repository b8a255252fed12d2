"""Small committed shards of made-up tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import pyarrow as pa

from pipeline.train import Batch, Batches
from schemas.manifest import FILE_NAME, FileEntry, Manifest
from schemas.shards import Split, file_name, schema
from schemas.tokenizers import TOKENIZER_FILE

CONTEXT = 4


def row_of(number: int) -> dict[str, object]:
    """A sequence that tells its number; every fifth is padded, and has a document less."""
    length = CONTEXT if number % 5 else 3
    starts = [0, 2, 3][: length - 1]
    return {
        "input_ids": [number, *range(10, 10 + length - 1), *[0] * (CONTEXT - length)],
        "length": length,
        "document_starts": starts,
        "documents": [number + start for start in starts],
        "offsets": [0 for _ in starts],
    }


def write_folder(
    folder: Path,
    counts: Sequence[int],
    *,
    split: Split = Split.TRAIN,
    first: int = 0,
    rows_per_batch: int = 3,
    token: pa.DataType | None = None,
    tokenizer: bytes = b"{}",
) -> Path:
    """Writes shards of so many rows, numbered from ``first`` on, and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [file_name(split, number, len(counts)) for number in range(len(counts))]
    for name, count in zip(names, counts, strict=True):
        rows = [row_of(number) for number in range(first, first + count)]
        _write_shard(folder / name, rows, rows_per_batch, schema(token or pa.uint16(), CONTEXT))
        first += count
    (folder / TOKENIZER_FILE).write_bytes(tokenizer)
    entries = [_entry(folder / TOKENIZER_FILE, 0)]
    entries += [_entry(folder / name, count) for name, count in zip(names, counts, strict=True)]
    write_manifest(folder, entries)
    return folder


def write_manifest(folder: Path, entries: Iterable[FileEntry]) -> None:
    """Writes the manifest of a table of some files."""
    manifest = Manifest("shards", "shard", "1", "f" * 64, {}, {}, tuple(entries))
    (folder / FILE_NAME).write_text(manifest.to_json())


def numbers(batch: Batch) -> list[int]:
    """The numbers that the sequences of a batch tell."""
    found: list[int] = batch.input_ids[:, 0].tolist()
    return found


def send_steps(batches: Batches, steps: Iterable[int], queue: SimpleQueue[list[list[int]]]) -> None:
    """What a worker process does: it reads some steps and sends what they tell."""
    queue.put([numbers(batches[step]) for step in steps])


def _write_shard(
    path: Path, rows: list[dict[str, object]], rows_per_batch: int, kind: pa.Schema
) -> None:
    with pa.ipc.new_stream(path, kind) as writer:
        for place in range(0, len(rows), rows_per_batch):
            chunk = rows[place : place + rows_per_batch]
            writer.write_batch(pa.RecordBatch.from_pylist(chunk, schema=kind))


def _entry(path: Path, rows: int) -> FileEntry:
    data = path.read_bytes()
    return FileEntry(path.name, rows, len(data), hashlib.sha256(data).hexdigest(), "d" * 64)

"""Shards of made-up tokens, and the same in the formats of other loaders."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from schemas import shards
from schemas.manifest import FILE_NAME, FileEntry, Manifest
from transforms.shard.dataset_files import dataset_files
from transforms.shard.formats import mds, megatron

CONTEXT = 2048
ROWS_PER_SHARD = 16_384
IDS = {pa.uint16(): 50_281, pa.uint32(): 200_019}
"""How many ids there are of a type: those of p50k and o200k."""
_PIECES = 3
_PADDING = 100


def write_run(run: Path, rows: int, token: pa.DataType) -> None:
    """Writes a run's ``shards`` and, beside them, the same in other formats.

    ``megatron`` has files for Megatron-LM and nanoGPT, ``mds`` those of MosaicML, and
    ``rows.bin`` the ids of all rows, padding included.
    """
    shutil.rmtree(run, ignore_errors=True)
    counts = [min(ROWS_PER_SHARD, rows - first) for first in range(0, rows, ROWS_PER_SHARD)]
    names = [shards.file_name(shards.Split.TRAIN, n, len(counts)) for n in range(len(counts))]
    for folder in ("shards/train", "megatron", "mds"):
        (run / folder).mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number, (name, count) in enumerate(zip(names, counts, strict=True)):
        path = run / "shards" / name
        _write_shard(path, rng, count, shards.schema(token, CONTEXT))
        _write_others(run, path, number, mds.Samples(token, CONTEXT))
    write_manifest(run / "shards", dict(zip(names, counts, strict=True)))
    for name, data in dataset_files({"train": names}, f"{rows}-{token}"):
        (run / "shards" / name).write_bytes(data)
    (run / "mds" / mds.INDEX_FILE).write_bytes(mds.Samples(token, CONTEXT).index(counts))


def write_manifest(folder: Path, rows: Mapping[str, int]) -> None:
    """Writes the manifest of shards with so many rows each."""
    entries = []
    for name, count in rows.items():
        path = folder / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries.append(FileEntry(name, count, path.stat().st_size, digest, digest))
    manifest = Manifest("shards", "shard", "1", "0", {}, {}, tuple(entries))
    (folder / FILE_NAME).write_text(manifest.to_json())


def _write_shard(path: Path, rng: np.random.Generator, rows: int, kind: pa.Schema) -> None:
    with pa.ipc.new_stream(str(path), kind) as writer:
        for first in range(0, rows, shards.ROWS_PER_BATCH):
            count = min(shards.ROWS_PER_BATCH, rows - first)
            writer.write_batch(_made_up(rng, count, kind))


def _write_others(run: Path, path: Path, number: int, samples: mds.Samples) -> None:
    with pa.memory_map(str(path)) as source:
        batches = list(pa.ipc.open_stream(source))
    with (run / "rows.bin").open("ab") as file:
        file.writelines(batch["input_ids"].values.to_numpy().data for batch in batches)
    with (run / "megatron" / f"{path.stem}.bin").open("wb") as file:
        file.writelines(megatron.bin_chunks(batches))
    index = megatron.index_bytes(megatron.sequence_lengths(batches), samples.token)
    (run / "megatron" / f"{path.stem}.idx").write_bytes(index)
    with (run / "mds" / mds.file_name(number)).open("wb") as file:
        file.writelines(samples.chunks(batches, sum(map(len, batches))))


def _made_up(rng: np.random.Generator, rows: int, kind: pa.Schema) -> pa.RecordBatch:
    """Rows of random ids in a few pieces each; the last row is padded with its last id."""
    ids = kind.field("input_ids").type
    tokens = rng.integers(0, IDS[ids.value_type], (rows, CONTEXT), dtype=str(ids.value_type))
    tokens[-1, -_PADDING:] = tokens[-1, -1]
    lengths = np.full(rows, CONTEXT, dtype=np.int32)
    lengths[-1] -= _PADDING
    starts = np.sort(rng.integers(1, CONTEXT - _PADDING, (rows, _PIECES), dtype=np.int32), axis=1)
    starts[:, 0] = 0
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * _PIECES)
    flat = pa.array(starts.reshape(-1))
    lists = [
        pa.ListArray.from_arrays(offsets, flat.cast(field.type.value_type), type=field.type)
        for field in list(kind)[2:]
    ]
    first = pa.FixedSizeListArray.from_arrays(pa.array(tokens.reshape(-1)), type=ids)
    return pa.RecordBatch.from_arrays([first, pa.array(lengths), *lists], schema=kind)

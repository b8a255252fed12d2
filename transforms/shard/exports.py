"""Shards in other formats: the same rows in the same order, read from the shard itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from schemas import tables
from schemas.manifest import FileEntry
from transforms.parts import Workspace, map_stream
from transforms.shard.formats import mds, megatron

Written = dict[str, tuple[FileEntry, ...]]


def export_shard(workspace: Workspace, unit: str, formats: Collection[str]) -> Written:
    """Writes a shard that has just been written in other formats; gives the files by table.

    Args:
      unit: the name of the shard without its suffix.
      formats: tables, of `schemas.tables.MEGATRON` and `schemas.tables.MDS`.
    """
    written: Written = {}
    if not formats:
        return written
    split, number, *_ = unit.split("-")
    shard = map_stream(workspace.staged(tables.SHARDS, f"{unit}.arrow"))
    ids = shard.schema.field("input_ids").type
    batches = shard.to_batches()
    if tables.MEGATRON in formats:
        index = megatron.index_bytes(megatron.sequence_lengths(batches), ids.value_type)
        written[tables.MEGATRON] = (
            workspace.write_file(tables.MEGATRON, f"{unit}.bin", megatron.bin_chunks(batches)),
            workspace.write_file(tables.MEGATRON, f"{unit}.idx", index),
        )
    if tables.MDS in formats:
        chunks = mds.Samples(ids.value_type, ids.list_size).chunks(batches, len(shard))
        name = f"{split}/{mds.file_name(int(number))}"
        written[tables.MDS] = (workspace.write_file(tables.MDS, name, chunks),)
    return written


def export_indexes(
    workspace: Workspace,
    formats: Collection[str],
    token: pa.DataType,
    context_length: int,
    rows: Mapping[str, Sequence[int]],
) -> Written:
    """Writes what formats say of all shards of a split together; gives the files by table.

    Args:
      token: the type of ids.
      rows: of each shard, by split.
    """
    if tables.MDS not in formats:
        return {}
    samples = mds.Samples(token, context_length)
    return {
        tables.MDS: tuple(
            workspace.write_file(tables.MDS, f"{split}/{mds.INDEX_FILE}", samples.index(counts))
            for split, counts in rows.items()
        )
    }

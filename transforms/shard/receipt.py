"""The plans of shards, and what is known of all shards from their plans alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from schemas import tables
from schemas.mixture import MIXTURE
from schemas.shards import Split
from transforms.parts import PartWriter, Receipt, Workspace, map_stream
from transforms.shard.buckets import plan_bucket
from transforms.shard.dataset_files import dataset_files
from transforms.shard.exports import Written, export_indexes
from transforms.shard.layout import Layout
from transforms.shard.mixture_rows import ROWS_AT_ONCE, merge_by_repository
from transforms.shard.reader import PlanReader
from transforms.shard.sequences import mixture_file, read_counts


def write_plans(reader: PlanReader, bucket: int) -> None:
    """Writes the plan of each shard of a bucket, and a digest of them all."""
    digest = hashlib.sha256(reader.options.identity.encode())
    for name, plan in plan_bucket(reader.files, reader.layout(), bucket):
        digest.update(reader.files.write(name, plan))
    reader.files.write_values(_digest_file(bucket), digest.hexdigest())


def finish_plan(reader: PlanReader) -> Receipt:
    """Writes what is known without the shards; gives the receipt for it."""
    layout, workspace = reader.layout(), reader.workspace
    mixture = _write_mixture(reader)
    shards = {str(split): layout.names(split) for split in Split if layout.rows(split)}
    files = {
        tables.MIXTURE: (mixture.entry,),
        tables.SHARDS: tuple(
            workspace.write_file(tables.SHARDS, name, data)
            for name, data in dataset_files(shards, _digest(reader, layout))
        ),
    }
    statistics: dict[str, int] = {}
    for counts in read_counts(reader):
        for name, count in counts["statistics"].items():
            statistics[name] = statistics.get(name, 0) + count
    return Receipt(files={**files, **_write_indexes(reader, layout)}, statistics=statistics)


def _write_mixture(reader: PlanReader) -> PartWriter:
    sections = [reader.files.map(mixture_file(number)) for number in range(reader.sections)]
    writer = reader.workspace.write_table(tables.MIXTURE, tables.part_name(0), MIXTURE)
    with writer:
        for batch in merge_by_repository(sections, ROWS_AT_ONCE):
            writer.write(batch)
    return writer


def _digest(reader: PlanReader, layout: Layout) -> str:
    """What stands for all shards: of one bucket its digest, of several that of theirs."""
    digests = [reader.files.read_values(_digest_file(each)) for each in range(layout.buckets)]
    return hashlib.sha256("".join(digests).encode()).hexdigest() if digests[1:] else digests[0]


def _write_indexes(reader: PlanReader, layout: Layout) -> Written:
    rows = {str(split): layout.shard_rows(split) for split in Split if layout.rows(split)}
    if not rows:
        return {}
    token = token_type(tokens_path(reader.workspace, 0))
    length = reader.options.packing.context_length
    return export_indexes(reader.workspace, reader.options.formats, token, length, rows)


def tokens_path(workspace: Workspace, part: int) -> Path:
    """The tokens of a part."""
    return workspace.committed(tables.TOKENS, tables.part_name(part, "arrow"))


def token_type(tokens: Path) -> pa.DataType:
    """The type of the ids in the tokens of a part."""
    return map_stream(tokens).schema.field("input_ids").type.value_type


def _digest_file(bucket: int) -> str:
    return f"digests/bucket-{bucket:05d}.json"

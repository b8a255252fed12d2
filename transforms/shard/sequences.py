"""Sequences: those of a section are counted, and divided once it is known where they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.shards import Split
from transforms.shard.buckets import write_pieces
from transforms.shard.layout import lay_out
from transforms.shard.mixture_rows import mixture_rows, name_repositories
from transforms.shard.packing import Packed
from transforms.shard.passes import Pass, copies_of_pass, pack_copies
from transforms.shard.reader import LAYOUT, PlanReader
from transforms.shard.sections import Documents, Integers


def count_sequences(reader: PlanReader, section: int) -> None:
    """Writes what a section gives each pass and each split, and its rows of the mixture."""
    seed, epochs = reader.options.packing.seed, reader.options.mixture.epochs
    names = name_repositories(reader.workspace, reader.parts(section), seed)
    sequences, pieces, statistics, rows = [], 0, {}, []
    for split in Split:
        documents = reader.documents(section, split)
        total = np.zeros(documents.count, np.int64)
        cut = np.zeros(documents.count, np.bool_)
        for _, copies, packed in _pack(reader, documents, split):
            sequences.append(packed.first.size - 1)
            pieces += packed.document.size
            cut[packed.document[packed.offset > 0]] = True
            total += copies
        statistics[f"{split}.documents"] = int((total > 0).sum())
        statistics[f"{split}.cut"] = int(cut.sum())
        passes = epochs if split is Split.TRAIN else 1
        rows.append(mixture_rows(names, documents, split, total, passes))
        if split is Split.TRAIN:
            trains = documents.count
    reader.files.write(mixture_file(section), pa.Table.from_batches(rows).sort_by("repository"))
    values = {"sequences": sequences, "pieces": pieces, "trains": trains, "statistics": statistics}
    reader.files.write_values(_counts_file(section), values)


def lay_out_shards(reader: PlanReader) -> None:
    """Writes where the sequences of all sections are in the shards.

    Raises:
      ValueError: of documents to train on no epoch has any.
    """
    counts, packing = read_counts(reader), reader.options.packing
    if any(each["trains"] for each in counts) and not any(
        each["statistics"][f"{Split.TRAIN}.documents"] for each in counts
    ):
        raise ValueError("shard.mixture leaves nothing to train on: raise some of its weights")
    layout = lay_out(
        list(zip(*(each["sequences"] for each in counts), strict=True)),
        sum(each["pieces"] for each in counts),
        packing.sequences_per_shard,
        reader.options.division.bucket_pieces,
        [each.seed(packing.seed) for each in reader.passes],
    )
    reader.files.write_values(LAYOUT, layout.to_values())


def divide_sequences(reader: PlanReader, section: int) -> None:
    """Writes the pieces of a section, by bucket."""
    layout, seed = reader.layout(), reader.options.packing.seed
    numbers = {each: number for number, each in enumerate(reader.passes)}
    for split in Split:
        documents = reader.documents(section, split)
        for each, _, packed in _pack(reader, documents, split):
            place = numbers[each], section
            write_pieces(reader.files, layout, place, packed, documents, each.seed(seed))


def _pack(
    reader: PlanReader, documents: Documents, split: Split
) -> Iterator[tuple[Pass, Integers, Packed]]:
    """Each pass over documents of a split: the copies that it has, and their sequences."""
    choices, packing = reader.choices(), reader.options.packing
    for each in reader.passes:
        if each.split is split:
            copies = copies_of_pass(documents, each, reader.options.mixture, choices, packing.seed)
            yield each, copies, pack_copies(documents.lengths, copies, packing)


def read_counts(reader: PlanReader) -> list[dict[str, Any]]:
    """What sections have written of themselves."""
    return [reader.files.read_values(_counts_file(n)) for n in range(reader.sections)]


def mixture_file(section: int) -> str:
    """The rows of ``mixture`` of a section, by repository."""
    return f"mixture/section-{section:05d}.arrow"


def _counts_file(section: int) -> str:
    return f"counts/section-{section:05d}.json"

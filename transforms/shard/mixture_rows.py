"""The rows of ``mixture``: what of each repository is in the shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import tables
from schemas.mixture import MIXTURE
from schemas.shards import Split
from transforms.parts import Workspace
from transforms.shard.measures import read_repositories
from transforms.shard.mixture import count_tokens
from transforms.shard.sections import Documents, Integers
from transforms.shard.split import hash_repository

ROWS_AT_ONCE = 1 << 20


def mixture_rows(
    names: Mapping[int, str], documents: Documents, split: Split, total: Integers, epochs: int
) -> pa.RecordBatch:
    """The rows for the repositories of documents of a split, given names by their hashes.

    ``total`` int64[documents] is how often all ``epochs`` have each document.
    """
    present, owners = np.unique(documents.repositories, return_inverse=True)
    once = np.ones_like(total)
    held = count_tokens(once, documents.tokens, owners)
    shown = count_tokens(total, documents.tokens, owners)
    rows = {
        "repository": [names[each] for each in documents.hashes[present].tolist()],
        "split": [str(split)] * present.size,
        "documents": np.bincount(owners, minlength=present.size),
        "tokens": held,
        "weight": shown / held / epochs,
        "copies": count_tokens(total, once, owners),
        "shard_tokens": shown,
    }
    return pa.RecordBatch.from_pydict(rows, schema=MIXTURE)


def name_repositories(workspace: Workspace, parts: Sequence[str], seed: int) -> dict[int, str]:
    """The names of the repositories of some parts of tokens, by their hashes."""
    numbers = map(tables.part_number, parts)
    found = (read_repositories(workspace, tables.part_name(number)) for number in numbers)
    names = (name for table in found for name in table["repository"].to_pylist())
    return {hash_repository(name, seed): name for name in names}


def merge_by_repository(sections: Sequence[pa.Table], at_once: int) -> Iterator[pa.RecordBatch]:
    """All rows of tables by repository, about ``at_once`` at a time.

    The tables are by repository, too, and of each some rows are looked at.
    """
    most = max(1, at_once // max(1, len(sections)))
    places = [0] * len(sections)
    while heads := {
        number: table.slice(places[number], most)
        for number, table in enumerate(sections)
        if places[number] < len(table)
    }:
        # What is up to here in none of the tables comes later.
        last = min(head["repository"][-1].as_py() for head in heads.values())
        taken = []
        for number, head in heads.items():
            taken.append(head.filter(pc.less_equal(head["repository"], last)))
            places[number] += len(taken[-1])
        merged = pa.concat_tables(taken).sort_by("repository").combine_chunks()
        yield from merged.to_batches()

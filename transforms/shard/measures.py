"""The measures of a part: what planning needs to know of each document with tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import tables
from schemas.documents import ROW_MASK
from schemas.mixture import Attribute
from transforms.parts import Workspace, map_stream, read_part
from transforms.shard.plan import MEASURES
from transforms.shard.split import hash_repository

NO_GROUP = -1
"""The group of documents that the configured shares do not name."""


@dataclass(frozen=True)
class Mixture:
    """How often documents of the training split are seen.

    ``weights`` are factors by attribute and value; a document's weight is the product of
    those that name it. ``shares`` are the shares of an epoch's tokens that the documents of
    some values of the attribute ``shares_by`` have, others none; none given changes nothing.
    """

    epochs: int = 1
    weights: Mapping[Attribute, Mapping[str, float]] = field(default_factory=dict)
    shares_by: Attribute = "language"
    shares: Mapping[str, float] = field(default_factory=dict)
    max_repository_share: float = 1.0


def measure_part(workspace: Workspace, name: str, seed: int, mixture: Mixture) -> pa.RecordBatch:
    """The measures of the documents of a tokens part (`transforms.shard.plan.MEASURES`)."""
    tokens = map_stream(workspace.committed(tables.TOKENS, name))
    rows = (tokens["document"].to_numpy() & np.uint64(ROW_MASK)).astype(np.int64)
    part = tables.part_name(tables.part_number(name))
    ranks = read_part(workspace.committed(tables.READING_ORDER, part))["rank"]
    clusters = read_part(workspace.committed(tables.DUPLICATES, part), ["cluster"])["cluster"]
    repositories = read_repositories(workspace, part)
    owners = np.repeat(np.arange(len(repositories)), repositories["files"].to_numpy())[rows]
    names = repositories["repository"].to_pylist()
    hashes = np.array([hash_repository(each, seed) for each in names], np.uint64)
    attributes = _Attributes(workspace, part, rows, repositories, owners)
    arrays = {
        "document": tokens["document"].combine_chunks(),
        "rank": ranks.combine_chunks(),
        "key": tokens["key"].combine_chunks(),
        "repository_hash": hashes[owners],
        "cluster": clusters.combine_chunks().take(pa.array(rows)),
        "weight": _weights(attributes, mixture),
        "group": _groups(attributes, mixture),
        **_places(tokens),
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(arrays[column.name], column.type) for column in MEASURES], schema=MEASURES
    )


def read_repositories(workspace: Workspace, part: str) -> pa.Table:
    """The repositories of a part with the number of their documents, in document order."""
    path = workspace.committed(tables.REPOSITORIES, part)
    return read_part(path, ["repository", "source", "files"])


@dataclass(frozen=True)
class _Attributes:
    """The values of attributes for the documents of a part that have tokens."""

    workspace: Workspace
    part: str
    rows: npt.NDArray[np.int64]
    repositories: pa.Table
    owners: npt.NDArray[np.int64]

    def values(self, attribute: Attribute) -> list[pa.DictionaryArray]:
        """Where a value may stand, that which counts first."""
        if attribute in ("source", "repository"):
            column = self.repositories[attribute].combine_chunks()
            return [column.dictionary_encode().take(pa.array(self.owners))]
        columns = ["license", "license_class"] if attribute == "license" else ["language"]
        path = self.workspace.committed(tables.DOCUMENTS, self.part)
        table = read_part(path, columns).take(pa.array(self.rows))
        return [table[name].combine_chunks().dictionary_encode() for name in columns]


def _weights(attributes: _Attributes, mixture: Mixture) -> npt.NDArray[np.float64]:
    weights = np.ones(attributes.rows.size)
    for attribute in sorted(mixture.weights):
        weights *= _look_up(attributes.values(attribute), mixture.weights[attribute], 1.0)
    return weights


def _groups(attributes: _Attributes, mixture: Mixture) -> npt.NDArray[np.int64]:
    """The place of each document's value among those with shares, sorted; or `NO_GROUP`."""
    if not mixture.shares:
        return np.full(attributes.rows.size, NO_GROUP)
    codes = {value: float(code) for code, value in enumerate(sorted(mixture.shares))}
    found = _look_up(attributes.values(mixture.shares_by), codes, float(NO_GROUP))
    return found.astype(np.int64)


def _look_up(
    values: list[pa.DictionaryArray], wanted: Mapping[str, float], default: float
) -> npt.NDArray[np.float64]:
    """What ``wanted`` says of the first of some values that it names."""
    found = np.full(len(values[0]), np.nan)
    for column in values:
        of_word = [wanted.get(word, np.nan) for word in column.dictionary.to_pylist()]
        codes = pc.fill_null(column.indices, -1).to_numpy().astype(np.int64)
        here = np.array([*of_word, np.nan])[codes]
        found = np.where(np.isnan(found), here, found)
    return np.where(np.isnan(found), default, found)


def _places(tokens: pa.Table) -> dict[str, npt.NDArray[np.int64]]:
    """Chunk, start and length of the tokens of each row."""
    none = np.zeros(0, np.int64)
    chunks, starts, lengths = [none], [none], [none]
    for number, batch in enumerate(tokens.to_batches()):
        offsets = batch["input_ids"].offsets.to_numpy()
        starts.append(offsets[:-1])
        lengths.append(np.diff(offsets))
        chunks.append(np.full(len(batch), number, dtype=np.int64))
    columns = {"chunk": chunks, "start": starts, "length": lengths}
    return {name: np.concatenate(group) for name, group in columns.items()}

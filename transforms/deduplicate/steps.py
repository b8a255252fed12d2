"""The steps of deduplication on Arrow data: what each Beam transform of the stage does.

Batches that are shuffled have fixed columns: ``CLAIMS`` (who has a hash), ``DROPS``
(who duplicates whom). A document is named by its id and by its rank in keep order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.documents import ROW_BITS, ROW_MASK
from schemas.duplicates import DUPLICATES, Level
from schemas.fingerprints import EMPTY_SIGNATURE
from transforms.buffers import binary_buffers, utf8_contents
from transforms.deduplicate.bands import Banding, find_buckets, hash_bands
from transforms.deduplicate.greedy import KEPT, Buckets, ShingleSets, decide_duplicates
from transforms.deduplicate.keep import Ranks
from transforms.parts import iterate_row_groups, map_stream, temporary_beside
from transforms.shingles import Hashes, distinct_shingles

CLAIMS = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("rest", pa.uint64(), nullable=False),
        pa.field("rank", pa.uint64(), nullable=False),
        pa.field("document", pa.uint64(), nullable=False),
    ]
)
"""A document has a hash: 128 bits of content in ``key`` and ``rest``, or a band's 64 in ``key``."""

DROPS = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("kept", pa.uint64(), nullable=False),
        pa.field("similarity", pa.float32(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
    ]
)
"""A document is dropped in favor of a kept one."""

SHINGLES = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("hashes", pa.large_list(pa.field("item", pa.uint64(), nullable=False))),
    ]
)

Ids = npt.NDArray[np.uint64]


def document_ids(part: int, rows: npt.NDArray[np.int64]) -> Ids:
    """The ids of the documents in these rows of a part."""
    return np.uint64(part << ROW_BITS) | rows.astype(np.uint64)


def claim_contents(part: int, content_hashes: pa.Array, ranks: Ranks) -> pa.RecordBatch:
    """Who has which content: one claim a document of a part."""
    raw = np.frombuffer(b"".join(content_hashes.to_pylist()), dtype=">u8").reshape(-1, 2)
    halves = raw.astype(np.uint64)
    ids = document_ids(part, np.arange(len(ranks)))
    return _batch(CLAIMS, halves[:, 0], halves[:, 1], ranks, ids)


def claim_bands(
    part: int, signatures: npt.NDArray[np.uint32], ranks: Ranks, dropped: Ids, banding: Banding
) -> pa.RecordBatch:
    """Who has which band: ``bands`` claims for each document that is not dropped yet.

    Documents without shingles make none, so that they are nobody's near-duplicate.
    """
    wanted = signatures[:, 0] != EMPTY_SIGNATURE
    wanted[(dropped & np.uint64(ROW_MASK)).astype(np.int64)] = False
    rows = np.flatnonzero(wanted)
    hashes = hash_bands(np.ascontiguousarray(signatures[rows]), banding)
    ids = np.repeat(document_ids(part, rows), banding.bands)
    owners = np.repeat(ranks[rows], banding.bands)
    return _batch(CLAIMS, hashes.reshape(-1), np.zeros(ids.size, np.uint64), owners, ids)


def divide_by_key(claims: pa.RecordBatch, partitions: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Divides claims among partitions of the key space; equal keys go together."""
    keys = claims["key"].to_numpy()
    owner = (keys >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)
    yield from _divide(claims, owner)


def divide_by_part(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Divides rows by the part of their ``document``."""
    owner = batch["document"].to_numpy() >> np.uint64(ROW_BITS)
    yield from _divide(batch, owner)


def _divide(batch: pa.RecordBatch, owner: Ids) -> Iterator[tuple[int, pa.RecordBatch]]:
    if owner.size == 0:
        return
    order = np.argsort(owner, kind="stable")
    numbers, starts = np.unique(owner[order], return_index=True)
    ends = np.append(starts[1:], owner.size)
    for number, start, end in zip(numbers.tolist(), starts, ends, strict=True):
        yield number, batch.take(pa.array(order[start:end]))


def drop_exact(claims: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """The drops among documents of equal content: all but the best of each."""
    key, rest, rank, document = _columns(claims, CLAIMS)
    order = np.lexsort((rank, rest, key))
    same = (np.diff(key[order]) == 0) & (np.diff(rest[order]) == 0)
    first = np.flatnonzero(np.concatenate(([True], ~same))) if key.size else np.zeros(0, np.int64)
    best = np.repeat(first, np.diff(np.append(first, key.size)))
    dropped = np.flatnonzero(np.concatenate(([False], same))) if key.size else first
    kept = document[order[best[dropped]]]
    return _drops(document[order[dropped]], kept, np.ones(kept.size), Level.EXACT)


def share_buckets(claims: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """The claims whose band somebody else has too."""
    columns = _columns(claims, CLAIMS)
    places, _ = find_buckets(columns[0])
    return _batch(CLAIMS, *(column[places] for column in columns))


def write_shingles(documents: Path, part: int, wanted: Ids, target: Path) -> None:
    """Writes the distinct shingles of some documents of a part, for memory maps."""
    rows = np.unique(wanted & np.uint64(ROW_MASK)).astype(np.int64)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(target)
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_stream(sink, SHINGLES) as writer:
        first = 0
        for batch in iterate_row_groups(documents, ["content", "encoding"]):
            here = rows[(rows >= first) & (rows < first + len(batch))]
            if here.size:
                chosen = batch.take(pa.array(here - first))
                texts = utf8_contents(chosen["content"], chosen["encoding"])
                hashes, offsets = distinct_shingles(*binary_buffers(texts))
                listed = pa.LargeListArray.from_arrays(
                    pa.array(offsets), pa.array(hashes), type=SHINGLES.field("hashes").type
                )
                ids = pa.array(document_ids(part, here))
                writer.write_batch(pa.RecordBatch.from_arrays([ids, listed], schema=SHINGLES))
            first += len(batch)
    temporary.replace(target)


def drop_near(
    claims: Iterable[pa.RecordBatch],
    exact: Iterable[pa.RecordBatch],
    shingles: Sequence[Path],
    threshold: float,
) -> pa.RecordBatch:
    """All drops: near-duplicates by the greedy pass, and exact ones with what they end at.

    A document that equals a dropped one is dropped in favor of the kept one, at its
    level and similarity.
    """
    key, _, rank, document = _columns(claims, CLAIMS)
    order = np.lexsort((rank, key))
    candidates, place = np.unique(rank[order], return_inverse=True)
    ids = np.zeros(candidates.size, dtype=np.uint64)
    ids[place] = document[order]
    members, offsets = find_buckets(key[order])
    duplicate_of, similarity = decide_duplicates(
        Buckets(place[members].astype(np.int64), offsets), _shingle_sets(shingles, ids), threshold
    )
    dropped = np.flatnonzero(duplicate_of != KEPT)
    near = _drops(ids[dropped], ids[duplicate_of[dropped]], similarity[dropped], Level.NEAR)
    return _resolve(pa.Table.from_batches(list(exact), DROPS), near)


def _shingle_sets(shingles: Sequence[Path], ids: Ids) -> ShingleSets:
    """Where the shingles of each candidate are, in memory maps of the files."""
    arrays: list[Hashes] = []
    array = np.zeros(ids.size, dtype=np.int64)
    start = np.zeros(ids.size, dtype=np.int64)
    end = np.zeros(ids.size, dtype=np.int64)
    by_id = np.argsort(ids)
    for path in shingles:
        for batch in map_stream(path).to_batches():
            place = by_id[np.searchsorted(ids[by_id], batch["document"].to_numpy())]
            offsets = batch["hashes"].offsets.to_numpy()
            array[place], start[place], end[place] = len(arrays), offsets[:-1], offsets[1:]
            arrays.append(batch["hashes"].values.to_numpy())
    return ShingleSets(arrays, array, start, end)


def _resolve(exact: pa.Table, near: pa.RecordBatch) -> pa.RecordBatch:
    kept = exact["kept"].to_numpy()
    order = np.argsort(near["document"].to_numpy())
    dropped = near["document"].to_numpy()[order]
    found = np.searchsorted(dropped, kept)
    moved = found < dropped.size
    moved[moved] = dropped[found[moved]] == kept[moved]
    onward = near.take(pa.array(order[found[moved]]))
    moved_drops = pa.RecordBatch.from_arrays(
        [exact["document"].combine_chunks().filter(pa.array(moved)), *onward.columns[1:]],
        schema=DROPS,
    )
    stayed = exact.filter(pa.array(~moved)).to_batches()
    batches = [*stayed, moved_drops, near]
    return pa.concat_batches([batch.cast(DROPS) for batch in batches])


def describe_part(part: int, rows: int, drops: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of ``attributes/duplicates`` for a part of so many documents."""
    table = pa.Table.from_batches(list(drops), DROPS)
    own = document_ids(part, np.arange(rows))
    at = (table["document"].to_numpy() & np.uint64(ROW_MASK)).astype(np.int64)
    source = np.full(rows, -1, dtype=np.int64)
    source[at] = np.arange(at.size)
    kept = source < 0
    picked = table.take(pa.array(source, mask=kept))
    cluster = np.where(kept, own, picked["kept"].fill_null(0).to_numpy())
    columns = [picked[name].combine_chunks() for name in ("kept", "similarity", "level")]
    return pa.RecordBatch.from_arrays([pa.array(cluster), *columns], schema=DUPLICATES)


def _drops(
    document: Ids, kept: Ids, similarity: npt.NDArray[np.float64], level: Level
) -> pa.RecordBatch:
    levels = pa.array([str(level)] * document.size, pa.string())
    return pa.RecordBatch.from_arrays(
        [pa.array(document), pa.array(kept), pa.array(similarity.astype(np.float32)), levels],
        schema=DROPS,
    )


def _batch(schema: pa.Schema, *columns: npt.NDArray[np.generic]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=schema)


def _columns(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> list[Ids]:
    table = pa.Table.from_batches(list(batches), schema)
    return [table[name].to_numpy() for name in schema.names]

"""The near-duplicates of any text among the documents of a finished run."""

from __future__ import annotations

import functools
import hashlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import UsageError, UserError
from pipeline.runs import Run
from pipeline.terminal import printable
from schemas import tables
from schemas.bands import BandIndexSettings
from schemas.documents import document_id, document_position
from schemas.duplicates import Level
from schemas.failures import Reason
from schemas.fingerprints import HASH_BYTES
from schemas.manifest import Manifest
from transforms.bandindex import first_ordinals, look_up
from transforms.buffers import binary_buffers
from transforms.crawl.contents import examine
from transforms.interpreted import Hashes, hash_bands, hash_shingles, jaccard, sign_shingles
from transforms.languages import HEAD_BYTES, language_of
from transforms.parts import iterate_row_groups, map_stream, read_part, read_rows
from transforms.texts import document_texts

STANDARD_INPUT = "-"
MOST_OF_A_BAND = 10_000
MOST_CHECKED = 500
"""Documents that share a band are candidates; the exact check of so many ends the search."""

_MARGIN = 4.5
"""Without an index, estimates of so many standard deviations below the threshold count."""

_NAMES = ["repository", "revision", "path"]
_TEXT = ["content", "encoding", "language"]
_COLUMNS = [*_NAMES, *_TEXT]


@dataclass(frozen=True)
class Query:
    """A text to look for: its bytes, the same as UTF-8, and its language where that is known.

    ``shingles`` are its distinct ones, ascending.
    """

    content: bytes
    text: bytes
    language: str | None
    shingles: Hashes


@dataclass(frozen=True)
class Match:
    """A document that is like the query; ``similarity`` is exact."""

    repository: str
    revision: str
    path: str
    document: int
    similarity: float
    level: str
    kept: bool


@dataclass(frozen=True)
class Similar:
    """What was found, the most similar first.

    ``complete`` is false where more candidates were left than were checked, ``indexed``
    where all signatures had to be read because the run has no index of bands.
    """

    threshold: float
    matches: list[Match]
    complete: bool
    indexed: bool


# The id of the document of the first row, and uint64[rows, words of a hash].
_Hashes = tuple[int, npt.NDArray[np.uint64]]
# Those of a column part by part, read once.
_HashesOf = Callable[[str], list[_Hashes]]


@dataclass(frozen=True)
class _Candidates:
    """Documents to check, the likeliest first; those of ``levels`` are matches for certain."""

    documents: list[int]
    levels: Mapping[int, Level]
    cut: bool


def read_query(name: str, language: str | None = None) -> Query:
    """The text in a file, or on standard input for ``-``.

    Raises:
      UsageError: there is no such file, or it is not text.
    """
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
    encoding = examine(content)
    if isinstance(encoding, Reason):
        raise UsageError(f"{name} is not text that could be a document: {encoding}")
    if language is None and name != STANDARD_INPUT:
        language = language_of(name, content[:HEAD_BYTES])
    [text] = document_texts(
        pa.array([content], pa.large_binary()),
        pa.array([encoding], pa.string()),
        pa.array([language], pa.string()),
    ).to_pylist()
    return Query(content, text, language, hash_shingles(text))


def find_similar(
    run: Run,
    query: Query,
    *,
    threshold: float | None = None,
    limit: int = 20,
    normalized: bool = False,
) -> Similar:
    """The documents of a run that are the same as a text or as similar as a threshold.

    Args:
      threshold: of the similarity, above 0 and at most 1; the run's own if none is given,
        for which its index is made: below it, documents are likelier to be missed.
      limit: how many matches are enough.
      normalized: whether to look for documents that are the same without comments too,
        which takes the compiler's half a second more, and a known language.

    Raises:
      UserError: the run is not deduplicated yet.
    """
    documents, fingerprints, duplicates = (
        _finished(run, table) for table in (tables.DOCUMENTS, tables.FINGERPRINT, tables.DUPLICATES)
    )
    wanted = threshold if threshold is not None else float(duplicates.settings["threshold"])

    @functools.cache
    def hashes(column: str) -> list[_Hashes]:
        return list(_read_hashes(run, fingerprints, column))

    levels = _find_same(query, hashes, normalized)
    index = run.manifest(tables.BANDS)
    # Where near-duplicates were not asked for, the index is empty.
    indexed = index is not None and index.rows > 0
    if index is None or not indexed:
        near, cut = list(_scan(run, query, fingerprints, wanted)), False
    else:
        near, cut = _look_up(run, query, documents, index)
        cut = cut or len(near) > MOST_CHECKED
        near = _with_copies(hashes, near[:MOST_CHECKED]) if near else []
    order = list(dict.fromkeys([*levels, *near]))
    candidates = _Candidates(order, levels, cut)
    matches, complete = _check(run, query, candidates, wanted, limit)
    return Similar(wanted, matches, complete, indexed)


def _finished(run: Run, table: str) -> Manifest:
    manifest = run.manifest(table)
    if manifest is None:
        raise UserError(f"{run.name} has no {table} yet: repomill run it first")
    return manifest


def _read_hashes(run: Run, manifest: Manifest, column: str) -> Iterator[_Hashes]:
    """A column of hashes part by part, as words; null ones are zero.

    By their buffers, as conversions of Arrow's load pandas where it is installed.
    """
    for entry in manifest.files:
        document = document_id(tables.part_number(entry.name), 0)
        table = read_part(run.file(tables.FINGERPRINT, entry.name), [column])
        for chunk in table[column].chunks:
            valid, data = chunk.buffers()
            rows = slice(chunk.offset, chunk.offset + len(chunk))
            if chunk.null_count < len(chunk):
                words = np.frombuffer(data, dtype=np.uint64).reshape(-1, HASH_BYTES // 8)[rows]
                if valid is not None:
                    bits = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")
                    words = words * bits[rows, None]
                yield document, words
            document += len(chunk)


def _find_same(query: Query, hashes: _HashesOf, normalized: bool) -> dict[int, Level]:
    """The documents of the same bytes, then those that are the same after normalizing."""
    same = [("content_hash", hashlib.sha256(query.content).digest()[:HASH_BYTES], Level.EXACT)]
    if normalized and (value := _normalized_hash(query)) is not None:
        same.append(("normalized_hash", value, Level.NORMALIZED))
    levels: dict[int, Level] = {}
    for column, value, level in same:
        wanted = np.frombuffer(value, dtype=np.uint64)
        for first, words in hashes(column):
            for row in np.flatnonzero((words == wanted).all(axis=1)).tolist():
                levels.setdefault(first + row, level)
    return levels


def _with_copies(hashes: _HashesOf, documents: list[int]) -> list[int]:
    """Each of some documents, followed by those that have one of its hashes.

    The index has one of each content; half of a hash is enough, as all are checked exactly.
    """
    copies: dict[int, list[int]] = {document: [document] for document in documents}
    ordered = np.array(sorted(documents), dtype=np.int64)
    for column in ("content_hash", "normalized_hash"):
        parts = hashes(column)
        owners: dict[int, list[int]] = {}
        for first, words in parts:
            for document in ordered[(ordered >= first) & (ordered < first + len(words))].tolist():
                if word := int(words[document - first, 0]):
                    owners.setdefault(word, []).append(document)
        wanted = np.array(sorted(owners), dtype=np.uint64)
        for first, words in parts:
            for row in np.flatnonzero(np.isin(words[:, 0], wanted)).tolist():
                for document in owners[int(words[row, 0])]:
                    copies[document].append(first + row)
    return [each for document in documents for each in copies[document]]


def _normalized_hash(query: Query) -> bytes | None:
    """The hash of the text without comments; None where its language is not known."""
    if query.language is None:
        return None
    from transforms.annotate.fingerprints import hash_normalized  # it loads the compiler

    buffers = binary_buffers(pa.array([query.text], pa.large_binary()))
    value: bytes | None = hash_normalized(*buffers, pa.repeat(query.language, 1))[0].as_py()
    return value


def _look_up(
    run: Run, query: Query, documents: Manifest, index: Manifest
) -> tuple[list[int], bool]:
    """The documents that share bands with the query, most bands first."""
    streams = [map_stream(run.file(tables.BANDS, entry.name)) for entry in index.files]
    if not streams or not query.shingles.size:
        return [], False
    settings = BandIndexSettings.from_metadata(streams[0].schema.metadata)
    signature = sign_shingles(query.shingles, settings.permutations, settings.seed)
    hashes = hash_bands(signature, settings.bands, settings.rows)
    ordinals = first_ordinals(_rows_of_parts(documents))
    entries = (stream["entry"] for stream in streams)
    shared = look_up(entries, hashes, ordinals, MOST_OF_A_BAND)
    return shared.documents.tolist(), shared.cut


def _rows_of_parts(documents: Manifest) -> list[int]:
    rows = {tables.part_number(entry.name): entry.rows for entry in documents.files}
    return [rows.get(part, 0) for part in range(max(rows, default=-1) + 1)]


def _scan(run: Run, query: Query, manifest: Manifest, threshold: float) -> Iterator[int]:
    """The documents whose signatures are nearly as similar as the threshold, best first."""
    permutations, seed = manifest.settings["permutations"], manifest.settings["seed"]
    if not query.shingles.size:
        return
    signature = sign_shingles(query.shingles, permutations, seed)
    least = threshold - _MARGIN * math.sqrt(threshold * (1 - threshold) / permutations)
    found: list[tuple[float, int]] = []
    for entry in manifest.files:
        first = document_id(tables.part_number(entry.name), 0)
        for batch in iterate_row_groups(run.file(tables.FINGERPRINT, entry.name), ["signature"]):
            values = batch["signature"].flatten().to_numpy().reshape(-1, permutations)
            estimates = (values == signature).mean(axis=1)
            rows = np.flatnonzero(estimates >= least)
            found += [(-estimates[row], first + row) for row in rows.tolist()]
            first += len(batch)
    yield from (document for _, document in sorted(found))


def _check(
    run: Run, query: Query, candidates: _Candidates, threshold: float, limit: int
) -> tuple[list[Match], bool]:
    """The matches among candidates, and whether all of those were checked and are given."""
    matches: list[Match] = []
    checked = 0
    while checked < min(len(candidates.documents), MOST_CHECKED) and len(matches) < limit:
        some = candidates.documents[checked : checked + limit]
        checked += len(some)
        found = _describe(run, some, query.shingles, candidates.levels)
        matches += [
            m for m in found if m.document in candidates.levels or m.similarity >= threshold
        ]
    matches.sort(key=lambda m: (-m.similarity, not m.kept, m.repository, m.revision, m.path))
    complete = checked >= len(candidates.documents) and len(matches) <= limit
    return matches[:limit], complete and not candidates.cut


def _describe(
    run: Run, documents: list[int], own: Hashes, levels: Mapping[int, Level]
) -> Iterator[Match]:
    by_part: dict[int, list[int]] = {}
    for part, row in sorted(map(document_position, documents)):
        by_part.setdefault(part, []).append(row)
    for part, rows in by_part.items():
        name = tables.part_name(part)
        duplicates = read_part(run.file(tables.DUPLICATES, name), ["duplicate_of"])
        kept = duplicates["duplicate_of"].is_null()
        batches = list(read_rows(run.file(tables.DOCUMENTS, name), rows, _COLUMNS))
        found = pa.Table.from_batches(batches)
        texts = [text for each in batches for text in document_texts(*(each[n] for n in _TEXT))]
        named = found.select(_NAMES).to_pylist()
        for row, names, text in zip(rows, named, texts, strict=True):
            document = document_id(part, row)
            level = levels.get(document, Level.NEAR)
            similarity = 1.0 if level == Level.EXACT else jaccard(own, hash_shingles(text.as_py()))
            yield Match(
                **names,
                document=document,
                similarity=similarity,
                level=str(level),
                kept=kept[row].as_py(),
            )


def notes_on(found: Similar) -> Iterator[str]:
    """What a user should know of how the search went."""
    if not found.complete:
        yield "there may be more: --limit N shows more, --threshold T fewer and surer ones"
    if not found.indexed:
        yield "the run has no index of bands: all signatures were read"


def tell_similar(found: Similar) -> Iterator[str]:
    """The lines that ``repomill similar`` prints, with nothing in them that moves a terminal."""
    for match in found.matches:
        state = "kept" if match.kept else "dropped"
        name = printable(f"{match.repository}:{match.path}  {match.revision}")
        yield f"{match.similarity:.4f}  {match.level:<10}  {state:<7}  {name}"
    if not found.matches:
        yield f"no document is the same or has a similarity of {found.threshold:g} or more"

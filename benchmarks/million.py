"""A made-up run of a million documents: the tables that looking up near-duplicates reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from schemas import documents, tables
from schemas.bands import BandIndexSettings, bands_schema
from schemas.duplicates import DUPLICATES
from schemas.fingerprints import fingerprint_schema
from schemas.manifest import FILE_NAME, FileEntry, Manifest
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.deduplicate.bands import hash_bands, optimal_banding
from transforms.parts import PartWriter

DOCUMENTS = 1_000_000
PARTS = 32
ROWS = DOCUMENTS // PARTS
BATCH = 2_000
WORDS = 200
CHANGED = 4
"""Every other document is the one before it with so many other words."""
INDEX_FILES = 16
THRESHOLD = 0.7

_OPTIONS = FingerprintOptions(permutations=256, seed=1, normalized=False)
_SCHEMAS = {
    tables.DOCUMENTS: documents.SCHEMA,
    tables.FINGERPRINT: fingerprint_schema(_OPTIONS.permutations),
    tables.DUPLICATES: DUPLICATES,
}
_VOCABULARY = np.array([f"word_{number:05d} ".encode() for number in range(50_000)])
_WORD_BYTES = _VOCABULARY.itemsize


def make_text(rng: np.random.Generator) -> bytes:
    """A text that is like no other."""
    return _VOCABULARY[rng.integers(0, _VOCABULARY.size, WORDS)].tobytes()


def change_text(text: bytes, rng: np.random.Generator) -> bytes:
    """A text with some words exchanged."""
    words = np.frombuffer(text, _VOCABULARY.dtype).copy()
    words[rng.choice(WORDS, CHANGED, replace=False)] = _VOCABULARY[:CHANGED]
    return words.tobytes()


def write_million(run: Path) -> bytes:
    """Writes the tables of such a run; gives the text of one of its documents."""
    run.mkdir(parents=True)
    (run / "config.yaml").touch()
    banding = optimal_banding(THRESHOLD, _OPTIONS.permutations)
    rng = np.random.default_rng(1)
    hashes = []
    entries: dict[str, list[FileEntry]] = {name: [] for name in _SCHEMAS}
    text = b""
    for part in range(PARTS):
        writers = {
            name: PartWriter(run / name / tables.part_name(part), schema)
            for name, schema in _SCHEMAS.items()
        }
        with writers[tables.DOCUMENTS], writers[tables.FINGERPRINT], writers[tables.DUPLICATES]:
            for batches in _part_batches(part, rng):
                for name, batch in batches.items():
                    writers[name].write(batch)
                text = batches[tables.DOCUMENTS]["content"][0].as_py()
                values = batches[tables.FINGERPRINT]["signature"].flatten().to_numpy()
                hashes.append(hash_bands(values.reshape(-1, _OPTIONS.permutations), banding))
        for name, writer in writers.items():
            entries[name].append(writer.entry)
    settings = BandIndexSettings(_OPTIONS.permutations, _OPTIONS.seed, banding.bands, banding.rows)
    entries[tables.BANDS] = list(_write_index(run, np.concatenate(hashes), settings))
    for name, files in entries.items():
        values = {"permutations": _OPTIONS.permutations, "seed": 1, "threshold": THRESHOLD}
        manifest = Manifest(name, "made up", "1", "", values, {}, tuple(files))
        (run / name / FILE_NAME).write_text(manifest.to_json())
    return text


def _part_batches(part: int, rng: np.random.Generator) -> Iterator[dict[str, pa.RecordBatch]]:
    for first in range(0, ROWS, BATCH):
        rows = min(BATCH, ROWS - first)
        words = rng.integers(0, _VOCABULARY.size, (rows, WORDS))
        words[1::2] = words[: 2 * (rows // 2) : 2]
        words[1::2, :: WORDS // CHANGED] = rng.integers(0, _VOCABULARY.size, (rows // 2, CHANGED))
        data = _VOCABULARY[words].tobytes()
        size = WORDS * _WORD_BYTES
        texts = [data[place : place + size] for place in range(0, len(data), size)]
        yield _describe(texts, part, first)


def _describe(texts: list[bytes], part: int, first: int) -> dict[str, pa.RecordBatch]:
    sums = pa.array([hashlib.sha256(text).hexdigest() for text in texts])
    contents = pa.array(texts, pa.large_binary())
    fixed = {
        "repository": f"host/owner/repository-{part}",
        "revision": "1.0",
        "encoding": "utf-8",
        "language": "python",
        "license_class": "none",
        "size": len(texts[0]),
    }
    columns = {
        "path": [f"package/module_{first + row}.py" for row in range(len(texts))],
        "content": contents,
        "sha256": sums,
        **{name: [value] * len(texts) for name, value in fixed.items()},
    }
    languages = pa.array(columns["language"])
    ids = [part << 32 | first + row for row in range(len(texts))]
    kept = [None if number % 2 == 0 else number - 1 for number in ids]
    clusters = [number if one is None else one for number, one in zip(ids, kept, strict=True)]
    duplicates = {"cluster": clusters, "duplicate_of": kept}
    return {
        tables.DOCUMENTS: _fill(documents.SCHEMA, columns),
        tables.FINGERPRINT: fingerprint_texts(contents, sums, languages, _OPTIONS),
        tables.DUPLICATES: _fill(DUPLICATES, duplicates),
    }


def _fill(schema: pa.Schema, columns: Mapping[str, Sequence[Any]]) -> pa.RecordBatch:
    """A batch of a schema of which only some columns matter here."""
    missing = [None] * len(columns[next(iter(columns))])
    return pa.record_batch({name: columns.get(name, missing) for name in schema.names}, schema)


def _write_index(run: Path, hashes: np.ndarray, settings: BandIndexSettings) -> Iterator[FileEntry]:
    ordinals = np.repeat(np.arange(DOCUMENTS, dtype=np.uint64), settings.bands)
    entries = hashes.reshape(-1) >> np.uint64(32) << np.uint64(32) | ordinals
    entries.sort()
    edges = [(number << 64) // INDEX_FILES for number in range(1, INDEX_FILES)]
    cuts = np.searchsorted(entries, np.array(edges, dtype=np.uint64))
    schema = bands_schema(settings)
    for number, part in enumerate(np.split(entries, cuts)):
        path = run / tables.BANDS / tables.part_name(number, "arrow")
        with PartWriter(path, schema) as writer:
            writer.write(pa.record_batch([pa.array(part)], schema))
        yield writer.entry

"""The steps of the stage one after another, without Beam, and what they decide without them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from schemas import documents, repositories, tables
from schemas.duplicates import Level
from schemas.fingerprints import EMPTY_SIGNATURE, fingerprint_schema
from tests.transforms.builders import Repository, slow_shingles
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.deduplicate import stage
from transforms.deduplicate.bands import hash_bands
from transforms.deduplicate.batches import number_groups
from transforms.deduplicate.greedy import KEPT, Buckets, Candidates, Matching, decide_duplicates
from transforms.deduplicate.reader import RunReader
from transforms.deduplicate.sketches import sketch_signatures
from transforms.parts import PartWriter, Workspace, read_part


def run_steps(reader: RunReader, seed: int = 0) -> None:
    """Does what the graph does, each element in an order that depends on the seed."""
    order = random.Random(seed)

    def shuffled(elements: Iterable[Any]) -> list[Any]:
        found = list(elements)
        order.shuffle(found)
        return found

    def do(step: type[stage._Step], elements: Iterable[Any]) -> Iterator[Any]:
        for element in shuffled(elements):
            yield from step(reader).process(element)

    def grouped(pairs: Iterable[tuple[int, Any]]) -> list[tuple[int, list[Any]]]:
        found: dict[int, list[Any]] = {}
        for key, value in shuffled(pairs):
            found.setdefault(key, []).append(value)
        return list(found.items())

    parts = list(do(stage.RankRepositories, [0]))
    hashes = grouped(do(stage.ClaimContents, parts))
    bands = grouped(do(stage.ClaimBands, grouped(do(stage.GroupContents, hashes))))
    links = grouped(do(stage.FindCandidates, bands))
    units = list(do(stage.DividePartners, grouped(do(stage.ContractLinks, links))))
    batches = grouped(do(stage.DivideByBatch, units))
    parts = list(do(stage.DecideBatch, batches))
    list(do(stage.WriteDuplicates, parts))


def write_near_copies(run: Path, texts: np.ndarray, parts: int) -> Workspace:
    """Commits documents of one repository a part, and their fingerprints, a few at a time.

    ``texts`` are byte strings, divided among the parts in order.
    """
    options = FingerprintOptions(permutations=256, seed=1, normalized=False)
    schema = fingerprint_schema(options.permutations)
    for part, own in enumerate(np.array_split(texts, parts)):
        name = tables.part_name(part)
        row = {
            "repository": f"{part:05d}",
            "revision": "1",
            "source": "directory",
            "status": "crawled",
            "license_class": "none",
            "files": own.size,
            "bytes": 0,
        }
        with PartWriter(run / tables.REPOSITORIES / name, repositories.SCHEMA) as writer:
            writer.write(pa.RecordBatch.from_pylist([row], schema=repositories.SCHEMA))
        with (
            PartWriter(run / tables.DOCUMENTS / name, documents.SCHEMA, 1 << 20) as texts_file,
            PartWriter(run / tables.FINGERPRINT / name, schema, 1 << 20) as prints_file,
        ):
            for first in range(0, own.size, 1000):
                batch = _describe(own[first : first + 1000], part)
                texts_file.write(batch)
                arguments = (batch[name] for name in ("content", "sha256", "language"))
                prints_file.write(fingerprint_texts(*arguments, options))
    return Workspace(run=str(run), staging=str(run / "staging"))


def _describe(texts: np.ndarray, part: int) -> pa.RecordBatch:
    contents = texts.tolist()
    columns = {
        "content": contents,
        "sha256": [hashlib.sha256(text).hexdigest() for text in contents],
        "size": [len(text) for text in contents],
        "path": [f"{number}.py" for number in range(len(contents))],
    }
    fixed = {
        "repository": f"{part:05d}",
        "revision": "1",
        "encoding": "utf-8",
        "language": "python",
        "license_class": "none",
    }
    arrays = [
        pa.array(columns.get(field.name, [fixed.get(field.name)] * len(contents)), field.type)
        for field in documents.SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=documents.SCHEMA)


def decide_in_memory(
    reader: RunReader, crawled: list[Repository]
) -> dict[tuple[str, str], tuple[tuple[str, str], float, str]]:
    """What each dropped document duplicates, by one greedy pass over all of them.

    Nothing but their names ranks the repositories.
    """
    names, prints = _read_fingerprints(reader)
    ranked = sorted(range(len(names)), key=lambda index: names[index])
    names, prints = [names[index] for index in ranked], [prints[index] for index in ranked]
    texts = {(each.name, path): text for each in crawled for path, text in each.files.items()}
    exact = _firsts(prints, "content_hash", range(len(names)), reader, Level.EXACT)
    left = [index for index in range(len(names)) if exact[index] == index]
    same = _firsts(prints, "normalized_hash", left, reader, Level.NORMALIZED)
    shingles = [sorted(set(slow_shingles(texts[names[index]]))) for index in left]
    signatures = np.array([prints[index]["signature"] for index in left], np.uint32)
    candidates = Candidates(
        _buckets(reader, signatures.reshape(-1, reader.options.permutations)),
        sketch_signatures(signatures.reshape(-1, reader.options.permutations)),
        number_groups(np.array(left, np.uint32), np.array([same[i] for i in left], np.uint32)),
        np.array([len(each) for each in shingles], dtype=np.int64),
    )
    found = decide_duplicates(
        candidates,
        lambda chosen: np.array([h for number in chosen for h in shingles[number]], np.uint64),
        Matching(reader.options.threshold, reader.most_unequal, 1 << 40),
    )
    dropped = {}
    for number, kept in enumerate(found.duplicate_of.tolist()):
        if kept != KEPT:
            level = "normalized" if found.grouped[number] else "near"
            dropped[left[number]] = (left[kept], float(np.float32(found.similarity[number])), level)
    for index in range(len(names)):
        if exact[index] != index:
            dropped[index] = dropped.get(exact[index], (exact[index], 1.0, "exact"))
    return {names[i]: (names[kept], *rest) for i, (kept, *rest) in dropped.items()}


def _read_fingerprints(reader: RunReader) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    names, prints = [], []
    for part in range(reader.parts):
        documents, found = (
            read_part(reader.workspace.committed(table, tables.part_name(part)))
            for table in (tables.DOCUMENTS, tables.FINGERPRINT)
        )
        names += [(row["repository"], row["path"]) for row in documents.to_pylist()]
        prints += found.to_pylist()
    return names, prints


def _firsts(
    prints: list[dict[str, Any]],
    column: str,
    chosen: Iterable[int],
    reader: RunReader,
    level: Level,
) -> dict[int, int]:
    """The first of those that have the value of each."""
    first: dict[bytes, int] = {}
    return {
        index: first.setdefault(prints[index][column], index)
        if level in reader.options.levels and prints[index][column] is not None
        else index
        for index in chosen
    }


def _buckets(reader: RunReader, signatures: np.ndarray) -> Buckets:
    buckets: dict[tuple[int, int], list[int]] = {}
    if Level.NEAR in reader.options.levels:
        for number, hashes in enumerate(hash_bands(signatures, reader.banding).tolist()):
            if signatures[number, 0] != EMPTY_SIGNATURE:
                for band, value in enumerate(hashes):
                    buckets.setdefault((band, value >> 32), []).append(number)
    shared = [each for each in buckets.values() if len(each) > 1]
    members = np.array([number for each in shared for number in each], dtype=np.uint32)
    return Buckets(members, np.cumsum([0, *map(len, shared)], dtype=np.int64))

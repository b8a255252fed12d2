"""Deduplication by datasketch: a document that meets a kept one in the index is dropped."""

from __future__ import annotations

from datasketch import MinHash, MinHashLSH
from dedup_documents import (
    PERMUTATIONS,
    THRESHOLD,
    arguments,
    cpu_seconds,
    finish,
    read_documents,
    shingles_of,
)


def deduplicate() -> None:
    """Signs and looks up one document after another, as datasketch's documentation does."""
    started = cpu_seconds()
    folder, _, output = arguments()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    dropped = []
    for number, text in read_documents(folder):
        shingles = {shingle.encode() for shingle in shingles_of(text)}
        if not shingles:
            continue
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch(shingles)
        if index.query(signature):
            dropped.append(number)
        else:
            index.insert(number, signature, check_duplication=False)
    finish(output, dropped, "datasketch", started)


if __name__ == "__main__":
    deduplicate()

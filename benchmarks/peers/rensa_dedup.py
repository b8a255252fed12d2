"""Deduplication by rensa: its deduplicator, which checks candidates by their signatures."""

from __future__ import annotations

from dedup_documents import (
    PERMUTATIONS,
    THRESHOLD,
    arguments,
    cpu_seconds,
    finish,
    read_documents,
    shingles_of,
)
from rensa import RMinHashDeduplicator


def deduplicate() -> None:
    """Gives the deduplicator one document after another."""
    started = cpu_seconds()
    folder, _, output = arguments()
    deduplicator = RMinHashDeduplicator(
        threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True, seed=42
    )
    numbers = []

    def pairs():  # type: ignore[no-untyped-def]
        for number, text in read_documents(folder):
            if shingles := shingles_of(text):
                numbers.append(number)
                yield str(number), shingles

    kept = deduplicator.add_pairs(pairs())
    dropped = [number for number, keep in zip(numbers, kept, strict=True) if not keep]
    finish(output, dropped, "rensa", started)


if __name__ == "__main__":
    deduplicate()

"""Deduplication by gaoya: its index, which reads words and checks candidates by signatures.

Its own analyzer takes words to be what stands between spaces and punctuation. It has no
shingles for texts of fewer than five words and finds all of those equal.
"""

from __future__ import annotations

from dedup_documents import (
    PERMUTATIONS,
    SHINGLE_WORDS,
    THRESHOLD,
    arguments,
    cpu_seconds,
    finish,
    read_documents,
)
from gaoya.minhash import MinHashStringIndex


def deduplicate() -> None:
    """Asks the index for each document, and puts in it those that are like no other."""
    started = cpu_seconds()
    folder, _, output = arguments()
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=THRESHOLD,
        num_bands=None,
        band_size=None,
        num_hashes=PERMUTATIONS,
        analyzer="word",
        ngram_range=(SHINGLE_WORDS, SHINGLE_WORDS),
        id_container="smallvec",
    )
    dropped = []
    for number, text in read_documents(folder):
        if index.query(text):
            dropped.append(number)
        else:
            index.insert_document(number, text)
    finish(output, dropped, "gaoya", started)


if __name__ == "__main__":
    deduplicate()

"""Deduplication by text-dedup: its MinHash program with its settings, without its check.

The check compares all pairs of each cluster in Python; it had not ended after nine CPU
minutes on the reference corpus. What the program writes is taken as it is; beside it goes
what its clusters would give if the first document of each were kept.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from datasets import load_from_disk
from dedup_documents import (
    PERMUTATIONS,
    SHINGLE_WORDS,
    THRESHOLD,
    arguments,
    cpu_seconds,
    finish,
    plain_numbers,
    write_numbers,
)
from text_dedup.config import Config
from text_dedup.minhash import main

_CONFIGURATION = """
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
split = "train"
data_files = {files}
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_perm = {permutations}
ngram_size = {words}
threshold = {threshold}
num_proc = 1
[output]
output_dir = "deduplicated"
save_clusters = true
[debug]
"""


def deduplicate() -> None:
    """Writes a configuration, runs the program, and reads what it has left."""
    started = cpu_seconds()
    _, plain, output = (path.absolute() for path in arguments())
    paths = sorted(plain.glob("*.parquet"))
    with TemporaryDirectory(dir=output.parent) as place:
        os.chdir(place)
        files = [str(path) for path in paths]
        text = _CONFIGURATION.format(
            files=files, permutations=PERMUTATIONS, words=SHINGLE_WORDS, threshold=THRESHOLD
        )
        Path("config.toml").write_text(text)
        main(Config())
        kept = set(load_from_disk("deduplicated")["id"])
        clusters = pickle.loads(Path("deduplicated/clusters.pickle").read_bytes())
        os.chdir(plain)
    numbers = plain_numbers(paths)
    first = set(first_of_each(clusters).values())
    dropped = [numbers[row] for row in clusters if str(numbers[row]) not in kept]
    others = (numbers[row] for row in clusters if row not in first)
    write_numbers(output.with_suffix(".clusters"), others)
    finish(output, dropped, "text-dedup", started)


def first_of_each(clusters: Mapping[int, int]) -> dict[int, int]:
    """The first row of each cluster."""
    first: dict[int, int] = {}
    for row, cluster in clusters.items():
        first[cluster] = min(row, first.get(cluster, row))
    return first


if __name__ == "__main__":
    deduplicate()

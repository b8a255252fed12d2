"""What the scripts of deduplication by peers share; each runs in an environment of its own.

A script is called with the folder of a run's documents, the folder of their plain copy
and the file to write, on one core. It reads one of the two, drops near-duplicates at
``THRESHOLD``, and writes the numbers of the dropped documents, counted over all parts in
order. Nothing of repomill is imported.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import metadata, version
from pathlib import Path

import pyarrow.parquet as pq

THRESHOLD = 0.7
SHINGLE_WORDS = 5
PERMUTATIONS = 128

_WORD = re.compile("[A-Za-z0-9_\x80-\U0010ffff]+")


def arguments() -> tuple[Path, Path, Path]:
    """The folder of documents, the folder of their plain copy, and the file to write."""
    documents, plain, output = map(Path, sys.argv[1:])
    return documents, plain, output


def read_documents(folder: Path) -> Iterator[tuple[int, str]]:
    """The number and the text of every document."""
    number = 0
    for path in sorted(folder.glob("part-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(256, columns=["content", "encoding"]):
            for content, encoding in zip(*(column.to_pylist() for column in batch), strict=True):
                yield number, content.decode(encoding, "replace")
                number += 1


def shingles_of(text: str) -> list[str]:
    """The runs of five words of a text, repeats included; of all words where it has fewer."""
    words = _WORD.findall(text)
    if len(words) < SHINGLE_WORDS:
        return [" ".join(words)] if words else []
    return list(map(" ".join, zip(*(words[shift:] for shift in range(SHINGLE_WORDS)))))  # noqa: B905


def plain_numbers(paths: Iterable[Path]) -> list[int]:
    """The number of each document of the plain copy, in the order of its rows."""
    tables = (pq.read_table(path, columns=["id"]) for path in paths)
    return [int(number) for table in tables for number in table["id"].to_pylist()]


def write_numbers(path: Path, numbers: Iterable[int]) -> None:
    """Writes numbers of documents, a line each."""
    path.write_text("".join(f"{number}\n" for number in sorted(numbers)))


def finish(output: Path, dropped: Iterable[int], package: str, started: float) -> None:
    """Writes what was dropped, and tells about the package and what the process has cost."""
    write_numbers(output, dropped)
    about = metadata(package)
    told = about.get("License-Expression") or about.get("License")
    facts = {"version": version(package), "license": told, "start_up": started}
    print(json.dumps({**facts, "peak_memory": _peak_memory()}))


def _peak_memory() -> int:
    """The most bytes that this process has held (Linux), without what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def cpu_seconds() -> float:
    """CPU seconds of this process so far; called after all imports, what start-up costs."""
    return time.process_time()

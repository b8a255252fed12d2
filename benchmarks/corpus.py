"""The reference corpus: 48 wheels of Python projects, crawled once and worked on many times."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.harness import ROOT, measure
from pipeline.folder import RunFolder
from pipeline.stages import STAGES as ALL_STAGES
from schemas import tables
from transforms.buffers import utf8_contents
from transforms.parts import iterate_row_groups, read_part
from transforms.texts import document_texts

CONFIGURATION = Path("benchmarks/reference.yaml")
RUNS = Path("benchmarks/runs")
REFERENCE = RUNS / "reference"
STAGES = tuple(stage.name for stage in ALL_STAGES[2:])
"""Those after the crawl."""
CRAWLED = (tables.REQUESTS, tables.DOCUMENTS, tables.REPOSITORIES, tables.failures_of("crawl"))
SAMPLE_SEED = 20260101


def run_command(run: Path, *options: str) -> list[str | Path]:
    """The command that brings a run of the reference corpus up to date."""
    return [run_script(), "run", CONFIGURATION, "--output", run, *options]


def run_script() -> Path:
    """The program `repomill` of this environment."""
    return Path(sys.executable).with_name("repomill")


def crawled_run() -> Path:
    """The reference run with its crawl up to date."""
    measure(run_command(REFERENCE, "--stage", "crawl"))
    return REFERENCE


def finished_run(*redone: str) -> Path:
    """The reference run with all stages up to date, and some of them done anew."""
    measure(run_command(REFERENCE, *(word for name in redone for word in ("--redo", name))))
    return REFERENCE


def fresh_run(name: str) -> Path:
    """A run that has the reference's crawl, by hard links, and nothing after it."""
    target = RUNS / name
    shutil.rmtree(ROOT / target, ignore_errors=True)
    for table in CRAWLED:
        folder = ROOT / target / table
        folder.mkdir(parents=True)
        for path in (ROOT / REFERENCE / table).iterdir():
            (folder / path.name).hardlink_to(path)
    # What makes a folder a run.
    for name in ("config.yaml", ".lock"):
        shutil.copy(ROOT / REFERENCE / name, ROOT / target)
    return target


def remove_run(run: Path) -> None:
    """Removes a run that `fresh_run` made."""
    shutil.rmtree(ROOT / run, ignore_errors=True)


def parts(run: Path, table: str = tables.DOCUMENTS) -> list[Path]:
    """The files of a table of a run, in order."""
    return sorted((ROOT / run / table).glob("part-*"))


def document_sizes(run: Path) -> list[np.ndarray]:
    """The bytes of every document, for each part."""
    return [read_part(path, ["size"])["size"].to_numpy() for path in parts(run)]


def history(run: Path) -> list[dict[str, Any]]:
    """What each stage of a run has cost, in the order in which they ran."""
    lines = (ROOT / run / "history.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def distinct_contents(run: Path) -> tuple[np.ndarray, pa.LargeBinaryArray]:
    """The number of each document's content, int64[documents], and the text of each content."""
    digests, texts = [], []
    for path in parts(run):
        for batch in iterate_row_groups(path, ["content", "encoding", "language", "sha256"]):
            digests.append(batch["sha256"])
            columns = (batch[name] for name in ("content", "encoding", "language"))
            texts.append(document_texts(*columns))
    names = pa.concat_arrays(digests).to_numpy(zero_copy_only=False).astype("S64")
    _, first, content = np.unique(names, return_index=True, return_inverse=True)
    return content, pa.concat_arrays(texts).take(pa.array(first))


def corpus_size(run: Path) -> tuple[int, int]:
    """Documents of a run, and bytes of text in them."""
    sizes = document_sizes(run)
    return sum(len(part) for part in sizes), int(sum(part.sum() for part in sizes))


def selected_bytes(run: Path) -> int:
    """Bytes of text that a run has tokenized."""
    manifest = RunFolder(ROOT / run).manifest(tables.TOKENS)
    return manifest.statistics["bytes"] if manifest else 0


def sample_texts(run: Path, size: int) -> pa.LargeBinaryArray:
    """About so many bytes of a run's documents as UTF-8, the same ones each time.

    Documents are drawn one by one over the whole corpus, so that the sample has its
    distribution of sizes, and stand in the order of the corpus.
    """
    sizes = document_sizes(run)
    flat = np.concatenate(sizes)
    order = np.random.default_rng(SAMPLE_SEED).permutation(flat.size)
    count = int(np.searchsorted(np.cumsum(flat[order]), size)) + 1
    chosen = np.zeros(flat.size, dtype=np.bool_)
    chosen[order[:count]] = True
    found: list[pa.LargeBinaryArray] = []
    first = 0
    for path in parts(run):
        for batch in iterate_row_groups(path, ["content", "encoding"]):
            mask = pa.array(chosen[first : first + len(batch)])
            found.append(utf8_contents(*(batch[n].filter(mask) for n in ("content", "encoding"))))
            first += len(batch)
    return pa.concat_arrays(found)


def text_bytes(texts: pa.LargeBinaryArray) -> int:
    """How many bytes some texts have together."""
    return int(pc.sum(pc.binary_length(texts)).as_py())

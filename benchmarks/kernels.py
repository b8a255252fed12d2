"""Rates of the kernels, on one core, beside those of the prototypes in the notes on the design."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.corpus import (
    corpus_size,
    crawled_run,
    fresh_run,
    history,
    parts,
    remove_run,
    run_command,
    text_bytes,
)
from benchmarks.harness import Cost, Report, interleave, measure, median_cost, spread
from pipeline.configuration import Annotate
from pipeline.contamination import Contamination, prepare_index
from transforms.annotate.contamination.matching import find_contamination
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.annotate.quality import measure_quality
from transforms.annotate.secrets.finding import find_secrets
from transforms.annotate.signatures import sign_texts
from transforms.buffers import Bytes, Offsets, binary_buffers, utf8_contents
from transforms.comments import comment_syntaxes, count_comment_characters, normalize_texts
from transforms.compiled import compiled
from transforms.parse.lexer import lex_into, max_tokens
from transforms.parse.recognizer import MAX_FRAMES, recognize
from transforms.parts import iterate_row_groups
from transforms.shingles import Hashes, distinct_shingles, hash_shingles, max_shingles

Numbers = npt.NDArray[np.int32]

ROUNDS = 3
SHARE = 0.6
ANNOTATE_GOAL = 60.0
"""MB a second and core of the whole stage."""
PARTS = 8
"""So many of the largest parts but the very largest are read: a third of the corpus."""

SIGNING = "shingles and signature of 256 permutations"
SHINGLES = "shingle hashes written out"
READING = "reading content from Parquet (zstd)"
SHA256 = "SHA-256 of every document (hashlib)"
PROTOTYPES = {SIGNING: 315.0, SHINGLES: 211.0, READING: 341.0, SHA256: 1500.0}
"""MB a second of the prototypes, in FACTS.md."""
CALIBRATION = (READING, SHA256)
"""Nothing of ours: what differs here is the machine and its load."""


@dataclass(frozen=True)
class Sample:
    """Some documents with what the kernels want to know of them."""

    texts: pa.LargeBinaryArray
    paths: pa.StringArray
    languages: pa.StringArray
    sha256: pa.StringArray
    data: Bytes
    offsets: Offsets


def report() -> Report:
    """Times every kernel on the same texts, in turn, and the whole stage as a process."""
    found = Report("Kernel rates")
    run = crawled_run()
    chosen = sorted(sorted(parts(run), key=lambda path: -path.stat().st_size)[1 : 1 + PARTS])
    sample = _read_sample(chosen)
    size = text_bytes(sample.texts)
    calls = {READING: lambda: [_read(path) for path in chosen], **kernels(sample)}
    seconds = interleave(calls, ROUNDS)
    found.say(
        f"{len(sample.texts):,} documents, {size / 1e6:.0f} MB of text, one thread; MB of text a "
        f"CPU second, {ROUNDS} rounds in turn after a warm-up, medians (least-greatest)."
    )
    rates = {name: [size / value / 1e6 for value in values] for name, values in seconds.items()}
    rows = []
    for name, values in rates.items():
        before = PROTOTYPES.get(name)
        share = f"{statistics.median(values) / before:.0%}" if before else ""
        rows.append((name, spread(values, 0), f"{before:.0f}" if before else "", share))
    found.table(("kernel", "MB/s", "prototype MB/s", "share"), rows)
    for name in (SIGNING, SHINGLES):
        share = statistics.median(rates[name]) / PROTOTYPES[name]
        verdict = "reached" if share >= SHARE else "MISSED"
        found.say(f"{SHARE:.0%} of the prototype's rate: {verdict} by {name} ({share:.0%}).")
    machine = [statistics.median(rates[name]) / PROTOTYPES[name] for name in CALIBRATION]
    found.say(
        "Reading and SHA-256 are the work of libraries: what they show is the machine, "
        f"{machine[0]:.0%} and {machine[1]:.0%} of the one that the prototypes ran on."
    )
    _say_stage(found, run)
    return found


def _read(path: Any) -> list[pa.Array]:
    return [batch["content"] for batch in iterate_row_groups(path, ["content"])]


def _read_sample(paths: list[Any]) -> Sample:
    names = ["content", "encoding", "path", "language", "sha256"]
    batches = [batch for path in paths for batch in iterate_row_groups(path, names)]
    texts = pa.concat_arrays([utf8_contents(each["content"], each["encoding"]) for each in batches])
    columns = [pa.concat_arrays([each[name] for each in batches]) for name in names[2:]]
    return Sample(texts, *columns, *binary_buffers(texts))


def kernels(sample: Sample) -> Mapping[str, Callable[[], object]]:
    """A call of each kernel, by what it does."""
    texts, data, offsets = sample.texts, sample.data, sample.offsets
    syntaxes = comment_syntaxes(sample.languages)
    index = prepare_index(Contamination())
    annotate = Annotate()
    options = FingerprintOptions(annotate.permutations, annotate.seed, normalized=False)
    return {
        SHA256: lambda: _hash_all(data, offsets),
        SIGNING: lambda: sign_texts(data, offsets, 256, 1),
        "shingles and signature of 128 permutations": lambda: sign_texts(data, offsets, 128, 1),
        SHINGLES: lambda: _write_shingles(data, offsets),
        "distinct shingles, sorted": lambda: distinct_shingles(data, offsets),
        "fingerprints, as columns": lambda: fingerprint_texts(
            texts, sample.sha256, sample.languages, options
        ),
        "quality signals": lambda: measure_quality(texts, sample.paths, sample.languages),
        "of them comments": lambda: count_comment_characters(data, offsets, syntaxes),
        "secrets": lambda: find_secrets(texts),
        "contamination by HumanEval": lambda: find_contamination(texts, index),
        "text without comments and blank space": lambda: normalize_texts(data, offsets, syntaxes),
        "Python syntax: tokens and grammar": lambda: _count_parsing(data, offsets),
    }


def _hash_all(data: Bytes, offsets: Offsets) -> list[bytes]:
    view = memoryview(data)
    return [hashlib.sha256(view[start:end]).digest() for start, end in pairwise(offsets.tolist())]


@compiled
def _write_shingles(data: Bytes, offsets: Offsets) -> Hashes:
    out = np.empty(max_shingles(offsets[-1] - offsets[0]) + offsets.size, dtype=np.uint64)
    count = 0
    for row in range(offsets.size - 1):
        count += hash_shingles(data, offsets[row], offsets[row + 1], out[count:])
    return out[:count]


def _count_parsing(data: Bytes, offsets: Offsets) -> int:
    tokens = np.empty((max_tokens(int(np.diff(offsets).max())), 4), dtype=np.int32)
    frames = np.empty((MAX_FRAMES, 3), dtype=np.int32)
    return _parse_all(data, offsets, tokens, frames)


@compiled
def _parse_all(data: Bytes, offsets: Offsets, tokens: Numbers, frames: Numbers) -> int:
    count = 0
    for row in range(offsets.size - 1):
        made = lex_into(data, offsets[row], offsets[row + 1], tokens)
        count += recognize(tokens[:made], frames)
    return count


def _say_stage(found: Report, run: Any) -> None:
    _, size = corpus_size(run)
    costs: list[Cost] = []
    inside: list[float] = []
    for _ in range(ROUNDS):
        fresh = fresh_run("kernels")
        costs.append(measure(run_command(fresh, "--stage", "annotate"))[0])
        inside.append(history(fresh)[-1]["cpu_seconds"])
    remove_run(fresh)
    rate = size / median_cost(costs).cpu / 1e6
    verdict = "reached" if rate >= ANNOTATE_GOAL else "MISSED"
    found.say(
        f"The stage annotate on all {size / 1e6:.0f} MB, everything that it computes by default, "
        f"with Beam and commits: {spread([cost.cpu for cost in costs])} CPU seconds of the "
        f"process, {spread(inside)} of them in the stage. {ANNOTATE_GOAL:.0f} MB/s a core is "
        f"{verdict}: {rate:.0f} with start-up, {size / statistics.median(inside) / 1e6:.0f} in the "
        "stage."
    )

"""Signing: MinHash signatures of texts, on one core, against datasketch."""

from __future__ import annotations

import statistics

import numpy as np
import pyarrow as pa

from benchmarks.corpus import crawled_run, sample_texts, text_bytes
from benchmarks.harness import Report, interleave, spread
from benchmarks.peers import datasketch_minhash
from transforms.annotate.signatures import sign_texts
from transforms.buffers import binary_buffers
from transforms.shingles import distinct_shingles

PERMUTATIONS = 256
SAMPLE_BYTES = 12_000_000
ROUNDS = 3
OURS = "repomill: words, shingles and signature"


def report() -> Report:
    """Times all ways to sign the same texts, in turn, and compares the estimates."""
    found = Report("MinHash signatures")
    texts = sample_texts(crawled_run(), SAMPLE_BYTES)
    size = text_bytes(texts)
    data, offsets = binary_buffers(texts)
    hashes, ends = distinct_shingles(data, offsets)
    peer = datasketch_minhash
    seconds = interleave(
        {
            OURS: lambda: sign_texts(data, offsets, PERMUTATIONS, 1),
            "repomill: distinct shingles, sorted": lambda: distinct_shingles(data, offsets),
            "datasketch: words, shingles, SHA-1, signature": lambda: peer.sign_from_text(
                texts, PERMUTATIONS
            ),
            "datasketch: signature of ready-made hashes": lambda: peer.sign_from_hashes(
                hashes, ends, PERMUTATIONS
            ),
        },
        ROUNDS,
    )
    found.say(
        f"{len(texts):,} documents, {size / 1e6:.1f} MB, {hashes.size / 1e6:.2f} M distinct "
        f"shingles, signatures of {PERMUTATIONS} values, one thread; CPU seconds of {ROUNDS} "
        "rounds in turn, medians (least-greatest)."
    )
    ours = statistics.median(seconds[OURS])
    found.table(
        ("who and what", "CPU s", "MB/s", "times repomill's signing"),
        [
            (
                name,
                spread(values, 3),
                f"{size / statistics.median(values) / 1e6:.1f}",
                f"{statistics.median(values) / ours:.2f}",
            )
            for name, values in seconds.items()
        ],
    )
    _say_errors(found, texts)
    return found


def _say_errors(found: Report, texts: pa.LargeBinaryArray) -> None:
    """Mean absolute errors of both estimates on pairs of a text and a part of it."""
    rng = np.random.default_rng(1)
    whole = [text for text in texts.to_pylist() if len(text) > 2_000][:500]
    shares = rng.uniform(0.3, 1.0, len(whole))
    cut = [text[: int(len(text) * share)] for text, share in zip(whole, shares, strict=True)]
    both = pa.array([*whole, *cut], pa.large_binary())
    sets = [datasketch_minhash.shingles_of(text) for text in both.to_pylist()]
    half = len(whole)
    exact = np.array([_jaccard(sets[n], sets[n + half]) for n in range(half)])
    ours, _ = sign_texts(*binary_buffers(both), PERMUTATIONS, 1)
    theirs = datasketch_minhash.sign_from_text(both, PERMUTATIONS)
    estimates = {
        "repomill": (ours[:half] == ours[half:]).mean(axis=1),
        "datasketch": np.array([theirs[n].jaccard(theirs[n + half]) for n in range(half)]),
        "theory": exact + np.sqrt(exact * (1 - exact) / PERMUTATIONS) * np.sqrt(2 / np.pi),
    }
    found.say(
        f"Mean absolute error of the estimated similarity over {half} pairs of a text and a "
        "beginning of it:"
    )
    found.table(
        ("who", "mean absolute error"),
        [(name, f"{np.abs(values - exact).mean():.4f}") for name, values in estimates.items()],
    )


def _jaccard(left: set[bytes], right: set[bytes]) -> float:
    return len(left & right) / len(left | right)

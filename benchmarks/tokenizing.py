"""Tokenizing: the fast engine against ``tokenizers``, on one core, the same ids."""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.corpus import crawled_run, sample_texts, text_bytes
from benchmarks.harness import Report, interleave, spread
from benchmarks.peers.huggingface_tokenizers import encode_strings
from transforms.tokenizers.engines import GigatokenEngine, TokenizersEngine
from transforms.tokenizers.vocabulary import p50k_tokenizer

SAMPLE_BYTES = 16_000_000
ROUNDS = 3
TIMES = 15
FAST = "repomill's fast engine (gigatoken), text it has not seen"


def report() -> Report:
    """Times both on the same texts, in turn, and compares their ids."""
    found = Report("Tokenizing")
    texts = sample_texts(crawled_run(), SAMPLE_BYTES)
    size = text_bytes(texts)
    tokenizer = p50k_tokenizer()
    # An engine remembers words that it has met, so each round has one that has met none.
    unused = [GigatokenEngine(tokenizer) for _ in range(ROUNDS + 1)]
    fast, reference = GigatokenEngine(tokenizer), TokenizersEngine(tokenizer)
    strings = [text.decode() for text in texts.to_pylist()]
    ids, ends = fast.encode(texts)
    expected, expected_ends = reference.encode(texts)
    same = np.array_equal(ids, expected) and np.array_equal(ends, expected_ends)
    seconds = interleave(
        {
            FAST: lambda: unused.pop().encode(texts),
            "the same engine, the same text again": lambda: fast.encode(texts),
            "tokenizers, encode_batch_fast": lambda: encode_strings(tokenizer, strings),
            "repomill's reference engine (tokenizers, ids as arrays)": lambda: reference.encode(
                texts
            ),
        },
        ROUNDS,
    )
    found.say(
        f"{len(texts):,} documents, {size / 1e6:.1f} MB, p50k, one thread "
        f"(RAYON_NUM_THREADS=1); CPU seconds of {ROUNDS} rounds in turn after a warm-up, "
        "medians (least-greatest)."
    )
    ours = statistics.median(seconds[FAST])
    found.table(
        ("engine", "CPU s", "MB/s", "times the fast engine"),
        [
            (
                name,
                spread(values, 3),
                f"{size / statistics.median(values) / 1e6:.1f}",
                f"{statistics.median(values) / ours:.1f}",
            )
            for name, values in seconds.items()
        ],
    )
    lists = np.split(ids, ends[1:-1])
    back = tokenizer.decode_batch([each.tolist() for each in lists], skip_special_tokens=False)
    found.say(
        f"Both give {'the same' if same else 'DIFFERENT'} ids: {ids.size:,} tokens. They give "
        f"{'every' if back == strings else 'NOT EVERY'} text back exactly."
    )
    times = statistics.median(seconds["tokenizers, encode_batch_fast"]) / ours
    verdict = "reached" if times >= TIMES and same and back == strings else "MISSED"
    found.say(f"The bar of {TIMES} times the speed of `tokenizers` is {verdict}: {times:.0f}.")
    return found

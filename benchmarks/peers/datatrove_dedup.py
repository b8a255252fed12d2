"""Deduplication by datatrove: its MinHash pipeline with its settings, but words by a regex.

Its own words are spaCy's, which take several times as long. Signatures, buckets and clusters are
made; the last step, which would write the kept documents again, is left out.
"""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
    minhash,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.utils.word_tokenizers import WordTokenizer
from dedup_documents import SHINGLE_WORDS, arguments, cpu_seconds, finish, plain_numbers
from loguru import logger

_WORD = re.compile(r"\w+")


class RegexTokenizer(WordTokenizer):
    """Words as a regular expression finds them."""

    def word_tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        return _WORD.findall(text)

    def sent_tokenize(self, text: str) -> list[str]:
        """No step asks for sentences."""
        raise NotImplementedError

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """No step asks for spans."""
        raise NotImplementedError


def deduplicate() -> None:
    """Runs the three steps, one task after another in this process."""
    started = cpu_seconds()
    _, plain, output = arguments()
    minhash.load_word_tokenizer = RegexTokenizer
    # Every command prints hundreds of lines.
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    config = MinhashConfig(n_grams=SHINGLE_WORDS, num_buckets=14, hashes_per_bucket=8)
    with TemporaryDirectory(dir=output.parent) as name:
        place = Path(name)
        folders = [str(place / step) for step in ("signatures", "buckets", "removals")]
        reader = ParquetReader(str(plain), read_metadata=False)
        _run(place, 1, reader, MinhashDedupSignature(folders[0], config))
        _run(place, config.num_buckets, MinhashDedupBuckets(folders[0], folders[1], config=config))
        _run(place, 1, MinhashDedupCluster(folders[1], folders[2], config))
        removals = Path(folders[2], "000000.remove").read_bytes()
    numbers = plain_numbers(sorted(plain.glob("*.parquet")))
    dropped = [numbers[row] for (row,) in struct.iter_unpack("<I", removals)]
    finish(output, dropped, "datatrove", started)


def _run(place: Path, tasks: int, *steps: object) -> None:
    logs = str(place / f"logs-{type(steps[-1]).__name__}")
    LocalPipelineExecutor(list(steps), tasks=tasks, workers=1, logging_dir=logs).run()


if __name__ == "__main__":
    deduplicate()

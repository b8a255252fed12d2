"""Finding what documents have in common with benchmarks.

Each window of a document's words is looked up among the n-grams of the benchmarks; what
has the hash of one is compared with it byte by byte, so that no collision accuses.
Consecutive windows that are n-grams of one problem are a run. The strongest match of a
document is that with a whole text of a problem before one with a run, then the one with
more words, then with the larger share of the problem's n-grams, then the benchmark first
by name and the problem first in its file, then what stands first in the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.contamination import CONTAMINATION, Match
from transforms.annotate.contamination.index import BenchmarkIndex, Tables
from transforms.annotate.contamination.windows import (
    filter_shift,
    hash_windows,
    have_windows,
    passes_filter,
    same_windows,
)
from transforms.annotate.contamination.words import GAPS_IGNORED, SPACES, Words, split_words
from transforms.buffers import Offsets, binary_buffers
from transforms.compiled import compiled
from transforms.shingles import Hashes, hash_words

# So much text at a time that its words stay in the processor's cache.
_CHUNK_BYTES = 1 << 18


class _Hits(NamedTuple):
    """Windows that are n-grams, in their order: first words, and n-grams."""

    words: Offsets
    ngrams: Offsets


class _Match(NamedTuple):
    """A match of a document: a task, a run of words, and the share of the task's n-grams."""

    task: int
    is_exact: bool
    first_word: int
    words: int
    share: float


def find_contamination(
    texts: pa.LargeBinaryArray,
    index: BenchmarkIndex | None,
    hashed: tuple[Hashes, Offsets] | None = None,
) -> pa.RecordBatch:
    """The strongest match of each UTF-8 text, in the schema of ``attributes/contamination``.

    ``hashed`` is what `hash_words` gives of the texts, where the caller has it already.
    """
    data, offsets = binary_buffers(texts)
    rows = [_NO_MATCH] * len(texts)
    if index is not None and index.tables.hashes.size:
        ranges = _chunks(offsets)
        if index.comparison.gaps == GAPS_IGNORED and not index.comparison.renaming:
            # Words alone decide, so that few texts need to be read for more.
            suspects = _find_suspects(*(hashed or hash_words(data, offsets)), index)
            ranges = ((row, row + 1) for row in suspects.tolist())
        for start, end in ranges:
            words = split_words(data, offsets[start : end + 1], index.comparison)
            for text, hits in _hits_by_text(words, index):
                match = _strongest(words, hits, index)
                if match is not None:
                    row = start + text
                    rows[row] = _row_of(match, words, int(offsets[row]), index)
    columns = zip(*rows, strict=True) if rows else [()] * len(CONTAMINATION)
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, CONTAMINATION, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=CONTAMINATION)


_Row = tuple[str | None, str | None, str | None, int, float, int | None, int | None]
_NO_MATCH: _Row = (None, None, None, 0, 0.0, None, None)


def _row_of(match: _Match, words: Words, text_start: int, index: BenchmarkIndex) -> _Row:
    start = words.edges[2 * match.first_word] - text_start
    end = words.edges[2 * (match.first_word + match.words) - 1] - text_start
    return (
        index.names["benchmark"][match.task].as_py(),
        index.names["task"][match.task].as_py(),
        (Match.EXACT if match.is_exact else Match.NGRAM).value,
        match.words,
        match.share,
        int(start),
        int(end),
    )


def _chunks(offsets: Offsets) -> Iterator[tuple[int, int]]:
    """Ranges of texts of about `_CHUNK_BYTES`, at least one text each."""
    start = 0
    while start < offsets.size - 1:
        end = int(np.searchsorted(offsets, offsets[start] + _CHUNK_BYTES, "right")) - 1
        end = max(end, start + 1)
        yield start, end
        start = end


def _find_suspects(words: Hashes, offsets: Offsets, index: BenchmarkIndex) -> Offsets:
    """The texts that have a window with the hash of an n-gram that is evidence."""
    tables = index.tables
    size = index.comparison.ngram_words
    return np.flatnonzero(
        have_windows(words, offsets, size, tables.filter, tables.hashes, tables.tasks_offsets)
    )


def _hits_by_text(words: Words, index: BenchmarkIndex) -> Iterator[tuple[int, _Hits]]:
    """The hits of each text that has any."""
    tables, comparison = index.tables, index.comparison
    hashes = hash_windows(words, comparison)
    places = _pass_filter(hashes, tables.filter)
    if not places.size:
        return
    ngrams = np.minimum(np.searchsorted(tables.hashes, hashes[places]), tables.hashes.size - 1)
    # No window has the hash 0 but those that their text ends in, and very few others.
    found = (tables.hashes[ngrams] == hashes[places]) & (hashes[places] != 0)
    places, ngrams = places[found], ngrams[found]
    firsts = tables.firsts[ngrams].astype(np.int64)
    same = same_windows(words, places, tables.words, firsts, comparison)
    places, ngrams = places[same], ngrams[same]
    texts = np.searchsorted(words.offsets, places, "right") - 1
    for text in np.unique(texts):
        begin, end = np.searchsorted(texts, [text, text + 1])
        yield int(text), _Hits(places[begin:end], ngrams[begin:end])


@compiled
def _pass_filter(hashes: Hashes, bits: npt.NDArray[np.uint8]) -> Offsets:
    """The places of hashes that may be among those that a filter was made of."""
    shift = filter_shift(bits)
    places = np.empty(hashes.size + 1, np.int64)
    count = 0
    for place in range(hashes.size):
        places[count] = place
        count += passes_filter(hashes[place], bits, shift)
    return places[:count].copy()


def _strongest(words: Words, hits: _Hits, index: BenchmarkIndex) -> _Match | None:
    tables = index.tables
    tasks, owners = _evidence(hits, tables)
    if not tasks.size:
        return None
    pairs = np.unique(np.stack([tasks, hits.ngrams[owners]], 1), axis=0)
    # Of those tasks only that have evidence here: a benchmark may have a million.
    present, found = np.unique(pairs[:, 0], return_counts=True)
    shares = found / tables.task_ngrams[present]
    whole = _longest_text(words, hits, index)
    if whole is not None:
        text, first_word, length = whole
        task = int(tables.text_tasks[text])
        return _Match(task, True, first_word, length, float(shares[np.searchsorted(present, task)]))
    run_tasks, starts, lengths = _runs(tasks, owners, hits)
    lengths += index.comparison.ngram_words
    run_shares = shares[np.searchsorted(present, run_tasks)]
    best = np.lexsort((starts, run_tasks, -run_shares, -lengths))[0]
    task = int(run_tasks[best])
    return _Match(task, False, int(starts[best]), int(lengths[best]), float(run_shares[best]))


def _evidence(hits: _Hits, tables: Tables) -> tuple[Offsets, Offsets]:
    """Pairs of a task and a hit that is evidence for it."""
    begins, ends = tables.tasks_offsets[hits.ngrams], tables.tasks_offsets[hits.ngrams + 1]
    counts = ends - begins
    owners = np.repeat(np.arange(hits.ngrams.size), counts)
    within = np.arange(owners.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return tables.tasks[np.repeat(begins, counts) + within].astype(np.int64), owners


def _runs(tasks: Offsets, owners: Offsets, hits: _Hits) -> tuple[Offsets, Offsets, Offsets]:
    """Runs of hits of a task: task, first word, and the words from there to the last hit's.

    What is no evidence for any task may stand between two hits of a run.
    """
    stretch = np.cumsum(np.diff(hits.words, prepend=hits.words[0]) > 1)
    ordinal = np.unique(owners, return_inverse=True)[1]
    order = np.lexsort((owners, tasks))
    tasks, owners, ordinal = tasks[order], owners[order], ordinal[order]
    goes_on = (np.diff(tasks) == 0) & (np.diff(ordinal) == 1) & (np.diff(stretch[owners]) == 0)
    firsts = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    lasts = np.concatenate([firsts[1:], [tasks.size]]) - 1
    starts = hits.words[owners[firsts]]
    return tasks[firsts], starts, hits.words[owners[lasts]] - starts


def _longest_text(words: Words, hits: _Hits, index: BenchmarkIndex) -> tuple[int, int, int] | None:
    """The longest whole text, the first of those: its number, first word and words."""
    tables = index.tables
    is_break = np.diff(hits.words, prepend=hits.words[0] - 2) > 1
    begins = np.maximum.accumulate(np.where(is_break, np.arange(is_break.size), 0))
    has_ending = tables.ending_offsets[hits.ngrams + 1] > tables.ending_offsets[hits.ngrams]
    longest: tuple[int, int, int] | None = None
    for hit in np.flatnonzero(has_ending):
        ngram = hits.ngrams[hit]
        for text in tables.ending_texts[
            tables.ending_offsets[ngram] : tables.ending_offsets[ngram + 1]
        ]:
            begin, end = tables.text_offsets[text], tables.text_offsets[text + 1]
            first = hit - (end - begin) + 1
            length = int(end - begin) + index.comparison.ngram_words - 1
            if first < begins[hit] or (longest and (longest[2], -longest[0]) >= (length, -text)):
                continue
            if np.array_equal(hits.ngrams[first : hit + 1], tables.text_ngrams[begin:end]):
                first_word = int(hits.words[first])
                if index.comparison.gaps != GAPS_IGNORED or (
                    _without_space(words, first_word, length)
                    == _without_space(tables.words, int(tables.words.offsets[text]), length)
                ):
                    longest = int(text), first_word, length
                    break
    return longest


def _without_space(words: Words, first: int, count: int) -> bytes:
    """The text from the first to the last of some words, but for its whitespace."""
    start, end = words.edges[2 * first], words.edges[2 * (first + count) - 1]
    return words.data[start:end].tobytes().translate(None, SPACES)

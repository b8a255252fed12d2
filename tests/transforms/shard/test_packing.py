import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.shard.packing import (
    copy_pieces,
    count_sequences,
    cut_pieces,
    shuffle_sequences,
    stream_ends,
)

LENGTHS = st.lists(st.integers(0, 9) | st.integers(0, 40), max_size=12)


def as_counts(values):
    return np.array(values, dtype=np.int64)


def slow_stream(lengths):
    """Document and offset of every token of a stream, end-of-text tokens included."""
    return [(doc, offset) for doc, length in enumerate(lengths) for offset in range(length + 1)]


def slow_pieces(sequences, lengths, context_length):
    stream = slow_stream(lengths)
    pieces = []
    for row, sequence in enumerate(sequences):
        tokens = stream[sequence * context_length :][:context_length]
        position = 0
        for document, group in itertools.groupby(tokens, key=lambda token: token[0]):
            offsets = [offset for _, offset in group]
            pieces.append((row, position, document, offsets[0], len(offsets)))
            position += len(offsets)
    return pieces


@thorough
@given(LENGTHS, st.integers(1, 17), st.randoms(use_true_random=False))
def test_pieces_are_those_of_a_slow_concatenation(lengths, context_length, random):
    ends = stream_ends(as_counts(lengths))
    count = count_sequences(ends, context_length)
    assert count == len(slow_stream(lengths)[::context_length])
    sequences = random.sample(range(count), random.randint(0, count))
    pieces = cut_pieces(as_counts(sequences), ends, as_counts(lengths), context_length)
    found = list(zip(*(column.tolist() for column in pieces), strict=True))
    assert found == slow_pieces(sequences, lengths, context_length)


def test_counts_the_last_sequence_although_it_is_partial():
    counts = [count_sequences(stream_ends(as_counts([n])), 4) for n in (0, 2, 3, 4, 7, 8)]
    assert counts == [1, 1, 1, 2, 2, 3]
    assert count_sequences(stream_ends(as_counts([])), 4) == 0


@pytest.mark.parametrize("sequence", [-1, 3, 100])
def test_refuses_a_sequence_outside_the_stream(sequence):
    lengths = as_counts([5, 5])
    with pytest.raises(ValueError, match=r"sequences must be in \[0, 3\), got up to"):
        cut_pieces(as_counts([0, sequence]), stream_ends(lengths), lengths, 4)


@thorough
@given(st.integers(0, 300), st.integers(-(2**63), 2**64))
def test_a_shuffle_is_a_permutation(count, seed):
    assert sorted(shuffle_sequences(count, seed).tolist()) == list(range(count))


def test_a_shuffle_never_changes():
    # A resumed or repeated run must give the same shards, and a trainer the same order.
    assert shuffle_sequences(10, 0).tolist() == [1, 8, 3, 0, 9, 4, 7, 2, 5, 6]
    assert shuffle_sequences(10, -1).tolist() == [0, 3, 4, 2, 8, 7, 6, 9, 1, 5]


def test_seeds_shuffle_differently_and_leave_no_order():
    orders = [shuffle_sequences(2000, seed) for seed in range(3)]
    for one, other in itertools.combinations(orders, 2):
        assert np.mean(one == other) < 0.01
    for order in orders:
        # The correlation of independent orders has a standard deviation of 1/sqrt(n).
        assert abs(np.corrcoef(order, np.arange(2000))[0, 1]) < 5 / np.sqrt(2000)


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
def test_copies_runs_into_place(kind):
    out = np.full(8, 9, dtype=kind)
    values = np.arange(100, dtype=kind)
    copy_pieces(values, as_counts([50, 99, 100]), as_counts([3, 1, 0]), as_counts([4, 0, 8]), out)
    assert out.tolist() == [99, 9, 9, 9, 50, 51, 52, 9]

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.shard.packing import (
    concatenate_documents,
    copy_pieces,
    pack_best_fit,
    take_sequences,
)

PACK = pytest.mark.parametrize("pack", [concatenate_documents, pack_best_fit])
LENGTHS = st.lists(st.integers(0, 9) | st.integers(0, 40), max_size=30)
CONTEXT_LENGTHS = st.integers(1, 17) | st.sampled_from([31, 32, 33, 64])


def as_counts(values):
    return np.array(values, dtype=np.int64)


def pieces_of(packed):
    """The pieces of each sequence as (document, offset, length)."""
    assert packed.first[0] == 0
    assert packed.first[-1] == packed.document.size
    assert {column.dtype for column in packed} == {np.dtype(np.int64)}
    pieces = list(zip(*(column.tolist() for column in packed[1:]), strict=True))
    return [pieces[start:end] for start, end in itertools.pairwise(packed.first.tolist())]


def slow_stream(lengths):
    """Document and offset of every token of a stream, end-of-text tokens included."""
    return [(doc, offset) for doc, length in enumerate(lengths) for offset in range(length + 1)]


def slow_concatenation(lengths, context_length):
    stream = slow_stream(lengths)
    sequences = []
    for start in range(0, len(stream), context_length):
        tokens = stream[start : start + context_length]
        groups = (list(group) for _, group in itertools.groupby(tokens, key=lambda each: each[0]))
        sequences.append([(*group[0], len(group)) for group in groups])
    return sequences


def slow_best_fit(lengths, context_length):
    pieces = [
        (document, offset, min(length + 1 - offset, context_length))
        for document, length in enumerate(lengths)
        for offset in range(0, length + 1, context_length)
    ]
    sequences = []
    for piece in sorted(pieces, key=lambda each: -each[2]):
        # The sequence that was touched last stands first.
        rooms = [context_length - sum(length for _, _, length in own) for own in sequences]
        enough = [room for room in rooms if room >= piece[2]]
        own = sequences.pop(rooms.index(min(enough))) if enough else []
        sequences.insert(0, [*own, piece])
    return sorted(sorted(own) for own in sequences)


@thorough
@given(LENGTHS, CONTEXT_LENGTHS)
def test_concatenation_is_that_of_a_slow_stream(lengths, context_length):
    packed = concatenate_documents(as_counts(lengths), context_length)
    assert pieces_of(packed) == slow_concatenation(lengths, context_length)


@thorough
@given(LENGTHS, CONTEXT_LENGTHS)
def test_best_fit_is_that_of_a_slow_search(lengths, context_length):
    packed = pack_best_fit(as_counts(lengths), context_length)
    assert pieces_of(packed) == slow_best_fit(lengths, context_length)


@PACK
@thorough
@given(LENGTHS, CONTEXT_LENGTHS)
def test_every_token_is_in_one_sequence(pack, lengths, context_length):
    sequences = pieces_of(pack(as_counts(lengths), context_length))
    tokens = [
        (document, offset + step)
        for own in sequences
        for document, offset, length in own
        for step in range(length)
    ]
    assert sorted(tokens) == slow_stream(lengths)
    assert all(0 < sum(length for _, _, length in own) <= context_length for own in sequences)
    assert all(own == sorted(own) for own in sequences)
    assert sequences == sorted(sequences)


@thorough
@given(LENGTHS, CONTEXT_LENGTHS)
def test_best_fit_cuts_only_what_is_longer_than_a_sequence(lengths, context_length):
    packed = pack_best_fit(as_counts(lengths), context_length)
    longer = [document for document, length in enumerate(lengths) if length + 1 > context_length]
    assert sorted(set(packed.document[packed.offset > 0].tolist())) == longer
    for document in longer:
        own = np.sort(packed.length[packed.document == document])[::-1]
        assert (own[:-1] == context_length).all()


@thorough
@given(LENGTHS, CONTEXT_LENGTHS)
def test_best_fit_leaves_no_two_sequences_that_would_fit_in_one(lengths, context_length):
    sequences = pieces_of(pack_best_fit(as_counts(lengths), context_length))
    used = sorted(sum(length for _, _, length in own) for own in sequences)
    assert sum(used[:2]) > context_length or len(used) < 2


def test_best_fit_of_documents_as_long_as_those_of_code_leaves_hardly_any_padding():
    lengths = np.random.default_rng(0).lognormal(6.6, 1.3, 20_000).astype(np.int64)
    used = int((lengths + 1).sum())
    best = (pack_best_fit(lengths, 2048).first.size - 1) * 2048
    as_they_come, room = 0, 0
    for rest in ((lengths + 1) % 2048).tolist():
        as_they_come += rest > room
        room = (2048 if rest > room else room) - rest
    as_they_come += int(((lengths + 1) // 2048).sum())
    assert best < used * 1.001
    assert as_they_come * 2048 > used * 1.1


def test_a_packing_never_changes():
    # A resumed or repeated run must give the same shards.
    lengths = as_counts([3, 11, 0, 6, 2, 4, 1])
    assert pieces_of(pack_best_fit(lengths, 8)) == [
        [(0, 0, 4), (1, 8, 4)],
        [(1, 0, 8)],
        [(2, 0, 1), (3, 0, 7)],
        [(4, 0, 3), (5, 0, 5)],
        [(6, 0, 2)],
    ]


@PACK
def test_no_documents_make_no_sequences_and_an_empty_one_its_end_of_text(pack):
    assert pieces_of(pack(as_counts([]), 4)) == []
    assert pieces_of(pack(as_counts([0]), 4)) == [[(0, 0, 1)]]
    assert pieces_of(pack(as_counts([0, 0, 0]), 1)) == [[(0, 0, 1)], [(1, 0, 1)], [(2, 0, 1)]]


@PACK
def test_refuses_sequences_without_tokens(pack):
    with pytest.raises(ValueError, match="context_length must be at least 1, got 0"):
        pack(as_counts([1]), 0)


@thorough
@given(LENGTHS, st.integers(0, 20), st.randoms(use_true_random=False))
def test_takes_sequences_in_any_order(lengths, count, random):
    packed = concatenate_documents(as_counts(lengths), 4)
    whole = pieces_of(packed)
    order = random.choices(range(len(whole)), k=count) if whole else []
    taken = pieces_of(take_sequences(packed, as_counts(order)))
    assert taken == [whole[number] for number in order]


@pytest.mark.parametrize("sequence", [-1, 3])
def test_refuses_a_sequence_that_is_not_there(sequence):
    packed = concatenate_documents(as_counts([5, 5]), 4)
    with pytest.raises(ValueError, match=r"sequences must be in \[0, 3\), got"):
        take_sequences(packed, as_counts([0, sequence]))


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
def test_copies_runs_into_place(kind):
    out = np.full(8, 9, dtype=kind)
    values = np.arange(100, dtype=kind)
    copy_pieces(values, as_counts([50, 99, 100]), as_counts([3, 1, 0]), as_counts([4, 0, 8]), out)
    assert out.tolist() == [99, 9, 9, 9, 50, 51, 52, 9]

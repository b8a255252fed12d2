import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.tokenize.segments import Segments, join_segments, single_tokens, stack_segments

LISTS = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), min_size=1, max_size=6)


def as_segments(lists, before=0):
    """Segments of some tokens, behind tokens that belong to none."""
    lengths = np.array([before, *(len(tokens) for tokens in lists)])
    flat = [7] * before + [token for tokens in lists for token in tokens] + [7]
    return Segments(np.array(flat, np.uint32), np.cumsum(lengths))


def as_lists(segments):
    assert (segments.ids.dtype, segments.offsets.dtype) == (np.uint32, np.int64)
    pairs = zip(segments.offsets[:-1], segments.offsets[1:], strict=True)
    return [segments.ids[start:end].tolist() for start, end in pairs]


@thorough
@given(LISTS, st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=5), st.integers(0, 3))
def test_documents_are_their_segments_joined(lists, documents, before):
    documents = [[number % len(lists) for number in numbers] for numbers in documents]
    numbers = np.array([number for each in documents for number in each], np.int64)
    ends = np.cumsum([0, *map(len, documents)])
    joined = join_segments(as_segments(lists, before), numbers, ends)
    assert as_lists(joined) == [[token for n in each for token in lists[n]] for each in documents]


@thorough
@given(st.lists(LISTS, min_size=1, max_size=4), st.integers(0, 3))
def test_stacked_segments_follow_each_other(parts, before):
    stacked = stack_segments(*(as_segments(part, before) for part in parts))
    assert as_lists(stacked) == [tokens for part in parts for tokens in part]
    assert stacked.size == sum(map(len, parts))


def test_single_tokens_are_segments_of_one_token_each():
    assert as_lists(single_tokens(5, 2**32 - 1)) == [[5], [2**32 - 1]]


@pytest.mark.parametrize("numbers", [[0, 2], [-1, 1]])
def test_refuses_numbers_of_no_segment(numbers):
    with pytest.raises(ValueError, match=rf"in \[0, 2\), got {min(numbers)} to {max(numbers)}"):
        join_segments(as_segments([[1], [2]]), np.array(numbers), np.array([0, 2]))


@pytest.mark.parametrize("ends", [[0, 1], [1, 2], [0, 2, 1, 2]])
def test_refuses_ends_that_do_not_fit_the_numbers(ends):
    with pytest.raises(ValueError, match="ascend from 0 to 2"):
        join_segments(as_segments([[1], [2]]), np.array([0, 1]), np.array(ends))

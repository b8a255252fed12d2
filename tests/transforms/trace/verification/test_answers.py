from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.verification.answers import (
    AnswerError,
    Fault,
    Outcome,
    canonical,
    read_body,
    read_outcome,
    read_verdict,
)

_KEYS = (
    *("at", "value", "raised", "covered", "after", "fault", "passed", "lines", "branches"),
    *("failed", "tuple", "name", "call", "dict", "iterator"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_comes_is_an_answer_or_refused(message):
    for read in (
        read_body,
        lambda each: read_outcome(each, 0, 2),
        lambda each: read_verdict(each, 0),
    ):
        try:
            read(message)
        except AnswerError:
            continue


@given(JSON, JSON)
def test_values_of_whatever_kind_are_snapshots_or_a_fault(value, covered):
    message = {"at": 0, "value": value, "covered": [[], []], "after": []}
    outcome = read_outcome(message, 0, 1)
    assert outcome.fault in (None, Fault.OPAQUE)
    with suppress(AnswerError):
        read_outcome({**message, "covered": covered}, 0, 1)


@pytest.mark.parametrize(
    "after", [[[2, 1]], [[True, 1]], [[0, 1], [0, 1], [0, 1]], [0], [[0]], {"a": 1}, None]
)
def test_arguments_that_there_are_not_have_not_changed(after):
    with pytest.raises(AnswerError):
        read_outcome({"at": 0, "covered": [[], []], "after": after}, 0, 2)


def test_equal_dictionaries_have_the_same_text_whatever_their_order():
    one = {"dict": [["a", [{"dict": [[1, 2], [3, 4]]}]], ["b", 1]]}
    other = {"dict": [["b", 1], ["a", [{"dict": [[3, 4], [1, 2]]}]]]}
    assert canonical(one) == canonical(other) != canonical([one])


def test_outcomes_differ_by_all_that_a_test_can_see():
    outcome = Outcome(value=1)
    assert outcome.same_as(Outcome(value=1, message="x", lines=frozenset({3})))
    for other in (
        Outcome(value=1.0),
        Outcome(value=True),
        Outcome(value=1, after=((0, 2),)),
        Outcome(value=1, is_cut=True),
        Outcome(value=1, fault=Fault.LATE),
        Outcome(value=1, raised={"name": "builtins:ValueError"}),
    ):
        assert not outcome.same_as(other)

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.execute.ranking import RANKINGS, Ranking, Samples, choose_samples, compare_rankings

NAN = math.nan
SCORES = st.sampled_from([-math.inf, -7.5, -2.0, -0.5, 0.0])
SAMPLES = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), SCORES, st.integers(1, 4), SCORES),
    min_size=1,
    max_size=25,
)
"""Samples as problem, verdict, log-probability, tokens and score of the back-translation."""


def compare(samples):
    columns = zip(*samples, strict=True)
    types = (np.int64, np.bool_, np.float64, np.int64, np.float64)
    arrays = (np.array(column, kind) for column, kind in zip(columns, types, strict=True))
    return {own.name: own for own in compare_rankings(Samples(*arrays))}


def shares(samples):
    return {name: own.share for name, own in compare(samples).items()}


def first_best(own, score):
    # max() keeps the first of equal ones.
    return max(own, key=score)[1]


def slow_shares(samples):
    groups = [[s for s in samples if s[0] == number] for number in {s[0] for s in samples}]
    rules = {
        "random": lambda own: sum(s[1] for s in own) / len(own),
        "sum_logprob": lambda own: first_best(own, lambda s: s[2]),
        "mean_logprob": lambda own: first_best(own, lambda s: s[2] / s[3]),
        "back_translation": lambda own: first_best(own, lambda s: s[4]),
        "oracle": lambda own: any(s[1] for s in own),
    }
    return {name: sum(map(rule, groups)) / len(groups) for name, rule in rules.items()}


@thorough
@given(SAMPLES)
def test_shares_are_those_of_choosing_sample_by_sample(samples):
    assert shares(samples) == pytest.approx(slow_shares(samples))


@thorough
@given(SAMPLES)
def test_no_ranking_beats_the_oracle(samples):
    found = shares(samples)
    assert max(found.values()) == found["oracle"]


def test_rankings_choose_differently():
    samples = [
        # The long one has the higher mean and the lower sum.
        (0, True, -6.0, 10, 0.1),
        (0, False, -5.0, 2, 0.9),
        (1, False, -4.0, 4, 0.5),
        (1, False, -3.0, 4, 0.2),
        (1, True, -9.0, 4, 0.8),
    ]
    assert shares(samples) == pytest.approx(
        {
            "random": (1 / 2 + 1 / 3) / 2,
            "sum_logprob": 0,
            "mean_logprob": 0.5,
            "back_translation": 0.5,
            "oracle": 1,
        }
    )


def test_a_random_choice_has_the_expected_share_of_all_choices():
    samples = [(0, True, 0, 1, 0), (0, False, 0, 1, 0), (1, True, 0, 1, 0)] + [
        (2, verdict, 0, 1, 0) for verdict in (True, True, False)
    ]
    groups = [[s[1] for s in samples if s[0] == number] for number in range(3)]
    choices = [sum(chosen) / 3 for chosen in itertools.product(*groups)]
    assert shares(samples)["random"] == pytest.approx(sum(choices) / len(choices))


@pytest.mark.parametrize("first", [True, False])
def test_of_equal_samples_the_first_in_the_file_is_chosen(first):
    samples = [(0, first, -2.0, 2, 0.5), (1, True, -9.0, 2, 0.1), (0, not first, -2.0, 2, 0.5)]
    found = shares(samples)
    for name in ("sum_logprob", "mean_logprob", "back_translation"):
        assert found[name] == (1.0 if first else 0.5)


def test_problems_count_alike_however_many_samples_they_have():
    samples = [(7, True, -1.0, 1, 0.0)] + [(3, False, -1.0, 1, 0.0)] * 99
    assert set(shares(samples).values()) == {0.5}


@pytest.mark.parametrize(
    ("sample", "reasons"),
    [
        (
            (1, True, NAN, 3, 0.5),
            {"sum_logprob": "logprob_missing", "mean_logprob": "logprob_missing"},
        ),
        ((1, True, -1.0, 0, 0.5), {"mean_logprob": "tokens_missing"}),
        ((1, True, -1.0, -1, 0.5), {"mean_logprob": "tokens_missing"}),
        ((1, True, -1.0, 3, NAN), {"back_translation": "back_translation_missing"}),
    ],
)
def test_a_ranking_that_lacks_an_input_of_one_sample_is_absent_with_a_reason(sample, reasons):
    whole = (0, True, -1.0, 3, 0.5)
    found = compare([whole, sample, whole])
    assert {name: own.reason for name, own in found.items() if own.reason} == reasons
    for name, own in found.items():
        assert (own.share is None) == (name in reasons)


def test_verdicts_alone_give_a_random_choice_and_the_oracle():
    found = compare([(0, True, NAN, -1, NAN), (0, False, NAN, -1, NAN)])
    assert tuple(found) == RANKINGS
    assert found["random"] == Ranking("random", 0.5, None)
    assert found["oracle"] == Ranking("oracle", 1.0, None)
    assert {own.reason for own in found.values()} == {
        None,
        "logprob_missing",
        "back_translation_missing",
    }


def test_an_impossible_sample_may_be_all_there_is():
    samples = [(0, True, -math.inf, 3, 0.0), (1, True, -math.inf, 3, 0.0), (1, False, -9.0, 3, 0.0)]
    assert shares(samples)["sum_logprob"] == shares(samples)["mean_logprob"] == 0.5


def test_chosen_samples_stand_in_the_order_of_problems():
    problems = np.array([9, 2, 9, 2, 5])
    scores = np.array([-3.0, -1.0, -2.0, -1.0, -8.0])
    assert choose_samples(problems, scores).tolist() == [1, 4, 2]


@pytest.mark.parametrize("sizes", [(0, 0, 0, 0, 0), (3, 2, 3, 3, 3), (2, 2, 2, 2, 1)])
def test_refuses_columns_that_do_not_belong_together(sizes):
    with pytest.raises(ValueError, match="columns must be of one length above 0, got"):
        Samples(*(np.zeros(size) for size in sizes))

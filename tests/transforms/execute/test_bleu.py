import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.execute.bleu import BINS, Overlap, measure_overlaps, score_samples

REFERENCE = "    if n <= 1:\n        return n\n    return fib_two(n - 1) + fib_two(n - 2) * 1.5\n"
SCORES = st.sampled_from([0.0, 5.0, 9.99, 10.0, 37.5, 60.0, 99.0, 100.0])
SAMPLES = st.lists(st.tuples(st.integers(0, 3), st.booleans(), SCORES), min_size=1, max_size=30)
"""Samples as problem, verdict and BLEU."""


def score(text, reference=REFERENCE):
    (found,) = score_samples([text], np.array([0]), [reference]).tolist()
    return found


def measure(samples):
    problems, passed, scores = (np.array(column) for column in zip(*samples, strict=True))
    return measure_overlaps(problems, passed, scores)


def measure_one(right, wrong):
    (found,) = measure([(0, True, own) for own in right] + [(0, False, own) for own in wrong])
    return found


def test_the_reference_itself_has_the_highest_score():
    assert score(REFERENCE) == 100
    assert score("x", "x") == 100


@pytest.mark.parametrize("text", ["", "  \n", "lambda x", "FIB TWO"])
def test_without_a_word_of_the_reference_there_is_no_score(text):
    assert score(text) == 0


def test_an_empty_reference_gives_no_score():
    assert score("x = 1", "") == score("", "") == 0


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        # Precisions 1 and 1 of the two orders that there are; shorter by a third.
        ("a b", "a b c", 100 * math.exp(1 - 3 / 2)),
        # 1/2 of the words, and none of one pair: half a match by exponential smoothing.
        ("a x", "a b", 50),
        # Matches count no oftener than in the reference: 1/2, and again half of one pair.
        ("a a", "a b", 50),
        # 4/5, 2/4, 1/3 and half of 1/2.
        ("a b c x d", "a b c y d", 100 * (4 / 5 * 2 / 4 * 1 / 3 * 1 / 4) ** (1 / 4)),
    ],
)
def test_scores_are_those_of_bleu_by_hand(text, reference, expected):
    assert score(text, reference) == pytest.approx(expected)


def test_spaces_and_line_breaks_do_not_count_but_names_are_whole():
    tight = "if n<=1: return n\nreturn fib_two(n-1)+fib_two(n-2)*1.5"
    assert score(tight) == 100
    assert score("fibtwo", "fib_two") == score("fib", "fib_two") == 0


def test_each_sample_is_scored_against_the_reference_of_its_problem():
    texts = ["a b c d", "e f g h", "a b c d"]
    assert score_samples(texts, np.array([1, 1, 0]), ["a b c d", "e f g h"]).tolist() == [
        0,
        100,
        100,
    ]


def test_no_samples_have_no_scores():
    assert score_samples([], np.zeros(0, np.int64), []).tolist() == []


def test_separate_distributions_have_nothing_in_common():
    assert measure_one(right=[95.0, 85.0], wrong=[15.0, 5.0, 18.0]) == Overlap(
        0, (0,) * 8 + (1, 1), (1, 2) + (0,) * 8, 0.0, 0.0
    )


def test_equal_distributions_have_all_in_common():
    found = measure_one(right=[15.0, 25.0, 35.0] * 2, wrong=[15.0, 25.0, 35.0])
    assert found.shared == 1
    # Of nine pairs three have the higher wrong one, and three are equal.
    assert found.at_least == pytest.approx(6 / 9)


def test_wrong_samples_that_are_closer_to_the_reference_are_found():
    found = measure_one(right=[5.0], wrong=[95.0, 96.0])
    assert (found.at_least, found.shared) == (1, 0)


def test_distributions_may_overlap_in_part():
    found = measure_one(right=[55.0, 75.0, 76.0, 95.0], wrong=[35.0, 78.0])
    # In the bin from 70 on, half of both; 78 is at least 55, 75 and 76 of the four.
    assert (found.at_least, found.shared) == (3 / 8, 1 / 2)


def test_a_score_on_an_edge_is_in_the_bin_above_and_the_highest_in_the_last():
    found = measure_one(right=[0.0, 10.0, 100.0], wrong=[9.999, 90.0])
    assert found.right == (1, 1, 0, 0, 0, 0, 0, 0, 0, 1)
    assert found.wrong == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(("right", "wrong"), [([50.0], []), ([], [50.0])])
def test_a_problem_with_right_or_wrong_samples_alone_has_no_overlap(right, wrong):
    found = measure_one(right, wrong)
    assert (found.at_least, found.shared) == (None, None)
    assert (sum(found.right), sum(found.wrong)) == (len(right), len(wrong))


@thorough
@given(SAMPLES)
def test_overlaps_are_those_of_counting_pairs_and_bins(samples):
    found = measure(samples)
    assert [own.problem for own in found] == sorted({s[0] for s in samples})
    for own in found:
        right, wrong = ([s[2] for s in samples if s[:2] == (own.problem, v)] for v in (True, False))
        bins = [[min(int(each // 10), BINS - 1) for each in scores] for scores in (right, wrong)]
        assert own.right == tuple(bins[0].count(number) for number in range(BINS))
        assert own.wrong == tuple(bins[1].count(number) for number in range(BINS))
        if right and wrong:
            pairs = [w >= r for r in right for w in wrong]
            assert own.at_least == pytest.approx(sum(pairs) / len(pairs))
            both = zip(own.right, own.wrong, strict=True)
            shared = sum(min(r / len(right), w / len(wrong)) for r, w in both)
            assert own.shared == pytest.approx(shared)


def test_bleu_of_real_programs_does_not_tell_right_from_wrong():
    reference = "total = 0\nfor value in values:\n    total += value\nreturn total"
    right = ["return sum(values)", reference.replace("total", "result")]
    # One character from the reference, and neither is right.
    wrong = [reference.replace("+=", "-="), reference.replace("= 0", "= 1")]
    texts = right + wrong
    scores = score_samples(texts, np.zeros(4, np.int64), [reference])
    (found,) = measure_overlaps(np.zeros(4, np.int64), np.arange(4) < 2, scores)
    assert found.at_least == 1

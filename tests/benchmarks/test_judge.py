"""The judge of deduplication counts what is wrong, and only that."""

import numpy as np
import pytest

from benchmarks.judge import Judge
from benchmarks.truth import Pairs

# Documents 0 and 1 are copies; contents 0 and 1 are similar, and 1 and 2; 3 is like none.
JUDGE = Judge(
    content=np.array([0, 0, 1, 2, 3]),
    pairs=Pairs(np.array([0, 1]), np.array([1, 2]), np.array([0.8, 0.7])),
)


def test_dropping_nothing_is_precise_and_resolves_nothing():
    verdict = JUDGE.judge([])
    assert (verdict.dropped, verdict.precision, verdict.recall) == (0, 1.0, 0.0)


def test_a_copy_of_a_kept_document_is_dropped_rightly_and_resolves_no_pair():
    verdict = JUDGE.judge([1])
    assert (verdict.dropped, verdict.precision, verdict.recall) == (1, 1.0, 0.0)


def test_a_document_between_two_kept_ones_resolves_both_pairs():
    verdict = JUDGE.judge([2])
    assert (verdict.precision, verdict.precision_of_contents, verdict.recall) == (1, 1, 1)


def test_a_document_that_is_like_none_is_dropped_wrongly():
    assert JUDGE.judge([4]).precision == 0


def test_a_chain_without_its_link_is_dropped_wrongly():
    verdict = JUDGE.judge([0, 1, 2])
    assert verdict.precision == pytest.approx(1 / 3)
    assert verdict.precision_of_contents == pytest.approx(1 / 2)
    assert verdict.recall == 1


def test_a_whole_cluster_without_a_kept_one_is_dropped_wrongly():
    assert JUDGE.judge([0, 1, 2, 3]).precision == 0

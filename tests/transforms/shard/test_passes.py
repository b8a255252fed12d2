import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.shards import Split
from tests.transforms.builders import thorough
from tests.transforms.shard.sections import documents_of, measures_of
from transforms.shard.choices import Choices
from transforms.shard.measures import Mixture
from transforms.shard.mixture import count_copies, keep_copies
from transforms.shard.passes import Pass, copies_of_pass, list_passes, pack_copies
from transforms.shard.plan import Packing

METHODS = st.sampled_from(["concatenate", "best_fit"])
DOCUMENTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=12)
"""Lengths and copies."""


def packing_of(method, context_length=8):
    return Packing(context_length, 3, seed=5, end_of_text=0, method=method)


@thorough
@given(DOCUMENTS, METHODS)
def test_a_pass_has_each_copy_of_each_document_whole(documents, method):
    lengths, copies = np.array(documents, np.int64).reshape(-1, 2).T
    packed = pack_copies(lengths, copies, packing_of(method))
    found = [
        (document, offset + place)
        for document, offset, length in zip(*map(np.ndarray.tolist, packed[1:]), strict=True)
        for place in range(length)
    ]
    assert sorted(found) == sorted(
        (document, place)
        for document, (length, count) in enumerate(documents)
        for place in range(length + 1)
        for _ in range(count)
    )


def test_a_second_copy_comes_behind_all_first_ones():
    packed = pack_copies(np.array([1, 2, 3]), np.array([2, 1, 2]), packing_of("concatenate", 100))
    assert packed.document.tolist() == [0, 1, 2, 0, 2]


def test_epochs_of_training_come_before_validation_and_have_seeds_of_their_own():
    passes = list_passes(2)
    assert passes == [(Split.TRAIN, 0), (Split.TRAIN, 1), (Split.VALIDATION, 0)]
    seeds = [each.seed(7) for each in passes]
    assert seeds == [7, 7 + 0x9E3779B97F4A7C15, 7]


def test_documents_are_copied_by_weight_group_and_limit():
    measures = measures_of(
        key=range(60),
        length=[9] * 60,
        weight=[1.5] * 60,
        group=[0, 1, -1] * 20,
        repository_hash=[5] * 30 + [6] * 30,
    )
    documents = documents_of(measures)
    mixture = Mixture(epochs=2)
    choices = Choices((2.0, 0.5), (10_000, 100))
    weights = np.array([3.0, 0.75, 0.0] * 20)
    keys = np.arange(60, dtype=np.uint64)
    for epoch, limit in enumerate(choices.limits):
        expected = count_copies(weights, keys, epoch, 2, seed=3)
        arrays = (np.full(60, 10), np.repeat([0, 1], 30), keys)
        kept = keep_copies(expected, *arrays, limit, 3 + epoch)
        found = copies_of_pass(documents, Pass(Split.TRAIN, epoch), mixture, choices, 3)
        assert found.tolist() == kept.tolist()
        assert (found < expected).any() == (limit == 100)
    once = copies_of_pass(documents, Pass(Split.VALIDATION, 0), mixture, choices, 3)
    assert once.tolist() == [1] * 60

import numpy as np
import pytest

from transforms.deduplicate.slices import NOTHING, cut_slices, read_slices
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace


@pytest.fixture
def arrays(tmp_path):
    return StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path)))


def test_each_receiver_that_has_rows_is_named_with_its_slice():
    assert list(cut_slices("a", np.array([0, 2, 2, 5]))) == [(0, ("a", 0, 2)), (2, ("a", 2, 5))]


def test_slices_are_read_by_name_in_whatever_order_they_arrive(arrays):
    arrays.save("a.npy", np.arange(5))
    arrays.save("b.npy", np.arange(10, 15))
    slices = [("b.npy", 1, 3), NOTHING, ("a.npy", 4, 5), ("a.npy", 0, 2), ("c.npy", 3, 3)]
    for arriving in (slices, slices[::-1]):
        found = [each.tolist() for each in read_slices(arrays, arriving)]
        assert found == [[0, 1], [4], [11, 12]]

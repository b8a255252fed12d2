import numpy as np

from transforms.deduplicate.batches import number_groups
from transforms.deduplicate.greedy import NO_GROUP


def test_documents_of_one_group_have_the_number_of_its_first():
    places = np.array([2, 5, 7, 9, 11], dtype=np.uint32)
    firsts = np.array([2, 5, 5, 9, 5], dtype=np.uint32)
    assert number_groups(places, firsts).tolist() == [NO_GROUP, 1, 1, NO_GROUP, 1]


def test_no_documents_have_no_groups():
    nobody = np.zeros(0, dtype=np.uint32)
    assert number_groups(nobody, nobody).size == 0

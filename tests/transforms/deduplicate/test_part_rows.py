import numpy as np
import pytest

from tests.transforms.deduplicate.test_ranking import rank, row
from transforms.deduplicate.part_rows import gather_rows, row_file
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace


@pytest.mark.parametrize("width", [(), (2,)])
def test_numbers_of_documents_are_found_by_their_places(tmp_path, width):
    parts = [[row("a", 1, files=2), row("b", 7, files=1)], [], [row("c", 5, files=3)]]
    order = rank(parts)
    arrays = StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path)))
    by_place = np.arange(100, 100 + 6 * int(np.prod(width)), dtype=np.uint32).reshape(6, *width)
    for part in (0, 2):
        arrays.save(row_file("numbers", part), by_place[order.places(part)])
    for places in ([0], [0, 1, 2, 3, 4, 5], [5, 1, 3]):
        found = gather_rows(arrays, "numbers", order, np.array(places, dtype=np.uint32))
        assert found.dtype == np.uint32
        assert found.tolist() == by_place[places].tolist()

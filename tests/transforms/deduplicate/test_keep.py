from tests.transforms.deduplicate.test_ranking import rank, row
from transforms.deduplicate.keep import KeepOrder
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace


def test_an_order_is_read_as_it_was_written(tmp_path):
    order = rank([[row("a", 1, files=2), row("b", 2, files=3)]])
    arrays = StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path)))
    order.save(arrays)
    again = KeepOrder.load(arrays)
    assert (again.documents, again.parts) == (5, 1)
    assert again.places(0).tolist() == order.places(0).tolist() == [3, 4, 0, 1, 2]
    assert again.repositories(again.places(0)).tolist() == [1, 1, 0, 0, 0]

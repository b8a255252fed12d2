import threading

import numpy as np
import pytest

from transforms.deduplicate.keep import KeepOrder
from transforms.deduplicate.staging import StagedArrays, reading_headers
from transforms.parts import Workspace

ORDER = KeepOrder(*(np.arange(3) for _ in range(4)))


@pytest.fixture
def arrays(tmp_path):
    arrays = StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path)))
    arrays.save("a.npy", np.arange(5))
    with arrays.writing("order.npz") as file:
        ORDER.save(file)
    return arrays


def test_an_array_comes_back_whole_and_as_a_map(arrays):
    assert arrays.load("a.npy").tolist() == [0, 1, 2, 3, 4]
    found = arrays.map("a.npy")
    assert isinstance(found, np.memmap)
    assert found.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "read",
    [
        lambda arrays: arrays.load("a.npy"),
        lambda arrays: arrays.map("a.npy"),
        lambda arrays: KeepOrder.load(arrays.path("order.npz")),
    ],
)
def test_headers_are_read_by_one_thread_at_a_time(arrays, read):
    done = threading.Event()

    def work():
        read(arrays)
        done.set()

    with reading_headers:
        thread = threading.Thread(target=work)
        thread.start()
        assert not done.wait(0.2)
    thread.join(60)
    assert done.is_set()

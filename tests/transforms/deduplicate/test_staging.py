import threading
from contextlib import suppress

import numpy as np
import pytest

from transforms.deduplicate.staging import (
    ScratchArrays,
    StagedArrays,
    map_scratch,
    reading_headers,
)
from transforms.parts import Workspace


@pytest.fixture
def arrays(tmp_path):
    arrays = StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path)))
    arrays.save("a.npy", np.arange(5))
    return arrays


def test_an_array_comes_back_whole_and_as_a_map(arrays):
    assert arrays.load("a.npy").tolist() == [0, 1, 2, 3, 4]
    found = arrays.map("a.npy")
    assert isinstance(found, np.memmap)
    assert found.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.uint64),
        np.arange(24, dtype=np.uint32).reshape(8, 3),
        np.array([(1, 2.5)] * 8, np.dtype([("a", np.uint32), ("b", np.float32)])),
    ],
)
@pytest.mark.parametrize(("start", "stop"), [(0, 8), (2, 5), (3, 3), (7, 8)])
def test_a_slice_is_what_stands_there(arrays, array, start, stop):
    arrays.save("b.npy", array)
    found = arrays.read_slice("b.npy", start, stop)
    assert found.dtype == array.dtype
    assert found.tolist() == array[start:stop].tolist()


def test_a_slice_behind_the_end_is_refused(arrays):
    with pytest.raises(EOFError, match=r"a\.npy has 5 rows, asked for 3 to 6"):
        arrays.read_slice("a.npy", 3, 6)


@pytest.mark.parametrize(
    "read",
    [
        lambda arrays: arrays.load("a.npy"),
        lambda arrays: arrays.map("a.npy"),
        lambda arrays: arrays.read_slice("a.npy", 0, 1),
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


@pytest.mark.parametrize("pieces", [[], [[]], [[1, 2], [], [3]]])
def test_an_array_that_is_written_in_pieces_is_one(arrays, pieces):
    whole = [value for piece in pieces for value in piece]
    arrays.save_pieces("b.npy", np.uint32, len(whole), map(np.array, pieces))
    assert arrays.load("b.npy").dtype == np.uint32
    assert arrays.load("b.npy").tolist() == whole
    arrays.save("c.npy", np.array(whole, np.uint32))
    assert arrays.path("b.npy").read_bytes() == arrays.path("c.npy").read_bytes()


def test_pieces_of_another_size_are_no_array(arrays):
    with pytest.raises(ValueError, match=r"b\.npy was to have 3 rows, got 2"):
        arrays.save_pieces("b.npy", np.uint32, 3, [np.arange(2)])
    assert not arrays.path("b.npy").exists()


def test_scratch_files_are_gone_whatever_happens(arrays):
    before = sorted(arrays.path("").iterdir())
    for error in ("", "failed"):
        with suppress(KeyError), arrays.scratch() as folder:
            array = map_scratch(folder / "a", np.int64, 3)
            array[:] = 7
            assert np.fromfile(folder / "a", np.int64).tolist() == [7, 7, 7]
            if error:
                raise KeyError(error)
        assert sorted(arrays.path("").iterdir()) == before


def test_a_scratch_array_of_nothing_needs_no_file(tmp_path):
    assert map_scratch(tmp_path / "a", np.int64, 0).tolist() == []
    assert not (tmp_path / "a").exists()


def test_large_arrays_are_files_and_small_ones_are_not(tmp_path):
    scratch = ScratchArrays(tmp_path, 16)
    small, large, other = (scratch.zeros(size, np.uint64) for size in (2, 3, 4))
    assert [each.tolist() for each in (small, large, other)] == [[0] * 2, [0] * 3, [0] * 4]
    assert sorted(path.stat().st_size for path in tmp_path.iterdir()) == [24, 32]

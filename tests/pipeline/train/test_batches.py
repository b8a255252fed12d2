import itertools
import multiprocessing
import os
import pickle
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.train import Batches, ShardsError
from pipeline.train.order import permute
from schemas.manifest import FILE_NAME, Manifest
from schemas.shards import Split
from tests.pipeline.train.shard_folders import (
    CONTEXT,
    numbers,
    row_of,
    send_steps,
    write_folder,
    write_manifest,
)
from tests.transforms.builders import brief

ROWS = 13


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """A folder of thirteen training rows in four shards, one of them empty."""
    return write_folder(tmp_path_factory.mktemp("run") / "shards", [5, 0, 7, 1])


def take(batches, count, step=0):
    return list(itertools.islice(batches.from_step(step), count))


def change_entry(folder, name, **changes):
    files = Manifest.from_json((folder / FILE_NAME).read_text()).files
    write_manifest(folder, [replace(e, **changes) if e.name == name else e for e in files])


def test_a_batch_has_the_sequences_as_they_are_in_the_shards(shards):
    for batch in take(Batches(shards, "train", 4, seed=1), 10):
        expected = [row_of(number) for number in batch.rows.tolist()]
        assert batch.input_ids.tolist() == [row["input_ids"] for row in expected]
        assert batch.lengths.tolist() == [row["length"] for row in expected]
        assert (batch.input_ids.dtype, batch.lengths.dtype) == (np.uint16, np.int32)


def test_arrays_of_a_batch_are_the_callers_own(shards):
    batches = Batches(shards, "train", 4, seed=1)
    first = batches[0]
    before = numbers(first), first.lengths.tolist(), first.rows.tolist()
    for array in (first.input_ids, first.lengths, first.rows):
        array[...] = 77
    again = batches[0]
    assert (numbers(again), again.lengths.tolist(), again.rows.tolist()) == before


def test_epochs_follow_each_other_without_a_gap_and_have_every_row_once(shards):
    batches = Batches(shards, "train", 4, seed=3)
    seen = [number for batch in take(batches, ROWS) for number in numbers(batch)]
    epochs = [seen[first : first + ROWS] for first in range(0, len(seen), ROWS)]
    assert all(sorted(epoch) == list(range(ROWS)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert seen == permute(np.arange(4 * ROWS), ROWS, 3).tolist()


def test_a_batch_may_be_larger_than_an_epoch(shards):
    (batch,) = take(Batches(shards, "train", 2 * ROWS, seed=3), 1)
    assert sorted(numbers(batch)) == sorted([*range(ROWS)] * 2)


@pytest.mark.parametrize("ranks", [2, 3, 4, 6, 12])
def test_ranks_share_the_batch_that_one_would_take(shards, ranks):
    whole = Batches(shards, "train", 12, seed=9)
    slices = [Batches(shards, "train", 12, seed=9, rank=r, ranks=ranks) for r in range(ranks)]
    for step in (0, 1, 5, 10**9):
        parts = [batches[step] for batches in slices]
        assert {len(part.rows) for part in parts} == {12 // ranks}
        assert [n for part in parts for n in numbers(part)] == numbers(whole[step])


@brief
@given(st.integers(0, 10**15), st.integers(1, 30), st.integers())
def test_any_step_is_as_in_an_uninterrupted_job(shards, step, batch_size, seed):
    batches = Batches(shards, "train", batch_size, seed)
    expected = permute(np.arange(step * batch_size, (step + 3) * batch_size), ROWS, seed)
    resumed = take(Batches(shards, "train", batch_size, seed), 3, step)
    assert [n for batch in resumed for n in numbers(batch)] == expected.tolist()
    assert [numbers(batches[s]) for s in (step + 2, step)] == [
        numbers(resumed[2]),
        numbers(resumed[0]),
    ]


@pytest.mark.parametrize("places", [1, 5, 8, 9, 40])
def test_the_order_does_not_depend_on_how_much_of_it_is_computed_at_once(
    shards, monkeypatch, places
):
    expected = [numbers(batch) for batch in take(Batches(shards, "train", 4, seed=1), 20)]
    monkeypatch.setattr("pipeline.train.batches._PLACES_PER_BLOCK", places)
    batches = Batches(shards, "train", 4, seed=1)
    assert [numbers(batch) for batch in take(batches, 20)] == expected
    assert [numbers(batches[step]) for step in (19, 0, 7)] == [expected[s] for s in (19, 0, 7)]


@pytest.mark.parametrize("rows_per_batch", [1, 2, 4, 100])
def test_the_order_does_not_depend_on_record_batches_or_shards(tmp_path, shards, rows_per_batch):
    other = write_folder(tmp_path / "shards", [1, 12], rows_per_batch=rows_per_batch)
    found = take(Batches(other, "train", 4, seed=1), 10)
    expected = take(Batches(shards, "train", 4, seed=1), 10)
    assert [numbers(batch) for batch in found] == [numbers(batch) for batch in expected]


def test_iterates_from_the_first_step_on_without_end(shards):
    batches = Batches(shards, "train", 4, seed=1)
    found = [numbers(batch) for batch in itertools.islice(batches, 30)]
    assert found == [numbers(batches[step]) for step in range(30)]


def test_reads_rows_by_their_numbers(shards):
    batches = Batches(shards, "train", 4, seed=1)
    assert (batches.rows, batches.context_length) == (ROWS, CONTEXT)
    assert numbers(batches.read(np.arange(ROWS))) == list(range(ROWS))
    assert batches.read(np.zeros(0, np.int64)).input_ids.shape == (0, CONTEXT)


def test_says_where_documents_begin(shards):
    batches = Batches(shards, "train", 4, seed=1)
    for batch in take(batches, 5):
        found = batches.document_starts(batch.rows)
        assert (found.starts.dtype, found.offsets.dtype) == (np.int32, np.int64)
        parts = np.split(found.starts, found.offsets[1:-1])
        expected = [row_of(number)["document_starts"] for number in batch.rows.tolist()]
        assert [part.tolist() for part in parts] == expected
    assert batches.document_starts(np.zeros(0, np.int64)).offsets.tolist() == [0]


def test_ids_of_large_vocabularies_stay_as_they_are(tmp_path):
    folder = write_folder(tmp_path / "shards", [3], first=100_000, token=pa.uint32())
    batch = Batches(folder, "train", 3, seed=1)[0]
    assert batch.input_ids.dtype == np.uint32
    assert sorted(numbers(batch)) == [100_000, 100_001, 100_002]


def test_folders_are_one_after_another(tmp_path):
    first = write_folder(tmp_path / "a", [3, 2])
    second = write_folder(tmp_path / "b", [4], first=5)
    whole = write_folder(tmp_path / "c", [9])
    both = take(Batches([first, str(second)], "train", 4, seed=1), 9)
    expected = take(Batches(str(whole), "train", 4, seed=1), 9)
    assert [numbers(batch) for batch in both] == [numbers(batch) for batch in expected]


def test_a_split_has_its_own_shards_and_other_files_do_not_matter(tmp_path):
    folder = write_folder(tmp_path, [3])
    entries = Manifest.from_json((folder / FILE_NAME).read_text()).files
    write_folder(tmp_path, [2], split=Split.VALIDATION, first=7)
    more = Manifest.from_json((folder / FILE_NAME).read_text()).files[1:]
    other = [replace(more[0], name=n) for n in ("train-00000-of-00001.bin", "mds/train-1.arrow")]
    write_manifest(folder, [*entries, *more, *other])
    assert Batches(folder, "train", 1, seed=1).rows == 3
    assert sorted(numbers(Batches(folder, "validation", 2, seed=1)[0])) == [7, 8]


def test_shards_are_opened_when_they_are_read_and_leave_no_file_open(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "shards", [2] * 20)
    opened = []
    memory_map = pa.memory_map
    monkeypatch.setattr(pa, "memory_map", lambda path: opened.append(path) or memory_map(path))
    before = os.listdir("/proc/self/fd") if sys.platform == "linux" else []
    batches = Batches(folder, "train", 1, seed=1)
    assert len(opened) == 1
    expected = [batches.read(np.array([row])) for row in (3, 2, 39, 3)]
    assert [numbers(batch) for batch in expected] == [[3], [2], [39], [3]]
    assert len(opened) == 3
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_pickled_loader_goes_on_alike_and_takes_no_data_along(shards):
    batches = Batches(shards, "train", 4, seed=1)
    fresh = len(pickle.dumps(batches))
    expected = [numbers(batches[step]) for step in range(10)]
    pickled = pickle.dumps(batches)
    assert len(pickled) == fresh
    copy = pickle.loads(pickled)
    assert [numbers(copy[step]) for step in range(10)] == expected
    assert [numbers(batches[step]) for step in range(10)] == expected


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_worker_processes_read_the_same(shards, method):
    batches = Batches(shards, "train", 4, seed=1)
    expected = [numbers(batches[step]) for step in range(6)]
    context = multiprocessing.get_context(method)
    found = {}
    for worker in range(2):
        steps, queue = range(worker, 6, 2), context.SimpleQueue()
        process = context.Process(target=send_steps, args=(batches, steps, queue))
        process.start()
        found |= zip(steps, queue.get(), strict=True)
        process.join()
    assert [found[step] for step in range(6)] == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"batch_size": 10, "ranks": 4},
            "batch_size must be a multiple of ranks, got 10 for 4 ranks",
        ),
        ({"batch_size": 0}, "batch_size must be a multiple of ranks, got 0 for 1 ranks"),
        ({"ranks": 0}, "batch_size must be a multiple of ranks, got 4 for 0 ranks"),
        ({"ranks": 2, "rank": 2}, r"rank must be in \[0, 2\), got 2"),
        ({"rank": -1}, r"rank must be in \[0, 1\), got -1"),
        ({"split": "test"}, "one of train, validation, got .* and 'test'"),
        ({"shards": []}, r"name folders of shards and one of .*, got \[\]"),
    ],
)
def test_refuses_settings_that_do_not_fit(shards, changes, message):
    settings = {"shards": shards, "split": "train", "batch_size": 4, "seed": 1} | changes
    with pytest.raises(ValueError, match=message):
        Batches(**settings)


def test_refuses_steps_and_rows_that_there_are_not(shards):
    batches = Batches(shards, "train", 4, seed=1)
    with pytest.raises(IndexError, match="step must be at least 0, got -1"):
        batches[-1]
    for row in (-1, ROWS):
        with pytest.raises(IndexError, match=r"rows must be in \[0, 13\), got"):
            batches.read(np.array([0, row]))


def test_says_that_a_folder_is_no_finished_table(tmp_path):
    with pytest.raises(ShardsError, match=r"manifest.json cannot be read: No such file.*name the"):
        Batches(tmp_path, "train", 4, seed=1)
    (tmp_path / FILE_NAME).write_text("{}")
    with pytest.raises(ShardsError, match=r"manifest.json is damaged: not a manifest"):
        Batches(tmp_path, "train", 4, seed=1)


@pytest.mark.parametrize("counts", [[], [0, 0]])
def test_says_that_a_split_has_no_rows(tmp_path, counts):
    folder = write_folder(tmp_path / "shards", counts, split=Split.VALIDATION)
    for split in Split:
        with pytest.raises(ShardsError, match=f"there are no rows of the split {split} in "):
            Batches(folder, split, 4, seed=1)


def test_says_at_once_that_a_shard_is_missing_or_truncated(tmp_path):
    folder = write_folder(tmp_path / "shards", [3, 3])
    path = folder / "train-00001-of-00002.arrow"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShardsError, match=r"00001-of-00002.arrow has [\d,]+ bytes, its manifest"):
        Batches(folder, "train", 4, seed=1)
    path.unlink()
    with pytest.raises(ShardsError, match=r"00001-of-00002.arrow cannot be read: No such file"):
        Batches(folder, "train", 4, seed=1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"\0" * len(data), "cannot be read: "),
        (lambda data: data.replace(b"input_ids", b"output_id"), "cannot be read: .*input_ids"),
    ],
)
def test_says_that_a_shard_is_damaged_when_it_is_first_read(tmp_path, damage, message):
    folder = write_folder(tmp_path / "shards", [3, 3])
    path = folder / "train-00001-of-00002.arrow"
    path.write_bytes(damage(path.read_bytes()))
    batches = Batches(folder, "train", 4, seed=1)
    with pytest.raises(ShardsError, match=f"00001-of-00002.arrow {message}.*`repomill verify "):
        batches.read(np.arange(6))


def test_says_that_a_shard_has_other_rows_than_its_manifest(tmp_path):
    folder = write_folder(tmp_path / "shards", [3])
    change_entry(folder, "train-00000-of-00001.arrow", rows=4)
    with pytest.raises(ShardsError, match="has 3 rows, its manifest says 4"):
        Batches(folder, "train", 4, seed=1)


def test_a_check_finds_a_flipped_bit_and_says_in_which_file(tmp_path):
    folder = write_folder(tmp_path / "run" / "shards", [3, 3])
    name = "train-00001-of-00002.arrow"
    data = bytearray((folder / name).read_bytes())
    ids = np.array([row_of(n)["input_ids"] for n in (3, 4, 5)], dtype=np.uint16).tobytes()
    data[data.index(ids)] ^= 1
    (folder / name).write_bytes(data)
    assert numbers(Batches(folder, "train", 4, seed=1).read(np.array([3]))) == [2]
    checked = Batches(folder, "train", 4, seed=1, check=True)
    assert numbers(checked.read(np.array([2]))) == [2]
    with pytest.raises(ShardsError) as caught:
        checked.read(np.array([3]))
    assert str(caught.value) == (
        f"{folder / name} has other content than its manifest says; "
        f"`repomill verify {folder.parent}` names all damaged files"
    )


def test_refuses_folders_that_do_not_go_together(tmp_path):
    first = write_folder(tmp_path / "a", [3])
    other = write_folder(tmp_path / "b", [3], tokenizer=b"[]")
    with pytest.raises(ShardsError, match=r"a, .*b were made by different tokenizers"):
        Batches([first, other], "train", 4, seed=1)
    wide = write_folder(tmp_path / "c", [3], token=pa.uint32())
    with pytest.raises(ShardsError, match=r"has sequences of 4 uint32, .* of 4 uint16; name runs"):
        Batches([first, wide], "train", 4, seed=1)


def test_the_batches_of_a_job_never_change(shards):
    # A job that is resumed by a newer version must go on with the rows that it has not seen
    # yet, and whoever repeats a published training run must get its batches.
    found = [batch.rows.tolist() for batch in take(Batches(shards, "train", 6, seed=7), 4)]
    assert found == [
        [5, 7, 9, 6, 12, 0],
        [4, 8, 2, 3, 11, 1],
        [10, 10, 7, 9, 4, 6],
        [5, 1, 2, 3, 8, 11],
    ]

import datasets
import pyarrow as pa
import pytest

from schemas import shards
from transforms.parts import PartWriter
from transforms.shard.dataset_files import dataset_files

SCHEMA = shards.schema(pa.uint16(), 4)


def write_shards(folder, names):
    """Shards of two rows each that tell their number, and the files beside them."""
    for files in names.values():
        for number, name in enumerate(files):
            rows = [
                {
                    "input_ids": [number, row, 65535, 0],
                    "length": 3,
                    "document_starts": [0],
                    "documents": [2**64 - 1],
                    "offsets": [row],
                }
                for row in range(2)
            ]
            with PartWriter(folder / name, SCHEMA) as writer:
                writer.write(pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
    for name, data in dataset_files(names, "0123456789abcdef" * 4):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


@pytest.mark.parametrize("splits", [["train", "validation"], ["train"]])
def test_datasets_loads_the_folder_as_it_is_on_the_disk(tmp_path, splits):
    names = {split: [f"{split}-0000{n}-of-00002.arrow" for n in range(2)] for split in splits}
    write_shards(tmp_path, names)
    before = pa.total_allocated_bytes()
    found = datasets.load_from_disk(str(tmp_path))
    assert list(found) == splits
    for split in splits:
        ids = found[split]["input_ids"][:]
        assert ids == [[0, 0, 65535, 0], [0, 1, 65535, 0], [1, 0, 65535, 0], [1, 1, 65535, 0]]
        assert found[split]["documents"][0] == [2**64 - 1]
        assert found[split].split == split
    assert pa.total_allocated_bytes() - before < 1 << 16


def test_caches_of_the_library_follow_the_content(tmp_path):
    names = {"train": ["train-00000-of-00001.arrow"]}
    one, other = (dict(dataset_files(names, digit * 64)) for digit in "ab")
    assert one["train/state.json"] != other["train/state.json"]


def test_a_run_without_shards_is_a_data_set_without_splits(tmp_path):
    write_shards(tmp_path, {})
    assert dict(datasets.load_from_disk(str(tmp_path))) == {}

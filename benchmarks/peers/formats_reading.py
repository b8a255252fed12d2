"""Reading shards and their other formats by the libraries that the formats are for.

Called with the name of a library and the folder that `benchmarks.token_shards` made. All
tokens are compared with those of the Arrow shards, read by pyarrow; what is not equal
raises. Nothing of repomill is imported.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa


def read_shards(run: Path) -> dict[Path, pa.Table]:
    """The training shards, in order."""
    tables = {}
    for path in sorted((run / "shards").glob("train-*.arrow")):
        with pa.memory_map(str(path)) as source:
            tables[path] = pa.ipc.open_stream(source).read_all()
    return tables


def rows_of(tables: Iterable[pa.Table]) -> Iterator[tuple[np.ndarray, int, list[int]]]:
    """Ids, length and document starts of each row."""
    for table in tables:
        for batch in table.to_batches():
            width = batch["input_ids"].type.list_size
            ids = batch["input_ids"].values.to_numpy().reshape(-1, width)
            columns = (batch[name].to_pylist() for name in ("length", "document_starts"))
            yield from zip(ids, *columns, strict=True)


def require(equal: bool, what: str) -> None:
    """Raises if something is not equal."""
    if not equal:
        raise SystemExit(f"{what} differs from the Arrow shards")


def compare_datasets(run: Path) -> Iterator[tuple[str, int]]:
    """``datasets``: from the folder, from its files, and as a stream."""
    import datasets

    tables = read_shards(run)
    files = [str(path) for path in tables]
    expected = pa.concat_tables(tables.values())
    whole = datasets.load_from_disk(str(run / "shards"))["train"]
    ways = {
        "load_from_disk": whole,
        "Dataset.from_file": datasets.concatenate_datasets(
            [datasets.Dataset.from_file(file) for file in files]
        ),
        'load_dataset("arrow")': datasets.load_dataset("arrow", data_files=files, split="train"),
    }
    for name, dataset in ways.items():
        found = dataset.with_format("arrow")[:]
        for column in ("input_ids", "length", "document_starts", "documents", "offsets"):
            same = found[column].cast(expected[column].type) == expected[column]
            require(same, f"{column} of {name}")
        yield name, found.num_rows * found["input_ids"].type.list_size
    stream = datasets.load_dataset("arrow", data_files=files, split="train", streaming=True)
    tokens = 0
    rows = rows_of(tables.values())
    for example, (ids, length, _) in zip(stream.with_format("numpy"), rows, strict=True):
        require(np.array_equal(example["input_ids"], ids), "a row of the stream")
        require(int(example["length"]) == length, "a length of the stream")
        tokens += ids.size
    yield 'load_dataset("arrow", streaming=True)', tokens


def compare_megatron(run: Path) -> Iterator[tuple[str, int]]:
    """Megatron's indexed datasets, sequence by sequence, and the map that nanoGPT makes."""
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    tokens = 0
    for path, table in read_shards(run).items():
        indexed = IndexedDataset(str(run / "megatron" / path.stem))
        number = 0
        flat = []
        for ids, length, starts in rows_of([table]):
            for begin, end in zip(starts, [*starts[1:], length], strict=True):
                require(np.array_equal(indexed[number], ids[begin:end]), "a sequence")
                number += 1
            flat.append(ids[:length])
        require(len(indexed) == number, "the number of sequences")
        require(np.array_equal(indexed.document_indices, np.arange(number + 1)), "a document")
        mapped = np.memmap(run / "megatron" / f"{path.stem}.bin", dtype=ids.dtype, mode="r")
        require(np.array_equal(mapped, np.concatenate(flat)), "the file of tokens")
        tokens += mapped.size
    yield "IndexedDataset", tokens
    yield "np.memmap, as nanoGPT maps it", tokens


def compare_mosaicml(run: Path) -> Iterator[tuple[str, int]]:
    """MosaicML's dataset in order, and its writer, whose files are equal byte for byte."""
    from streaming import MDSWriter, StreamingDataset

    dataset = StreamingDataset(local=str(run / "mds"), shuffle=False, batch_size=1)
    tables = read_shards(run)
    tokens = 0
    columns: dict[str, str] = {}
    for number, (ids, length, _) in enumerate(rows_of(tables.values())):
        sample = dataset[number]
        require(np.array_equal(sample["input_ids"], ids), "a sample")
        require(sample["input_ids"].dtype == ids.dtype, "the type of ids")
        require(sample["length"] == length, "a length")
        columns = {"input_ids": f"ndarray:{ids.dtype}:{ids.size}", "length": "int32"}
        tokens += ids.size
    require(len(dataset) == number + 1, "the number of samples")
    yield "StreamingDataset", tokens
    for shard, table in enumerate(tables.values()):
        written = run / "written" / str(shard)
        with MDSWriter(out=str(written), columns=columns, size_limit=None) as writer:
            for ids, length, _ in rows_of([table]):
                writer.write({"input_ids": ids, "length": length})
        ours = run / "mds" / f"shard.{shard:05d}.mds"
        require((written / "shard.00000.mds").read_bytes() == ours.read_bytes(), f"shard {shard}")
    yield "MDSWriter writes the same files", tokens


LIBRARIES: dict[str, tuple[str, Callable[[Path], Iterator[tuple[str, int]]]]] = {
    "datasets": ("datasets", compare_datasets),
    "megatron": ("megatron-core", compare_megatron),
    "mosaicml": ("mosaicml-streaming", compare_mosaicml),
}


if __name__ == "__main__":
    package, compare = LIBRARIES[sys.argv[1]]
    ways = dict(compare(Path(sys.argv[2])))
    print(json.dumps({"library": f"{package} {version(package)}", "ways": ways}))

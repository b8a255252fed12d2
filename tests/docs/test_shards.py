"""What docs/shards.md specifies is what a run writes: a reader made from the page alone."""

import re
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.train import Batches
from schemas import shards as table
from schemas import tables
from tests.pipeline.conftest import write_configuration, write_projects
from tests.pipeline.runs import run_configuration
from transforms.parts import map_stream

PAGE = Path(__file__).parents[2] / "docs" / "shards.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_projects(folder / "projects")
    formats = ["megatron", "mds"]
    shard = {"context_length": 64, "packing": "best_fit", "formats": formats}
    return run_configuration(write_configuration(folder, shard=shard)).path


def block(word):
    """The one block of Python with a word in it, for the run of this test."""
    (text,) = [
        each for each in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if word in each
    ]
    return text


def execute(text, run):
    scope = {}
    exec(text.replace("my-run", str(run)), scope)
    return scope


def test_the_columns_are_those_of_the_page():
    rows = re.findall(r"^\| `(\w+)` \| `([\w<>\[\]]+)`", PAGE.read_text(), re.M)
    schema = table.schema(pa.uint16(), 64)
    kinds = [
        re.sub("item: | not null", "", str(kind)).replace("[64]", "[n]") for kind in schema.types
    ]
    assert [row for row in rows if row[0] in schema.names] == list(
        zip(schema.names, kinds, strict=True)
    )


def test_documents_come_back_from_pieces_as_the_page_says(run):
    end = 50256
    found = {}
    for path in sorted((run / "shards").glob("*-?????-of-?????.arrow")):
        with path.open("rb") as file:
            # A stream begins with a message, not with the magic of a file.
            assert file.read(4) == b"\xff\xff\xff\xff"
        for row in map_stream(path).to_pylist():
            ends = [*row["document_starts"][1:], row["length"]]
            columns = (row["document_starts"], ends, row["documents"], row["offsets"])
            for start, stop, document, offset in zip(*columns, strict=True):
                found.setdefault(document, []).append((offset, row["input_ids"][start:stop]))
    tokens = {
        document: ids
        for path in sorted((run / tables.TOKENS).glob("part-*"))
        for document, ids in zip(
            *map_stream(path).select(["document", "input_ids"]).to_pydict().values(), strict=True
        )
    }
    assert {d: [t for _, ids in sorted(p) for t in ids] for d, p in found.items()} == {
        document: [*ids, end] for document, ids in tokens.items()
    }


def test_the_examples_of_the_page_read_the_run(run):
    names = [path.name for path in (run / "shards").glob("train-*.arrow")]
    assert names == ["train-00000-of-00001.arrow"]
    rows = map_stream(run / "shards" / names[0])["input_ids"].to_pylist()
    scope = execute(block("load_from_disk"), run)
    assert scope["both"]["train"]["input_ids"][:] == rows
    assert scope["one"]["input_ids"][:] == rows
    assert [row["input_ids"] for row in scope["stream"]["train"]] == rows
    scope = execute(block("read_all"), run)
    assert np.concatenate(scope["ids"]).tolist() == rows
    text = block("batches[1234]").replace("import torch\n", "")
    lines = [line for line in text.splitlines() if "torch" not in line]
    scope = execute("\n".join(lines).replace("batch_size=64", "batch_size=2"), run)
    assert isinstance(scope["batches"], Batches)
    assert scope["batch"].input_ids.shape == (1, 64)


def test_other_formats_are_where_the_page_says(run):
    prefix = run / "megatron" / "train-00000-of-00001"
    stream = np.memmap(prefix.with_suffix(".bin"), "<u2", "r")
    rows = map_stream(run / "shards" / "train-00000-of-00001.arrow").to_pylist()
    assert stream.tolist() == [t for row in rows for t in row["input_ids"][: row["length"]]]
    magic, version = struct.unpack("<9sQ", prefix.with_suffix(".idx").read_bytes()[:17])
    assert (magic, version) == (b"MMIDIDX\x00\x00", 1)
    assert (run / "mds" / "train" / "index.json").exists()
    assert (run / "mds" / "validation" / "shard.00000.mds").exists()

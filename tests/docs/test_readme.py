"""What the README shows is true of the code."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from pipeline.configuration import Configuration
from schemas import shards
from transforms.parts import PartWriter

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    return text


def test_the_first_configuration_is_valid():
    assert Configuration.model_validate(yaml.safe_load(block("yaml"))).output == "my-run"


def test_the_loader_has_ten_lines_and_reads_shards_without_a_copy(tmp_path):
    """All of it but the classes of torch, which the test environment does not have."""
    text = block("python")
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
    schema = shards.schema(pa.uint16(), 4)
    path = tmp_path / "train-00000-of-00001.arrow"
    rows = [
        {"input_ids": [n, 1, 2, 3], "length": 4}
        | {name: [0] for name in ("document_starts", "documents", "offsets")}
        for n in range(10)
    ]
    with PartWriter(path, schema) as writer:
        writer.write(pa.RecordBatch.from_pylist(rows, schema=schema))
    scope = {"np": np, "pa": pa}
    exec(text[text.index("def sequences") : text.index("files =")], scope)
    before = pa.total_allocated_bytes()
    found = list(scope["sequences"](path))
    assert pa.total_allocated_bytes() == before
    assert np.concatenate(found)[:, 0].tolist() == list(range(10))

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.shards import Split
from tests.transforms.shard.generated import measured_parts, reader_of, write_measures
from transforms.shard.reader import measures_file

DOCUMENTS = 400_000
ALLOWED = 32 << 20
"""Bytes of memory besides what a tiny run has taken; measures of documents are as many."""
METHODS = pytest.mark.parametrize("method", ["concatenate", "best_fit"])


@pytest.fixture(scope="module")
def many_documents(tmp_path_factory):
    return write_measures(tmp_path_factory.mktemp("many"), DOCUMENTS, 64, of_repository=16)


def run_limited(folder, run, method, pieces):
    small = write_measures(folder / "small", 400, 4, of_repository=16)
    command = [sys.executable, "-m", "tests.transforms.shard.memory_limit"]
    arguments = [small.run, run, method, str(ALLOWED), str(pieces)]
    # Arrow's own allocator reserves addresses by the gigabyte.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*command, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )


@METHODS
@pytest.mark.timeout(300, method="thread")
def test_far_more_documents_than_there_is_memory_for_are_planned(tmp_path, many_documents, method):
    pieces = 1 << 15
    ended = run_limited(tmp_path, many_documents.run, method, pieces)
    assert ended.returncode == 0, ended.stderr[-2000:]
    reader = reader_of(many_documents, method, pieces)
    assert reader.sections > 20
    layout = reader.layout()
    names = [name for split in Split for name in layout.names(split)]
    planned = [reader.files.map(name) for name in names]
    rows = [plan["row"][-1].as_py() + 1 for plan in planned]
    assert rows == [count for split in Split for count in layout.shard_rows(split)]
    measures = [reader.files.map(measures_file(name)) for name, _ in measured_parts(reader)]
    assert sum(each.nbytes for each in measures) > 0.9 * ALLOWED
    held = sum(int((each["length"].to_numpy() + 1).sum()) for each in measures)
    assert sum(int(plan["length"].to_numpy().sum()) for plan in planned) == held


@METHODS
@pytest.mark.timeout(300, method="thread")
def test_in_one_section_that_memory_is_too_little(tmp_path, many_documents, method):
    ended = run_limited(tmp_path, many_documents.run, method, 1 << 30)
    assert ended.returncode != 0
    assert "MemoryError" in ended.stderr

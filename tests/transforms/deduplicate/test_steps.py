import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import tables
from schemas.duplicates import Level
from tests.transforms.builders import (
    Repository,
    brief,
    document_names,
    part_names,
    read_column,
    words,
)
from tests.transforms.deduplicate.steps import decide_in_memory, run_steps, write_near_copies
from tests.transforms.deduplicate.test_stage import OPTIONS, prepare
from transforms.deduplicate.reader import RunReader
from transforms.parts import Workspace, read_part

COMMENT = b"# why\n"
TEXTS = st.builds(
    lambda first, last, comment: words(first, last) + comment * COMMENT,
    st.sampled_from([0, 1, 3, 100]),
    st.sampled_from([103, 110, 120, 130]),
    st.integers(0, 1),
) | st.sampled_from([b"", COMMENT, b"x = 1\n", b"x  = 1\n"])
CRAWLED = st.dictionaries(
    st.sampled_from("abcde"),
    st.dictionaries(st.sampled_from(["1.py", "2.py", "3.py"]), TEXTS),
    max_size=5,
).map(lambda named: [Repository(name, files) for name, files in named.items()])
LEVELS = st.sets(st.sampled_from([Level.EXACT, Level.NORMALIZED, Level.NEAR])).map(
    lambda levels: tuple(sorted(levels))
)


def dropped(workspace):
    names = document_names(workspace)
    columns = ("duplicate_of", "similarity", "level")
    kept, similarities, levels = (
        read_column(workspace, tables.DUPLICATES, column) for column in columns
    )
    return {
        name: (names[kept[name]], similarities[name], levels[name])
        for name in names.values()
        if kept[name] is not None
    }


def read(workspace, **changes):
    options = dataclasses.replace(OPTIONS, **changes)
    return RunReader(workspace, len(part_names(workspace)), options)


@brief
@given(CRAWLED, LEVELS, st.integers(1, 4), st.sampled_from([1_500, 30_000, 1 << 30]), st.integers())
def test_decides_what_one_greedy_pass_in_memory_decides(
    tmp_path_factory, crawled, levels, parts, memory_bytes, seed
):
    workspace = prepare(tmp_path_factory.mktemp("run"), crawled, parts)
    reader = read(workspace, levels=levels, memory_bytes=memory_bytes)
    run_steps(reader, seed)
    assert dropped(workspace) == decide_in_memory(reader, crawled)


VOCABULARY = np.array([b"word%05d " % number for number in range(50_000)])


def random_texts(count, words):
    """uint8 texts of random words, as byte strings of one length."""
    numbers = np.random.default_rng(1).integers(0, VOCABULARY.size, (count, words))
    return np.ascontiguousarray(VOCABULARY[numbers]).view(f"S{words * VOCABULARY.itemsize}")[:, 0]


def own_last_words(texts):
    return np.char.add(texts, np.array([b"own%07d" % number for number in range(texts.size)]))


PAIRS = 60_000
ALLOWED = 32 << 20
"""Bytes of memory besides what a tiny run has taken."""


@pytest.fixture(scope="module")
def many_pairs(tmp_path_factory):
    texts = own_last_words(np.repeat(random_texts(PAIRS, 40), 2))
    return str(write_near_copies(tmp_path_factory.mktemp("many"), texts, 8).run)


def run_limited(folder, run, memory_bytes, limit="RLIMIT_AS", allowed=ALLOWED):
    small = write_near_copies(folder / "small", own_last_words(random_texts(40, 40)), 2)
    command = [sys.executable, "-m", "tests.transforms.deduplicate.memory_limit"]
    arguments = [small.run, run, limit, str(allowed), str(memory_bytes)]
    # Arrow's own allocator reserves addresses by the gigabyte.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*command, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )


@pytest.mark.timeout(300, method="thread")
def test_a_corpus_far_larger_than_the_memory_there_is_is_deduplicated(tmp_path, many_pairs):
    ended = run_limited(tmp_path, many_pairs, 16 << 20)
    assert ended.returncode == 0, ended.stderr[-2000:]
    workspace = Workspace(run=many_pairs, staging=f"{many_pairs}/staging")
    staged = workspace.staged("deduplicate", "").rglob("*.*")
    assert sum(path.stat().st_size for path in staged) > 5 * ALLOWED
    kept = np.concatenate(
        [
            read_part(workspace.staged(tables.DUPLICATES, name), ["duplicate_of"])
            .column(0)
            .is_null()
            .to_numpy()
            for name in part_names(workspace)
        ]
    )
    assert kept.tolist() == [True, False] * PAIRS


@pytest.mark.timeout(300, method="thread")
def test_without_a_budget_that_memory_is_too_little(tmp_path, many_pairs):
    ended = run_limited(tmp_path, many_pairs, 1 << 30)
    assert ended.returncode != 0
    assert "MemoryError" in ended.stderr


@pytest.mark.timeout(120, method="thread")
@pytest.mark.parametrize("memory_bytes", [16 << 20, 1 << 30])
def test_a_bucket_of_all_documents_takes_linear_work(tmp_path, memory_bytes):
    # All pairs would be 5e9.
    count = 100_000
    texts = own_last_words(np.repeat(random_texts(1, 40), count))
    workspace = write_near_copies(tmp_path, texts, 8)
    run_steps(read(workspace, memory_bytes=memory_bytes))
    found = [
        read_part(workspace.staged(tables.DUPLICATES, name), ["duplicate_of"])["duplicate_of"]
        for name in part_names(workspace)
    ]
    kept = pa.chunked_array([chunk for column in found for chunk in column.chunks])
    assert kept.null_count == 1
    assert pc.unique(kept).drop_null().to_pylist() == [0]


CHAIN = 40_000
WINDOW, STEP = 100, 10


@pytest.mark.timeout(300, method="thread")
def test_a_component_larger_than_the_memory_there_is_is_decided(tmp_path):
    # Windows of one text: each is like the next one, and all are one component.
    numbers = np.random.default_rng(1).integers(0, VOCABULARY.size, CHAIN * STEP + WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, WINDOW)[::STEP][:CHAIN]
    texts = np.ascontiguousarray(VOCABULARY[windows]).view(f"S{WINDOW * VOCABULARY.itemsize}")
    run = str(write_near_copies(tmp_path / "run", texts[:, 0], 4).run)
    ended = run_limited(tmp_path, run, 8 << 20, "RLIMIT_DATA", 32 << 20)
    assert ended.returncode == 0, ended.stderr[-2000:]
    workspace = Workspace(run=run, staging=f"{run}/staging")
    assert np.unique(read(workspace).partners.batches).size == 1
    kept = [
        value is None
        for name in part_names(workspace)
        for value in read_part(workspace.staged(tables.DUPLICATES, name))[
            "duplicate_of"
        ].to_pylist()
    ]
    assert kept == [True, False] * (CHAIN // 2)

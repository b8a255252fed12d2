import dataclasses

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
from tests.transforms.deduplicate.steps import decide_in_memory, run_steps
from tests.transforms.deduplicate.test_stage import OPTIONS, prepare
from transforms.deduplicate.reader import RunReader

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

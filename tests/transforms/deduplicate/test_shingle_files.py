import numpy as np
import pytest

from schemas import tables
from tests.transforms.builders import Repository, slow_shingles, words, write_run
from transforms.deduplicate.shingle_files import ShingleReader, write_shingles
from transforms.deduplicate.staging import StagedArrays

TEXTS = [words(0, 30), b"", words(5, 9), b"a a a a a a a a", words(1, 2), words(30, 90)]


@pytest.fixture
def written(tmp_path):
    """Writes the shingles of rows of a part; returns a reader of all rows of both parts."""

    def write(*rows_of_parts):
        files = {f"{number:03d}.py": text for number, text in enumerate(TEXTS)}
        workspace = write_run(tmp_path, [Repository("a", files)], parts=1)
        documents = workspace.committed(tables.DOCUMENTS, "part-00000.parquet")
        arrays = StagedArrays(workspace)
        count = len(TEXTS)
        start, size = np.zeros((2, len(rows_of_parts) * count), dtype=np.int64)
        for part, rows in enumerate(rows_of_parts):
            chosen = np.array(rows, dtype=np.int64)
            found = write_shingles(arrays, part, documents, chosen)
            start[part * count + chosen], size[part * count + chosen] = found
        return ShingleReader(arrays, np.repeat(np.arange(len(rows_of_parts)), count), start, size)

    return write


def expected(*numbers):
    count = len(TEXTS)
    return [value for n in numbers for value in sorted(set(slow_shingles(TEXTS[n % count])))]


def test_reads_the_distinct_shingles_of_documents_in_the_order_asked_for(written):
    reader = written([0, 1, 3, 5], [0, 2, 3, 4, 5])
    for chosen in ([0, 1, 3, 5], [5, 0], [3, 11, 0, 8, 9], [1], [], list(range(6, 12))):
        written_ones = [n for n in chosen if n not in (2, 4, 7)]
        assert reader.load(np.array(chosen, dtype=np.int64)).tolist() == expected(*written_ones)


def test_knows_how_many_shingles_each_document_has(written):
    reader = written([0, 3, 5], [])
    assert reader.size.tolist() == [
        *(len(expected(n)) if n in (0, 3, 5) else 0 for n in range(6)),
        *[0] * 6,
    ]


def test_leaves_no_unfinished_file(written):
    arrays = written([0]).arrays
    names = sorted(path.name for path in arrays.path("shingles").iterdir())
    assert names == ["part-00000.u64"]


def test_a_file_that_was_cut_short_is_not_read_as_if_whole(written):
    reader = written([0, 5])
    path = reader.arrays.path("shingles/part-00000.u64")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(EOFError, match="shorter than it was written"):
        reader.load(np.array([5]))

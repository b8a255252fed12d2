import pyarrow as pa
import pytest

from schemas import tables
from schemas.selection import SELECTION
from tests.transforms.builders import Repository, part_names, write_run, write_table
from transforms.learn.sample import Sampling, sample_texts
from transforms.parts import read_part

FILES = {f"{number:03}.py": f"text {number}".encode() for number in range(100)}


def prepare(folder, crawled, rejected=(), parts=2):
    workspace = write_run(folder, crawled, parts)
    for number, name in enumerate(part_names(workspace)):
        paths = read_part(workspace.committed(tables.DOCUMENTS, name), ["path"])["path"]
        rules = ["unwanted" if path in rejected else None for path in paths.to_pylist()]
        batch = pa.record_batch([pa.array(rules, pa.string())], schema=SELECTION)
        write_table(workspace, tables.SELECTION, number, batch)
    return workspace


def sample(workspace, fraction, seed=1):
    return sorted(sample_texts(workspace, part_names(workspace), Sampling(fraction, seed)))


def test_takes_all_selected_documents_where_there_is_room(tmp_path):
    workspace = prepare(tmp_path, [Repository("a", FILES)], rejected={"000.py"})
    assert sample(workspace, 1.0) == sample(workspace, 7.5) == sorted(FILES.values())[1:]


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_takes_about_as_much_as_asked_and_other_documents_with_another_seed(tmp_path, fraction):
    workspace = prepare(tmp_path, [Repository("a", FILES)])
    one, other = sample(workspace, fraction), sample(workspace, fraction, seed=2)
    assert abs(len(one) - 100 * fraction) < 20
    assert one != other
    assert set(one) <= set(sample(workspace, fraction + 0.2))


def test_a_document_is_in_the_sample_whatever_else_there_is(tmp_path):
    alone = sample(prepare(tmp_path / "alone", [Repository("a", FILES)]), 0.5)
    others = {f"{number}.py": f"other {number}".encode() for number in range(50)}
    crawled = [Repository("a", FILES), Repository("b", others)]
    together = sample(prepare(tmp_path / "together", crawled, parts=3), 0.5)
    assert [text for text in together if text.startswith(b"text")] == alone

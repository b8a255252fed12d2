import pyarrow.parquet as pq
import pytest

from schemas import tables
from schemas.syntax import SYNTAX
from tests.transforms.builders import Repository, part_names, read_column, run_stage, write_run
from transforms.parse import stage
from transforms.parse.stage import ParseDocuments, ParseOptions
from transforms.parse.syntax import measure_syntax
from transforms.parts import read_part
from transforms.tokenizers.vocabulary import gpt2_tokenizer

GOOD, BAD = b"import os\nx = 1\n", b"print 'a'\n"
LATIN = "# -*- coding: latin-1 -*-\nname = 'caf\u00e9'\n".encode("latin-1")
CRAWLED = [
    Repository("a", {"bad.py": BAD, "empty.py": b"", "good.py": GOOD, "z.py": GOOD}),
    Repository("b", {"good.py": GOOD, "latin.py": LATIN}, encodings={"latin.py": "latin-1"}),
    Repository("c", {"bad.py": BAD}),
]
ALL = ParseOptions(wanted=tuple(SYNTAX.names))


def parse(path, options=ALL, workers=2, parts=3):
    workspace = write_run(path, CRAWLED, parts=parts)
    run_stage(ParseDocuments(workspace, part_names(workspace), options), workers)
    return workspace


def test_describes_every_document_at_its_place(tmp_path):
    workspace = parse(tmp_path)
    verdicts = read_column(workspace, tables.SYNTAX, "parses")
    assert verdicts == {
        ("a", "bad.py"): False,
        ("a", "empty.py"): True,
        ("a", "good.py"): True,
        ("a", "z.py"): True,
        ("b", "good.py"): True,
        ("b", "latin.py"): True,
        ("c", "bad.py"): False,
    }
    shares = read_column(workspace, tables.SYNTAX, "import_line_share")
    assert shares["a", "good.py"] == shares["a", "z.py"] == shares["b", "good.py"] == 0.5
    assert shares["a", "bad.py"] == 0


def test_measures_each_content_of_a_part_once(tmp_path, monkeypatch):
    measured = []

    def watch(texts, wanted):
        measured.extend(texts.to_pylist())
        return measure_syntax(texts, wanted)

    monkeypatch.setattr(stage, "measure_syntax", watch)
    parse(tmp_path, parts=1)
    assert sorted(measured) == sorted([BAD, b"", GOOD, LATIN.decode("latin-1").encode()])


def test_other_languages_have_nulls(tmp_path):
    workspace = write_run(tmp_path, CRAWLED, parts=1)
    [name] = part_names(workspace)
    path = workspace.committed(tables.DOCUMENTS, name)
    table = pq.read_table(path)
    languages = ["java", *["python"] * (len(table) - 2), "jupyter-notebook"]
    index = table.schema.get_field_index("language")
    pq.write_table(table.set_column(index, table.schema.field(index), [languages]), path)
    run_stage(ParseDocuments(workspace, [name], ALL))
    verdicts = read_column(workspace, tables.SYNTAX, "parses")
    assert [key for key, value in verdicts.items() if value is None] == [
        ("a", "bad.py"),
        ("c", "bad.py"),
    ]


@pytest.mark.parametrize("wanted", [(), ("parses",)])
def test_what_no_rule_asks_for_is_null(tmp_path, wanted):
    workspace = parse(tmp_path, ParseOptions(wanted))
    for name in part_names(workspace):
        table = read_part(workspace.staged(tables.SYNTAX, name))
        rows = read_part(workspace.committed(tables.DOCUMENTS, name)).num_rows
        assert table.num_rows == rows
        filled = {each for each in table.schema.names if table[each].null_count < rows}
        assert filled == (set(wanted) if rows else set())


def test_where_nothing_is_wanted_the_text_is_not_read(tmp_path, monkeypatch):
    read = []
    iterate = stage.iterate_row_groups

    def watch(path, columns):
        read.append(columns)
        return iterate(path, columns)

    monkeypatch.setattr(stage, "iterate_row_groups", watch)
    parse(tmp_path, ParseOptions(()))
    assert read == [["size"]] * 3


def test_redundancy_is_measured_in_every_language(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(gpt2_tokenizer().to_str())
    options = ParseOptions(("top_2gram_share", "characters_per_token"), str(path))
    workspace = write_run(tmp_path, CRAWLED, parts=2)
    run_stage(ParseDocuments(workspace, part_names(workspace), options))
    tokens = read_column(workspace, tables.REDUNDANCY, "characters_per_token")
    assert tokens["a", "empty.py"] is None
    assert tokens["a", "good.py"] == tokens["b", "good.py"] > 1
    assert set(read_column(workspace, tables.REDUNDANCY, "top_2gram_share").values()) == {0.0}
    assert set(read_column(workspace, tables.SYNTAX, "parses").values()) == {None}


def test_a_part_without_documents_has_no_rows(tmp_path):
    workspace = write_run(tmp_path, [], parts=1)
    run_stage(ParseDocuments(workspace, part_names(workspace), ALL))
    assert read_part(workspace.staged(tables.SYNTAX, "part-00000.parquet")).num_rows == 0


def test_the_number_of_workers_does_not_matter(tmp_path):
    one, many = (parse(tmp_path / str(n), workers=n) for n in (1, 4))
    assert one.receipts() == many.receipts()
    assert [f"{unit}.parquet" for unit in one.receipts()] == part_names(one)

import pytest

from schemas import tables
from tests.transforms.builders import (
    ANNOTATED,
    Repository,
    commit,
    part_names,
    read_column,
    run_stage,
    words,
    write_run,
)
from transforms.annotate.stage import AnnotateOptions, AnnotatePart
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.optout import OptOuts, Places
from transforms.parse.stage import ParseDocuments, ParseOptions
from transforms.parts import read_part
from transforms.select.columns import read_rule_columns, rule_schema
from transforms.select.licenses import LicenseLists
from transforms.select.rules import Rule, RuleError, check_rule
from transforms.select.stage import SelectDocuments, SelectOptions, SelectPart
from transforms.stage import do_unit

RULES = (
    Rule("exact_duplicate", "level == 'exact'"),
    Rule("file_empty", "characters == 0"),
    Rule("line_too_long", "max_line_characters > 100"),
    Rule("never", "size < 0"),
)
LONG = b"x" * 101
CRAWLED = [
    Repository("a", {"empty.py": b"", "long.py": LONG, "own.py": words(0, 40)}),
    Repository("b", {"empty.py": b"", "long.py": LONG, "other.py": words(100, 140)}),
    Repository("c", {"third.py": words(200, 240)}),
]
EXPECTED = {
    ("a", "empty.py"): "file_empty",
    ("a", "long.py"): "line_too_long",
    ("a", "own.py"): None,
    ("b", "empty.py"): "exact_duplicate",
    ("b", "long.py"): "exact_duplicate",
    ("b", "other.py"): None,
    ("c", "third.py"): None,
}


def prepare(folder, crawled=CRAWLED, parts=3):
    workspace = write_run(folder, crawled, parts)
    for name in part_names(workspace):
        options = AnnotateOptions(permutations=256, seed=1)
        do_unit(AnnotatePart(workspace, options), name.removesuffix(".parquet"))
    commit(workspace, *ANNOTATED)
    run_stage(ParseDocuments(workspace, part_names(workspace), ParseOptions(())))
    commit(workspace, tables.SYNTAX, tables.REDUNDANCY)
    options = DeduplicateOptions(threshold=0.7, permutations=256)
    run_stage(DeduplicateDocuments(workspace, parts, options))
    commit(workspace, tables.DUPLICATES)
    return workspace


@pytest.fixture
def selected(tmp_path):
    workspace = prepare(tmp_path)
    run_stage(SelectDocuments(workspace, part_names(workspace), SelectOptions(RULES)))
    return workspace


def test_names_the_first_failing_rule_of_every_document(selected):
    assert read_column(selected, tables.SELECTION, "rule") == EXPECTED


def test_every_document_and_byte_is_in_one_bin(selected):
    totals = {}
    for receipt in selected.receipts().values():
        for name, count in receipt.statistics.items():
            totals[name] = totals.get(name, 0) + count
    assert totals == {
        "documents.exact_duplicate": 2,
        "bytes.exact_duplicate": len(LONG),
        "documents.file_empty": 1,
        "bytes.file_empty": 0,
        "documents.line_too_long": 1,
        "bytes.line_too_long": len(LONG),
        "documents.selected": 3,
        "bytes.selected": sum(len(words(first, first + 40)) for first in (0, 100, 200)),
    }
    documents = sum(count for name, count in totals.items() if name.startswith("documents."))
    stored = sum(len(text) for repository in CRAWLED for text in repository.files.values())
    assert documents == len(EXPECTED)
    assert sum(totals.values()) - documents == stored


def test_repositories_that_are_opted_out_have_a_bin_before_all_rules(tmp_path):
    workspace = prepare(tmp_path)
    path = tmp_path / "keys.arrow"
    entries = OptOuts.of_keys(["*/a", "*/nobody/else"], Places(frozenset()))
    path.write_bytes(entries.to_bytes())
    options = SelectOptions(RULES, opt_outs=str(path))
    run_stage(SelectDocuments(workspace, part_names(workspace), options))
    expected = {
        (repository, file): "opted_out" if repository == "a" else rule
        for (repository, file), rule in EXPECTED.items()
    }
    assert read_column(workspace, tables.SELECTION, "rule") == expected
    bins = [receipt.statistics for receipt in workspace.receipts().values()]
    assert sum(each.get("documents.opted_out", 0) for each in bins) == 3
    counts = [count for each in bins for name, count in each.items() if "documents." in name]
    assert sum(counts) == len(EXPECTED)


def test_columns_of_a_part_are_those_that_rules_are_checked_against(selected):
    for name in part_names(selected):
        columns = read_rule_columns(selected, name, LicenseLists(), rule_schema().names)
        assert columns.schema.equals(rule_schema())
        assert "content" not in columns.schema.names


def test_a_part_without_documents_has_a_selection_without_rows(tmp_path):
    workspace = prepare(tmp_path, crawled=[], parts=1)
    do_unit(SelectPart(workspace, SelectOptions(RULES)), "part-00000")
    assert read_part(workspace.staged(tables.SELECTION, "part-00000.parquet")).num_rows == 0
    assert workspace.receipts()["part-00000"].statistics == {}


def test_rules_can_use_every_attribute_and_not_the_content():
    for name in (
        "repository",
        "size",
        "characters",
        "similarity",
        "level",
        "language",
        "license_class",
    ):
        check_rule(Rule("wrong", f"{name} is None"), rule_schema())
    with pytest.raises(RuleError, match="no column 'content'"):
        check_rule(Rule("wrong", "content == 'a'"), rule_schema())

import pyarrow as pa
import pytest

from transforms.select import licenses as module
from transforms.select.licenses import LICENSE_ALLOWED, NO_LISTS, LicenseLists, find_allowed
from transforms.select.rules import Rule, first_failing_rule

LICENSES = ["MIT", None, "MIT AND GPL-3.0-only", "MIT OR GPL-3.0-only", "LicenseRef-unknown"]


def judge(allow, deny, texts=LICENSES):
    column = pa.chunked_array([texts[:2], texts[2:]], pa.string())
    return find_allowed(column, LicenseLists(frozenset(allow), frozenset(deny)))


@pytest.mark.parametrize(
    ("allow", "deny", "allowed"),
    [
        ([], [], [None] * 5),
        (["MIT"], [], [True, False, False, True, False]),
        ([], ["GPL-3.0-only"], [True, True, False, True, True]),
        (["MIT", "GPL-3.0-only"], ["GPL-3.0-only"], [True, False, False, True, False]),
    ],
)
def test_lists_allow_and_deny(allow, deny, allowed):
    assert judge(allow, deny).to_pylist() == allowed


def test_a_rule_rejects_what_is_not_allowed_and_nothing_where_there_are_no_lists():
    rule = Rule("license_not_allowed", "not license_allowed")

    def rejected(*lists):
        table = pa.table([judge(*lists)], schema=pa.schema([LICENSE_ALLOWED]))
        return first_failing_rule(table, [rule]).is_valid().to_pylist()

    assert rejected([], []) == [False] * 5
    assert rejected(["MIT"], []) == [False, True, True, False, True]


def test_equal_licenses_are_judged_once(monkeypatch):
    judged = []
    monkeypatch.setattr(module, "allows", lambda *arguments: judged.append(arguments) or True)
    assert judge(["MIT"], [], LICENSES * 10).to_pylist() == [True] * 50
    assert len(judged) == len(LICENSES)


def test_a_part_without_documents_has_no_verdicts():
    for lists in (NO_LISTS, LicenseLists(frozenset({"MIT"}))):
        assert find_allowed(pa.chunked_array([], pa.string()), lists).to_pylist() == []

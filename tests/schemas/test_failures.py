import re

from schemas.failures import SCHEMA, Reason


def test_columns_are_a_contract():
    assert SCHEMA.names == ["stage", "repository", "path", "reason", "detail"]


def test_a_reason_is_one_lower_case_word_for_what_is_wrong():
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", reason) for reason in Reason)
    assert all(reason.name.lower() == reason.value for reason in Reason)

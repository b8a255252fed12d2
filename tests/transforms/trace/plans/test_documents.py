from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.plans.documents import (
    MAX_CHARACTERS,
    DocumentError,
    parse_ini,
    parse_toml,
    parse_yaml,
)

PARSERS = [parse_yaml, parse_toml, parse_ini]


def test_scalars_stay_texts_so_that_versions_keep_their_zero():
    assert parse_yaml("on: [3.10, yes, null, 1e3]") == {"on": ["3.10", "yes", "null", "1e3"]}


def test_aliases_and_merges_are_followed():
    document = parse_yaml("a: &a {x: one}\nb:\n  <<: *a\n  y: two")
    assert document["b"] == {"x": "one", "y": "two"}


def test_unknown_tags_give_their_values():
    assert parse_yaml("a: !reference [x, y]\nb: !!python/object:os.system {c: d}") == {
        "a": ["x", "y"],
        "b": {"c": "d"},
    }


def test_aliases_that_would_make_a_document_huge_are_refused():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    with pytest.raises(DocumentError, match="with all aliases"):
        parse_yaml(bomb)


def test_a_document_inside_of_itself_is_refused():
    with pytest.raises(DocumentError):
        parse_yaml("a: &a [*a]")


def test_deep_documents_are_refused():
    with pytest.raises(DocumentError, match="levels"):
        parse_yaml("[" * 50_000)
    with pytest.raises(DocumentError):
        parse_toml("a = " + "[" * 50_000)


@pytest.mark.parametrize("parse", PARSERS)
def test_large_documents_are_refused(parse):
    with pytest.raises(DocumentError, match="at most"):
        parse("a" * (MAX_CHARACTERS + 1))


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text(alphabet=":-[]{}&*!|>'\"%@=#\n\t ab1.\0é", max_size=80))
def test_other_texts_are_read_or_refused(parse, text):
    with suppress(DocumentError):
        parse(text)


def test_keys_of_ini_files_keep_their_case_and_need_no_value():
    assert parse_ini("[A]\nKey = %(x)s\nlone") == {"A": {"Key": "%(x)s", "lone": ""}}

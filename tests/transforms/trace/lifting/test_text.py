"""Source text as lines and offsets of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.lifting.results import LiftError
from transforms.trace.lifting.text import MAX_SOURCE_BYTES, Edit, Source, parse_expression


def test_offsets_count_bytes():
    source = Source("é = 'ä'\nx = 1\n")
    begin, end = source.span(source.tree.body[1])
    assert source.data[begin:end] == b"x = 1"
    assert source.line_of(begin) == 2
    assert source.data[source.line_start(begin) : source.line_end(begin)] == b"x = 1\n"


def test_a_mark_of_byte_order_and_other_line_ends_go():
    assert Source("\ufeffx = 1\r\ny = 2\rz = 3").data == b"x = 1\ny = 2\nz = 3\n"


def test_a_definition_begins_at_its_first_decorator():
    source = Source("x = 1\n@ a\n@b(\n  1)\ndef f(): pass\n")
    begin, _ = source.span(source.tree.body[1])
    assert source.data[begin:].startswith(b"@ a\n")


def test_comments_directly_above_belong_to_a_statement():
    text = "a = 1  # One.\n\n# Far.\n\n# Near.\n# Nearer.\nb = 2\n"
    source = Source(text)
    begin, _ = source.span(source.tree.body[1])
    assert source.data[source.start_with_comments(begin, 0) :] == b"# Near.\n# Nearer.\nb = 2\n"


@pytest.mark.parametrize("comment", ["#!/bin/sh", "# -*- coding: utf-8 -*-", "# Copyright 2001"])
def test_comments_on_the_file_belong_to_none(comment):
    source = Source(f"{comment}\nb = 2\n")
    begin, _ = source.span(source.tree.body[0])
    assert source.start_with_comments(begin, 0) == begin


def test_lines_in_strings_are_no_comments():
    source = Source('x = """\n# no\n"""; b = 2\n')
    begin, _ = source.span(source.tree.body[1])
    assert source.start_with_comments(begin, 0) == begin


def test_edits_are_made_where_less_white_space_stands_in_front():
    source = Source('if x:\n    a = b\n    # c\n  # d\n    e = """\n    f"""\n')
    begin, end = source.span(source.tree.body[0].body[0])
    stop = source.span(source.tree.body[0].body[1])[1]
    edit = Edit(end - 1, end, b"longer")
    assert source.render(begin, stop, [edit], b"    ") == (
        b'a = longer\n# c\n# d\ne = """\n    f"""'
    )


def test_an_edit_that_takes_a_line_away_takes_its_white_space_too():
    source = Source("if x:\n    a = 1\n    b = 2\n")
    begin, _ = source.span(source.tree.body[0].body[0])
    start, end = source.line_start(begin), source.line_end(begin)
    assert source.render(start, len(source.data), [Edit(start, end, b"")], b"    ") == b"b = 2\n"


@pytest.mark.parametrize(
    "text", ["x = '\ud800'", "x" * (MAX_SOURCE_BYTES + 1), "\0", "(" * 1000, "if:\n"]
)
def test_text_that_is_no_module_is_a_fault(text):
    with pytest.raises(LiftError):
        Source(text)


def test_an_expression_is_one_or_none():
    assert parse_expression("a.b") is not None
    assert parse_expression("a b") is None


@given(st.lists(st.sampled_from(["x = 1", "# c", "", "  # d", "y = '''\n# e\n'''", "é = 'ü'"])))
def test_nothing_is_lost_without_edits(lines):
    source = Source("\n".join(lines))
    assert source.render(0, len(source.data), []) == source.data
    for node in source.tree.body:
        begin, _ = source.span(node)
        assert source.line_start(begin) == source._starts[node.lineno - 1]

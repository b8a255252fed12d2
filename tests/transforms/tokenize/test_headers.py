import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from tests.transforms.tokenize.test_segments import as_lists, as_segments
from transforms.buffers import binary_buffers
from transforms.comments import comment_syntaxes, normalize_texts
from transforms.languages import LANGUAGES
from transforms.lexing.tables import SYNTAXES
from transforms.tokenize.headers import (
    HeaderTokens,
    distinct_names,
    header_tokens,
    prepend_segments,
    text_headers,
)
from transforms.tokenize.segments import Segments
from transforms.tokenizers.engines import TokenizersEngine
from transforms.tokenizers.vocabulary import p50k_tokenizer

ENDS = ("\n", "\r\n", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\0", "\\", "\\u000a", " _")
CLOSERS = (
    "*/",
    "**//",
    "-->",
    "--!>",
    "--->",
    "<?php",
    "<?",
    "?>",
    "-}",
    "]]",
    "=#",
    "#>",
    "\u202e",
)
PIECES = st.sampled_from((*ENDS, *CLOSERS, "a", " ", "/", ".py", "-", "*", "\u4f60", "^", "??/"))
NAMES = st.lists(PIECES, max_size=8).map("".join)
# PHP begins as HTML, and what has no comments has no line that its own syntax hides.
COMMENTED = sorted(set(SYNTAXES) - {"php"})


def headers(*rows):
    columns = zip(*rows, strict=True)
    found = text_headers(*(pa.array(column, pa.string()) for column in columns))
    assert found.type == pa.large_binary()
    return [header.decode() for header in found.to_pylist()]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("python", "# src/a.py (pypi/a)\n"),
        ("jupyter-notebook", "# src/a.py (pypi/a)\n"),
        ("c++", "// src/a.py (pypi/a)\n"),
        ("sql", "-- src/a.py (pypi/a)\n"),
        ("fortran", "! src/a.py (pypi/a)\n"),
        ("batchfile", "rem src/a.py (pypi/a)\n"),
        ("css", "/* src/a.py (pypi/a) */\n"),
        ("html", "<!-- src/a.py (pypi/a) -->\n"),
        ("php", "<!-- src/a.py (pypi/a) -->\n"),
        ("markdown", "src/a.py (pypi/a)\n"),
        (None, "src/a.py (pypi/a)\n"),
    ],
)
def test_names_path_and_repository_in_a_comment_of_the_language(language, expected):
    others = [("r", "p", "go"), ("r", "p", None)]
    assert headers(*others, ("pypi/a", "src/a.py", language))[2] == expected


def test_every_language_has_a_header():
    lines = headers(*(("r", "p", language) for language in LANGUAGES))
    plain = [name for name, line in zip(LANGUAGES, lines, strict=True) if line == "p (r)\n"]
    assert plain == ["markdown"]


def test_what_could_end_a_comment_is_replaced():
    assert headers(("a\nb", "x*/y-->\u2028z\\", "css")) == ["/* x_y__z_ (a_b) */\n"]


@thorough
@given(st.lists(st.tuples(NAMES, NAMES, st.sampled_from(list(LANGUAGES))), min_size=1))
def test_a_header_is_one_line_whatever_the_names_are(rows):
    for header in headers(*rows):
        assert header.splitlines(keepends=True) == [header]
        assert header.endswith("\n")
        assert "\\" not in header
        assert "<?" not in header


@thorough
@given(NAMES, NAMES)
def test_a_header_adds_nothing_but_a_comment_to_a_text(repository, path):
    lines = headers(*((repository, path, language) for language in COMMENTED))
    texts = pa.array([f"{line}x\n".encode() for line in lines], pa.large_binary())
    syntaxes = comment_syntaxes(pa.array(COMMENTED))
    data, offsets = normalize_texts(*binary_buffers(texts), syntaxes)
    pairs = zip(COMMENTED, offsets[:-1], offsets[1:], strict=True)
    kept = {language: bytes(data[start:end]) for language, start, end in pairs}
    assert kept == dict.fromkeys(COMMENTED, b"x\n")


@thorough
@given(NAMES, NAMES)
def test_names_do_not_leave_the_comment_before_code_of_php(repository, path):
    (line,) = headers((repository, path, "php"))
    inner = line.removeprefix("<!-- ").removesuffix(" -->\n")
    assert not any(mark in inner for mark in ("-->", "--!>", "<?"))


def test_no_documents_have_no_headers():
    empty = pa.array([], pa.string())
    assert text_headers(empty, empty, empty).to_pylist() == []


@pytest.mark.parametrize("encode", [pa.Array.dictionary_encode, lambda names: names])
def test_each_name_is_there_once(encode):
    names = ["b", "a", "b", "\u4f60", "a"]
    distinct, places = distinct_names(encode(pa.array(["skipped", *names]))[1:])
    assert len(set(distinct.to_pylist())) == len(distinct)
    assert (distinct.type, places.dtype) == (pa.large_binary(), np.int64)
    assert [distinct[place].as_py().decode() for place in places] == names


TOKENS = HeaderTokens(repository=101, path=102, content=103)
RUNS = st.lists(st.integers(0, 99), max_size=4)


@thorough
@given(
    st.lists(RUNS, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 99), RUNS, RUNS), max_size=6),
    st.integers(0, 2),
)
def test_special_tokens_stand_before_names_and_content(repositories, documents, before):
    places = np.array([place % len(repositories) for place, _, _ in documents], np.int64)
    joined = header_tokens(
        as_segments(repositories, before),
        places,
        as_segments([path for _, path, _ in documents], before),
        as_segments([content for _, _, content in documents], before),
        TOKENS,
    )
    assert as_lists(joined) == [
        [101, *repositories[place], 102, *path, 103, *content]
        for place, (_, path, content) in zip(places, documents, strict=True)
    ]


@thorough
@given(st.lists(st.tuples(RUNS, RUNS), max_size=6))
def test_encoded_headers_stand_before_contents(documents):
    lines, contents = ([pair[n] for pair in documents] for n in range(2))
    joined = prepend_segments(as_segments(lines, 1), as_segments(contents, 2))
    assert as_lists(joined) == [line + content for line, content in documents]


def test_a_name_that_spells_a_special_token_stays_text():
    tokenizer = p50k_tokenizer()
    end_of_text = tokenizer.token_to_id("<|endoftext|>")
    engine = TokenizersEngine(tokenizer)
    name = pa.array([b"<|endoftext|>"], pa.large_binary())
    encoded = Segments(*engine.encode(name))
    joined = header_tokens(encoded, np.array([0]), encoded, encoded, TOKENS)
    assert end_of_text not in joined.ids
    assert joined.ids.size == 3 + 3 * encoded.ids.size


def test_refuses_names_and_headers_of_other_documents():
    one, two = as_segments([[1]]), as_segments([[1], [2]])
    with pytest.raises(ValueError, match="got 2 contents, 1 paths and 2 places"):
        header_tokens(one, np.array([0, 0]), one, two, TOKENS)
    with pytest.raises(ValueError, match="got 2 contents, 2 paths and 1 places"):
        header_tokens(one, np.array([0]), two, two, TOKENS)
    with pytest.raises(ValueError, match=r"places of repositories must be in \[0, 1\), got 0 to 1"):
        header_tokens(one, np.array([0, 1]), two, two, TOKENS)
    with pytest.raises(ValueError, match="got 2 contents and 1 headers"):
        prepend_segments(one, two)


def test_a_name_declares_no_encoding_to_python():
    names = pa.array(["encoding=latin-1/x.py"])
    (line,) = text_headers(pa.array(["a coding: b"]), names, pa.array(["python"])).to_pylist()
    source = line + "s = '\u00e9'".encode()
    scope = {}
    exec(compile(source, "x.py", "exec"), scope)
    assert scope["s"] == "\u00e9"

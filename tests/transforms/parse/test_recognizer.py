import ast
import random
import re
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from tests.transforms.parse.cases import NOT_PYTHON, PYTHON
from tests.transforms.parse.sources import standard_library
from transforms.parse.lexer import lex
from transforms.parse.recognizer import MAX_FRAMES, parses

# What Python got after 3.11, the oldest that tests run on.
_NEWER = re.compile(r"(def|class)\s+\w+\s*\[|\btype\b|[fF][rR]?['\"]")
PIECES = [
    *("a", "b.c", "f(a)", "1", "'s'", "(", ")", "[", "]", "{", "}", ",", ":", "=", "+=", ".", "*"),
    *("**", "-", "not", "in", "is", "if", "else", "for", "lambda", "async", "await", "yield", ":="),
    *("and", "from", "del", "return", "as", "with", "import", "print", "match", "case", "_", "..."),
]
EXPRESSION = st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join)


def is_python(text):
    return parses(lex(text.encode()))


def ast_parses(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True


def agrees(text):
    if sys.version_info < (3, 13) and _NEWER.search(text):
        return True
    return is_python(text) == ast_parses(text)


@pytest.mark.parametrize("text", PYTHON)
def test_accepts_python(text):
    assert is_python(text)


@pytest.mark.parametrize("text", NOT_PYTHON)
def test_rejects_what_is_not_python(text):
    assert not is_python(text)


@pytest.mark.parametrize(
    "text",
    ["print 'a'\n", "exec 'a'\n", "raise A, 'b'\n", "try: pass\nexcept A, b: pass\n", "0777"],
)
def test_rejects_python_2(text):
    assert not is_python(text)


@pytest.mark.parametrize("text", ["'\\N{no such name}'", "del (a, *b)", "x = " + "1" * 5_000])
def test_accepts_what_depends_on_tables_and_limits_of_an_interpreter(text):
    assert is_python(text)


def test_accepts_the_standard_library():
    texts = standard_library()
    assert len(texts) > 100
    for name, text in texts.items():
        assert is_python(text) == ast_parses(text), name


def test_agrees_with_ast_on_damaged_files():
    rng = random.Random(5)
    rejected = 0
    for name, text in standard_library(step=25).items():
        for _ in range(8):
            marks = [place for place, sign in enumerate(text) if sign in "()[]{}:,='\"\n"]
            if not marks:
                continue
            place = rng.choice(marks)
            damaged = text[:place] + rng.choice(["", ",", "\n", " 1 ", "*"]) + text[place + 1 :]
            assert agrees(damaged), (name, place)
            rejected += not is_python(damaged)
    assert rejected > 50


@thorough
@given(EXPRESSION, st.sampled_from(["{}", "x = {}", "def f({}): pass", "f({})", "for {}: pass"]))
def test_agrees_with_ast_on_heaps_of_tokens(text, frame):
    # Known: neither unpacking in what is deleted nor a bare generator among bases is refused.
    text = frame.format(text)
    assert agrees(text) or (text.startswith("del") and "*" in text)


@pytest.mark.parametrize(
    ("one", "last"),
    [("a = ", "1"), ("1 + ", "1"), ("not ", "a"), ("-", "1"), ("a.", "b"), ("a if b else ", "c")],
)
def test_long_texts_need_no_depth(one, last):
    assert is_python(one * 50_000 + last)
    assert not is_python(one * 50_000)


def test_too_deep_a_text_does_not_parse():
    assert is_python("lambda: " * (MAX_FRAMES // 4) + "1")
    assert not is_python("lambda: " * MAX_FRAMES + "1")

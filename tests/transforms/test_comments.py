import io
import itertools
import re
import time
import tokenize
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.transforms.builders import brief
from transforms.buffers import binary_buffers
from transforms.comments import comment_syntaxes, count_comment_characters, normalize_texts
from transforms.languages import LANGUAGES

ROOT = Path(__file__).parents[2]


def arrays(texts, languages):
    data, offsets = binary_buffers(pa.array([each.encode() for each in texts], pa.large_binary()))
    return data, offsets, comment_syntaxes(pa.array(languages, pa.string()))


def count(text, language="python"):
    return int(count_comment_characters(*arrays([text], [language]))[0])


def normalize(text, language="python"):
    (found,) = normalize_all([text], [language])
    return found


def normalize_all(texts, languages):
    data, offsets = normalize_texts(*arrays(texts, languages))
    return [data[a:b].tobytes().decode() for a, b in itertools.pairwise(offsets)]


def python_comments(text):
    """Comments by the standard library, as (row, start, end); raises where it cannot tell."""
    lines = io.StringIO(text, newline=None).readline
    tokens = tokenize.generate_tokens(lines)
    return [(*each.start, each.end[1]) for each in tokens if each.type == tokenize.COMMENT]


def slowly_normalized(text):
    """What `normalize_texts` does, from the tokens of the standard library."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    inside = set()
    for each in tokenize.generate_tokens(io.StringIO(text).readline):
        if each.type == tokenize.COMMENT:
            row, column = each.start
            lines[row - 1] = lines[row - 1][:column]
        elif each.type == tokenize.STRING:
            inside.update(range(each.start[0], each.end[0]))
    kept = [
        line if row in inside else line.rstrip(" \t\f\v") for row, line in enumerate(lines, start=1)
    ]
    rows = enumerate(kept, start=1)
    return "".join(line + "\n" for row, line in rows if line or row in inside or row - 1 in inside)


FILES = sorted(ROOT.glob("transforms/**/*.py")) + sorted(ROOT.glob("tests/transforms/*.py"))
LIBRARY = sorted(Path(tokenize.__file__).parent.glob("*.py"))[::4]


def test_agrees_with_pythons_own_tokens_on_real_files():
    texts = [path.read_bytes().decode("utf-8") for path in FILES + LIBRARY]
    assert len(texts) > 80
    python = ["python"] * len(texts)
    expected = [sum(end - start for _, start, end in python_comments(text)) for text in texts]
    assert count_comment_characters(*arrays(texts, python)).tolist() == expected
    for path, text, found in zip(FILES + LIBRARY, texts, normalize_all(texts, python), strict=True):
        assert found == slowly_normalized(text), path


PIECES = st.sampled_from(
    [
        *("a", "1", " ", "  ", "\n", "\n", "\r\n", "\t", "#", "# b", "'", '"', "'''", '"""'),
        *("\\", "\\\n", "é", "f'", 'f"', "f'''", "rb'", "{", "}", "{{", "(", ")", "[", ":", "!r"),
        *("= ", ",", "x='''a  \n\n b'''", "f'{a:>{b}}'", "\f"),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


# Little of what is made up is Python.
@settings(brief, suppress_health_check=[HealthCheck.filter_too_much])
@given(TEXTS)
def test_agrees_with_pythons_own_tokens_on_made_up_text(text):
    try:
        comments = python_comments(text)
        plain = slowly_normalized(text)
    except (tokenize.TokenError, SyntaxError):
        assume(False)
    # Before 3.12 no string was looked into; what was not Python then is passed over.
    assume(not re.search(r"[fF]['\"].*[{}\\]", text))
    # A form feed and a quote that ends with its line are no tokens of Python's either.
    assume(not re.search(r"\\\s|\\$", text))
    tokens = tokenize.generate_tokens(io.StringIO(text, newline=None).readline)
    assume(all(each.type != tokenize.ERRORTOKEN for each in tokens))
    assert count(text) == sum(end - start for _, start, end in comments)
    assert normalize(text) == plain


@brief
@given(TEXTS)
def test_normalizing_twice_changes_nothing_more(text):
    once = normalize(text)
    assert normalize(once) == once


LINES = ["a = 1", "b = 'x # y'", "if a:", "    c(", "    d)", "e = '''f  ", "", "# no'''", "g"]


@brief
@given(st.data())
def test_comments_line_ends_trailing_space_and_blank_lines_make_no_difference(data):
    inside = {"", "# no'''"}
    changed = []
    for line in LINES:
        in_string = line in inside or line.endswith("  ")
        if not in_string:
            line += data.draw(st.sampled_from(["", "  ", "  # x", "\t#'''", "#"]))
            extra = data.draw(st.sampled_from(["", "\n", "  \n", "# y\n", "    # 'z\n\n"]))
            line = extra + line if line[0] != "#" else line
        changed.append(line)
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = "\n".join(changed).replace("\n", end) + data.draw(st.sampled_from(["", end, end * 3]))
    assert normalize(text) == normalize("\n".join(LINES))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 'x '\n", "a = 'x'\n"),
        ("a = '''x \n'''\n", "a = '''x\n'''\n"),
        ("a = '''x\n\n'''\n", "a = '''x\n'''\n"),
        ("a = '# x'\n", "a = '# y'\n"),
        ("  a\n", "a\n"),
        ("\ta\n", "    a\n"),
        ("a  b\n", "a b\n"),
        ("a\nb\n", "a b\n"),
        ("'''a", "'''a\n"),
        ("'''a \n", "'''a\n"),
        ("f'{x[\"#a\"]}'\n", "f'{x[\"#b\"]}'\n"),
        ('f"{x["#a"]}"\n', 'f"{x["#b"]}"\n'),
        ("f'{x:#>1}'\n", "f'{x:#>2}'\n"),
        ("f'''{x:{'#'}} # a'''\n", "f'''{x:{'#'}} # b'''\n"),
        ("f'{{# a'\n", "f'{{# b'\n"),
        ("f'\\N{NUMBER SIGN}# a'\n", "f'\\N{NUMBER SIGN}# b'\n"),
        ("rf'\\{x}# a'\n", "rf'\\{x}# b'\n"),
    ],
)
def test_texts_that_differ_in_anything_else_stay_different(one, other):
    assert normalize(one) != normalize(other)


@brief
@given(TEXTS, TEXTS)
def test_what_is_left_of_two_texts_is_equal_only_where_their_code_is(one, other):
    found = [normalize(one), normalize(other)]
    try:
        slow = [slowly_normalized(one), slowly_normalized(other)]
    except (tokenize.TokenError, SyntaxError):
        assume(False)
    if found[0] == found[1]:
        assert "".join(slow[0].split()) == "".join(slow[1].split()) or "f" in one + other


# For each language a text, its comments and what is left without them.
LANGUAGE_TEXTS = [
    ("python", "#!/bin/x\n# -*- coding: x\na  # b\n'#'", 26, "a\n'#'\n"),
    ("jupyter-notebook", "# %%\na  # b\n", 7, "a\n"),
    ("jupyter-notebook", "// %%\n#include <a>\n", 0, "// %%\n#include <a>\n"),
    ("c", 'a /* b */ "/*" \'"\' // c \\\n d\ne', 16, 'a  "/*" \'"\'\ne\n'),
    ("c++", 'R"x( // \n)" )x" 1\'000 // c', 4, 'R"x( // \n)" )x" 1\'000\n'),
    ("objective-c", '@"//" // a', 4, '@"//"\n'),
    ("c#", '@"a\\" // b\n"""" " // " """" // c\n$"{d["//"]}"', 8, None),
    ("java", '"""\n// "\n""" // b', 4, '"""\n// "\n"""\n'),
    ("javascript", "/[/'\"]/.x // a\nb / c / d // e", 8, "/[/'\"]/.x\nb / c / d\n"),
    ("javascript", "`a ${ b /* c */ + `//` } //d \n` // e", 11, "`a ${ b  + `//` } //d \n`\n"),
    ("javascript", "return /'/ // a\n<a>http://b</a>", 4, "return /'/\n<a>http://b</a>\n"),
    ("typescript", "#!/usr/bin/env x\na: b // c", 20, "a: b\n"),
    ("go", "`a // \\` // b\n'\"' // c", 8, "`a // \\`\n'\"'\n"),
    ("rust", '&\'a r#"// "\n"# /* /* */ */ \'"\' // b\n#![c]', 15, None),
    ("swift", '"\\(a("//"))" #"//"# /* /* */ */ // b\n#if a', 15, '"\\(a("//"))" #"//"#\n#if a\n'),
    ("kotlin", '"${a["//"]}" /* /* */ */ // b', 15, '"${a["//"]}"\n'),
    ("scala", "'\"' // a", 4, "'\"'\n"),
    ("dart", "'${a('//')}' r'\\' // b\n'''\n//'''", 4, "'${a('//')}' r'\\'\n'''\n//'''\n"),
    ("php", "<p># // it's</p>\n<?php a # b ?> c\n<?= 'd' // e\n", 8, None),
    ("php", "<?php a(<<<X\n# b\n  X); // c\n#[D]", 4, "<?php a(<<<X\n# b\n  X);\n#[D]\n"),
    ("ruby", 'a %w(b # c) # d\n=begin\ne\n=end f\n"#{g["#"]} # h"', 18, None),
    (
        "ruby",
        "a(<<~X, <<Y) # b\n # c\n  X\n# d\nY\ne # f",
        6,
        "a(<<~X, <<Y)\n # c\n  X\n# d\nY\ne\n",
    ),
    ("perl", "$#a; s#b#c#; q(# d); # e\n=pod\n\nf\n\n=cut\n$g =~ m/ # /", 16, None),
    ("shell", 'a $# ${b#c} d#e "$(f "# g")" # h', 3, 'a $# ${b#c} d#e "$(f "# g")"\n'),
    ("shell", "a <<X  # b\n # c \n\nX\n# d\n1 << 2 # e", 9, "a <<X\n # c \n\nX\n1 << 2\n"),
    ("powershell", "<# a #> b # c\n@'\n # d\n'@", 10, " b\n@'\n # d\n'@\n"),
    ("makefile", "a: b # c\n\td '#' \\# # e", 6, "a: b\n\td '#' \\#\n"),
    ("dockerfile", "# a\nRUN b # c", 3, "RUN b # c\n"),
    ("cmake", "#[[ a\n]] b # c\n[=[ # d\n]=]", 11, " b\n[=[ # d\n]=]\n"),
    ("lua", "--[==[ a\n]] ]==] b --[c\n[[ --\n]]", 20, " b\n[[ --\n]]\n"),
    ("haskell", "a --> b -- c\n{- {- -} -} '\"' -- d", 19, "a --> b\n '\"'\n"),
    ("julia", 'a #= #= =# =# b\' # c\n"$(d("#"))"', 14, 'a  b\'\n"$(d("#"))"\n'),
    ("r", 'a %>% r"(# ")" # b\n\'c\n# d\'', 3, 'a %>% r"(# ")"\n\'c\n# d\'\n'),
    ("sql", "select '--' /* a */ -- b\n$x$ -- c\n$x$ $1", 11, "select '--'\n$x$ -- c\n$x$ $1\n"),
    ("fortran", "C     a\n* b\n      call c('!') ! d", 13, "      call c('!')\n"),
    ("visual-basic", "' a\nREM b\nremark = \"'\" ' c", 11, 'remark = "\'"\n'),
    ("batchfile", "@rem a\n:: b\n:label\nremark", 10, ":label\nremark\n"),
    ("assembly", "mov a, #1 ; b\n# c\nd @ e\nlock;f", 9, "mov a, #1\nd\nlock;f\n"),
    ("tex", "a \\% b % c\n\\begin{verbatim}\n% \n\\end{verbatim}", 3, None),
    ("html", "a <!-- b\n --> c", 11, "a  c\n"),
    ("css", "a{b:'/*'} /* c */", 7, "a{b:'/*'}\n"),
    ("markdown", "a <!-- b -->  \n\nc", 0, "a <!-- b -->\nc\n"),
]


@pytest.mark.parametrize(("language", "text", "characters", "left"), LANGUAGE_TEXTS)
def test_knows_the_comments_of_each_language(language, text, characters, left):
    assert count(text, language) == characters
    if left is not None:
        assert normalize(text, language) == left


def test_every_language_is_tested():
    assert {language for language, *_ in LANGUAGE_TEXTS} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a/**/b", "a b\n"),
        ("a/**//**/b", "a b\n"),
        ("f(/**/b)", "f(b)\n"),
        ("a+/**/+b", "a+ +b\n"),
        ("a /**/ b", "a  b\n"),
        ("L/**/'x'", "L 'x'\n"),
        ("a /*\n\n*/ b", "a  b\n"),
        ("/* a */\n\n/* b */ // c\nd", "d\n"),
    ],
)
def test_a_comment_between_two_words_leaves_a_space(text, left):
    assert normalize(text, "c") == left


def test_a_comment_that_nothing_closes_is_none():
    assert count("a /* b\nc // d", "c") == 4
    assert normalize("a /* b", "c") == "a /* b\n"


def test_code_points_are_counted_not_bytes():
    assert count("a # \u00e9\u20ac\U0001f600") == 5


def test_docstrings_are_no_comments():
    assert count('"""a"""\n') == 0


def test_a_text_without_a_syntax_has_neither_comments_nor_strings():
    assert count("# a", None) == 0
    assert normalize("'''a  \n\n# b", None) == "'''a\n# b\n"
    assert comment_syntaxes(pa.array(["klingon", None])).tolist() == [0, 0]


@brief
@given(st.lists(st.tuples(TEXTS, st.sampled_from([None, *LANGUAGES])), max_size=6))
def test_each_text_is_normalized_for_itself(rows):
    texts, languages = [text for text, _ in rows], [language for _, language in rows]
    assert normalize_all(texts, languages) == [normalize(*row) for row in rows]
    counts = count_comment_characters(*arrays(texts, languages)).tolist()
    assert counts == [count(*row) for row in rows]


@pytest.mark.parametrize("language", LANGUAGES)
@brief
@given(st.binary(max_size=200).map(lambda each: each.decode("latin-1")))
def test_no_text_of_any_language_raises_or_grows(language, text):
    assert count(text, language) <= len(text)
    assert len(normalize(text, language).encode()) <= len(text.encode()) + 1


HOSTILE = [
    *("/*", "<<A\n", "q(", "/[", '"', "'", "`${", "f'{", "#", "--[=", "$a", 'R"a(', "r###", "{-"),
    *('"""', "=a\n", "\\", "<!--", "<<<A\n", "s{", "%(", '"#{', '"$(', "/ ", "?>", "{", "\n"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_cost_of_hostile_text_grows_with_its_length_only(piece):
    texts = [piece * (200_000 // len(piece))] * len(LANGUAGES)
    normalize_all(["a"], ["python"])
    count("a")
    started = time.thread_time()
    normalize_all(texts, list(LANGUAGES))
    count_comment_characters(*arrays(texts, list(LANGUAGES)))
    # 15 MB; what is quadratic takes minutes.
    assert time.thread_time() - started < 10


def test_refuses_as_many_syntaxes_as_there_are_no_texts():
    data, offsets, syntaxes = arrays(["a", "b"], ["c", "c"])
    with pytest.raises(ValueError, match="got 2 texts and 1 syntaxes"):
        normalize_texts(data, offsets, syntaxes[:1])

import io
import tokenize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from tests.transforms.parse.sources import standard_library
from transforms.parse.lexer import MAX_BRACKETS, MAX_INDENTS, lex, lex_into, max_tokens
from transforms.parse.tokens import KEYWORDS, KINDS, SOFT_KEYWORDS

LAYOUT = {"NEWLINE", "INDENT", "DEDENT", "END"}
HIDDEN = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING}
PIECES = [
    *("'", '"', "'''", '"""', "f'", 'rf"""', "b'", "\\", "\\N{", "\\x4", "\n", "\r\n", "\r", "\t"),
    *(" ", "\x0c", "#", "{", "}", "{{", "(", ")", "[", "]", ":", "!r", "!=", ":=", "...", "->"),
    *("def", "x", "1", "0x", "1e", "_", "\x00", "\u00e9", "\u2028", "\U0001f600", ";", "**="),
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def kinds(text):
    return [KINDS[token[0]] for token in lex(text.encode())]


def words(text):
    """Tokens as text, those of the layout by name."""
    data = text.encode()
    found = []
    for kind, begin, end, _ in lex(data):
        name = KINDS[kind]
        found.append(name if name in LAYOUT else data[begin:end].decode())
    return found


def slow_words(text):
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in HIDDEN:
            continue
        name = "END" if token.type == tokenize.ENDMARKER else tokenize.tok_name[token.type]
        found.append(name if name in LAYOUT else token.string)
    return found


def test_finds_the_tokens_of_the_standard_library_as_its_own_lexer_does():
    compared = 0
    for name, text in standard_library().items():
        # What an f-string is differs among the versions of that lexer.
        if "FSTART" not in kinds(text) and "ERROR" not in kinds(text):
            assert words(text) == slow_words(text), name
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("word", [*KEYWORDS, *SOFT_KEYWORDS])
def test_keywords_have_kinds_of_their_own(word):
    assert kinds(word)[0] == word
    assert kinds(word + "_")[0] == kinds(word[:-1] + "\u00e9")[0] == "NAME"


@pytest.mark.parametrize(
    "number",
    [
        *("0", "00", "0_0", "1_000", "0xFf", "0x_f", "0b10", "0O17", "1.", ".5", "1e5", "1.E-5"),
        *("09.5", "1j", "0J", "0777j", "1e5j", "0x40700:", "1if"),
    ],
)
def test_reads_numbers(number):
    assert kinds(number)[0] == "NUMBER"


@pytest.mark.parametrize(
    "number", ["0777", "09", "1_", "1__0", "0x", "0xG", "0b12", "0o8", "1abc", "1_a", "1\u00e9"]
)
def test_malformed_numbers_are_errors(number):
    assert "ERROR" in kinds(number)


@pytest.mark.parametrize("prefix", ["", "r", "U", "b", "Rb", "bR", "f", "FR", "rf"])
@pytest.mark.parametrize("quotes", ["'", '"', "'''", '"""'])
def test_reads_strings_with_any_prefix_and_quotes(prefix, quotes):
    found = kinds(f"{prefix}{quotes}a\\{quotes[0]}b{quotes}")
    expected = ["STRING"]
    if "b" in prefix.lower():
        expected = ["BYTES"]
    elif "f" in prefix.lower():
        expected = ["FSTART", "FEND"]
    assert found == [*expected, "NEWLINE", "END"]


def test_fields_of_f_strings_are_tokens():
    assert words('f"a{b!r:>{c}}{d["e"]}"') == [
        *('f"', "{", "b", "!", "r", ":", "{", "c", "}", "}"),
        *("{", "d", "[", '"e"', "]", "}", '"', "NEWLINE", "END"),
    ]


@pytest.mark.parametrize("text", ["'a\nb", '"', "b'\u00e9'", "'\\x4'", "'\\U00110000'", "'\\N{'"])
def test_what_is_wrong_with_a_string_is_an_error(text):
    assert "ERROR" in kinds(text)


@pytest.mark.parametrize("text", ["$", "?", "a!b", "`a`", "\u201ca\u201d", "a\u00a0b", "\u00d7"])
def test_what_is_not_of_python_is_an_error(text):
    assert "ERROR" in kinds(text)


@pytest.mark.parametrize("name", ["\u00e9", "\u4f60\u597d", "a\u0301", "\u00aa", "_\u0660"])
def test_letters_of_all_scripts_make_names(name):
    assert kinds(name)[0] == "NAME"


def test_tabs_and_spaces_that_disagree_are_an_error():
    assert "ERROR" in kinds("if a:\n\tb\n        c\n")
    assert "ERROR" not in kinds("if a:\n\tb\n\tc\n")


def test_goes_on_behind_an_error():
    assert words("print 'a\nx = ?\ny = 1\n")[-5:] == ["y", "=", "1", "NEWLINE", "END"]


def test_lines_are_counted_across_strings_and_continuations():
    text = '"""a\r\nb"""\nx = (1,\n2)\\\n+ 3\rf"""\n{y}\n"""'
    rows = {text.encode()[begin:end].decode(): line for _, begin, end, line in lex(text.encode())}
    assert (rows["x"], rows["2"], rows["3"], rows["y"]) == (2, 3, 4, 6)


@pytest.mark.parametrize("bracket", ["(", "[", "{", 'f"{'])
def test_too_many_brackets_are_an_error(bracket):
    width = 2 if "f" in bracket else 1
    inside = bracket * (MAX_BRACKETS // width)
    assert kinds(inside).count("ERROR") == 1
    assert kinds(inside + bracket).count("ERROR") > 1


def test_too_many_indents_are_an_error():
    lines = [" " * depth + "if a:\n" for depth in range(MAX_INDENTS + 1)]
    assert "ERROR" not in kinds("".join(lines[:MAX_INDENTS]))
    assert "ERROR" in kinds("".join(lines))


@thorough
@given(TEXT)
def test_every_text_has_tokens_in_order_and_room_for_them(text):
    data = text.encode()
    tokens = np.full((max_tokens(len(data)) + 1, 4), -1, np.int32)
    found = tokens[: lex_into(np.frombuffer(data, np.uint8), 0, len(data), tokens)]
    assert (tokens[-1] == -1).all()
    assert KINDS[found[-1, 0]] == "END"
    assert (np.diff(found[:, 1]) >= 0).all()
    assert (found[:, 1] <= found[:, 2]).all()
    assert (np.diff(found[:, 3]) >= 0).all()
    assert [KINDS[kind] for kind in found[:, 0]].count("INDENT") == [
        KINDS[kind] for kind in found[:, 0]
    ].count("DEDENT")


@thorough
@given(TEXT, TEXT)
def test_what_stands_around_a_text_does_not_show(text, other):
    data = np.frombuffer((other + text + other).encode(), np.uint8)
    begin, size = len(other.encode()), len(text.encode())
    tokens = np.empty((max_tokens(size), 4), np.int32)
    found = tokens[: lex_into(data, begin, begin + size, tokens)]
    assert found.tolist() == lex(text.encode()).tolist()

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.quality import QUALITY
from tests.transforms.annotate.signals.test_counts import TEXTS
from tests.transforms.builders import brief, large_binary
from transforms.annotate.quality import measure_quality

_PLAIN = "def add(left, right):\n    # The sum of two.\n    return left + right\n"


def measure(*texts, path="src/a.py", language="python"):
    batch = measure_quality(
        large_binary([text.encode() for text in texts]),
        pa.array([path] * len(texts), pa.string()),
        pa.array([language] * len(texts), pa.string()),
    )
    assert batch.schema == QUALITY
    batch.validate(full=True)
    return batch.to_pylist()


@brief
@given(TEXTS, st.integers(0, 5))
def test_signals_do_not_depend_on_the_batch(texts, cut):
    assert measure(*texts) == measure(*texts[:cut]) + measure(*texts[cut:])


@brief
@given(TEXTS)
def test_shares_are_between_nothing_and_all(texts):
    for row in measure(*texts, language="html"):
        shares = {name: value for name, value in row.items() if name.endswith("_share")}
        assert all(0 <= value <= 1 for value in shares.values()), shares


def test_measures_a_plain_text():
    [row] = measure(_PLAIN)
    found = {name: value for name, value in row.items() if value}
    assert found == {
        "characters": 68,
        "lines": 3,
        "nonblank_lines": 3,
        "mean_line_characters": 65 / 3,
        "max_line_characters": 23,
        "alphanumeric_share": 41 / 68,
        "alphabetic_share": 41 / 68,
        "whitespace_share": 20 / 68,
        "comment_share": 17 / 68,
        "words": 11,
        "mean_word_characters": 41 / 11,
        "directive_line_share": 1 / 3,
    }


@pytest.mark.parametrize(
    ("text", "lines", "longest"),
    [("", 0, 0), ("\n", 1, 0), ("ab", 1, 2), ("ab\r\n", 1, 2), ("a\n\nabc", 3, 3), ("\r", 1, 0)],
)
def test_counts_lines_by_their_ends(text, lines, longest):
    [row] = measure(text)
    assert (row["lines"], row["max_line_characters"]) == (lines, longest)


@pytest.mark.parametrize("character", list("@[`{/:_ \x7f\x00"))
def test_characters_beside_letters_and_digits_are_not_alphanumeric(character):
    assert measure(character * 3)[0]["alphanumeric_share"] == 0


@pytest.mark.parametrize("character", list("azAZ09\x80\u00e9\uffff\U0010ffff"))
def test_letters_digits_and_what_is_beyond_ascii_are_alphanumeric(character):
    assert measure(character * 3 + "  ")[0]["alphanumeric_share"] == 0.6


@pytest.mark.parametrize(("before", "found"), [(86, True), (87, False)])
@pytest.mark.parametrize("filler", ["x", "\u4f60"])
def test_looks_for_xml_in_the_first_hundred_characters(before, found, filler):
    assert measure(filler * before + "<?xml version='1.0'?>")[0]["xml_declaration"] is found


def test_text_is_visible_in_html_only():
    text = "<p>" + "word " * 10 + "</p>"
    [page] = measure(text, language="html")
    [code] = measure(text)
    assert (page["html_visible_characters"], page["html_visible_share"]) == (50, 50 / 57)
    assert (code["html_visible_characters"], code["html_visible_share"]) == (None, None)


@pytest.mark.parametrize(
    ("text", "path", "language", "evidence"),
    [
        ("var a=1;" * 30, "a.js", "javascript", "mean line over 110 characters"),
        ("var a=1;" * 30, "a.min.js", "javascript", "name .min.js"),
        ("def_f(x);y=x+1;" * 30, "a.py", "python", "long lines, few spaces"),
        ("x = '" + "a" * 500 + "'\n", "a.py", "python", None),
        (_PLAIN, "a.js", "javascript", None),
    ],
)
def test_says_why_a_text_is_minified(text, path, language, evidence):
    assert measure(text, path=path, language=language)[0]["minified"] == evidence


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("key = '" + "aB3+" * 50 + "'\n", "encoded data"),
        ("values = [\n" + "    12, 34.5, -6,\n" * 30 + "]\n", "lists of numbers"),
        ("names = {\n" + "    'left': 'right hand',\n" * 30 + "}\n", "lists of literals"),
        ("x = {\n    'a': 1,\n}\n", None),
        (_PLAIN * 20, None),
    ],
)
def test_says_which_data_a_text_is(text, evidence):
    assert measure(text)[0]["data_like"] == evidence


def test_evidence_comes_from_path_and_text():
    [row] = measure("# %%\n", path="vendor/tests/user_pb2.py")
    assert row["generated"] == "name _pb2.py"
    assert row["vendored"] == "path vendor/"
    assert row["test"] == "path tests/"
    assert row["notebook"] == "%% cells"


def test_bears_languages_that_are_not_known():
    assert measure(_PLAIN, language=None)[0]["comment_share"] == 0
    assert measure(_PLAIN, language="none such")[0]["lines"] == 3

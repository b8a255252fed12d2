import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import large_binary, thorough
from transforms.annotate.signals.strings import comment_marks, measure_strings
from transforms.buffers import binary_buffers
from transforms.comments import comment_syntaxes

_PIECES = st.sampled_from(
    [
        "'",
        '"',
        '"""',
        "'''",
        "\\",
        "\\'",
        "a",
        " ",
        "\n",
        "  ",
        "# ",
        "// ",
        "/*",
        "*/",
        "-- ",
        "\u00e9",
        "word " * 25,
        "w" * 25,
        "https://example.org/" + "x" * 20,
        "'text'",
        '"""long\ntext"""',
        "x = ",
    ]
)
TEXTS = st.lists(st.lists(_PIECES, max_size=30).map("".join), max_size=4)

_COMMENTS = {
    "python": r"#[^\n]*",
    "java": r"//[^\n]*|/\*.*?\*/",
    "sql": r"--[^\n]*|/\*.*?\*/",
    "php": r"#[^\n]*|//[^\n]*|/\*.*?\*/",
    "cobol": r"(?!)",
}
_STRINGS = (
    r"'''(?P<a>(?:[^\\]|\\.)*?)'''|\"\"\"(?P<b>(?:[^\\]|\\.)*?)\"\"\""
    r"|'(?P<c>(?:[^\\'\n]|\\.)*)'|\"(?P<d>(?:[^\\\"\n]|\\.)*)\""
)


def measure(texts, language):
    data, offsets = binary_buffers(large_binary([text.encode() for text in texts]))
    marks = comment_marks(comment_syntaxes(pa.array([language] * len(texts), pa.string())))
    return measure_strings(data, offsets, marks).tolist()


def slow_measure(text, language):
    found = [0, 0, 0]
    for match in re.finditer(rf"{_COMMENTS[language]}|{_STRINGS}", text, re.DOTALL):
        content = next((group for group in match.groups() if group is not None), None)
        docstring = match[0][:3] in ('"""', "'''") and match.lastgroup in ("a", "b")
        before = text[: match.start()].rpartition("\n")[2]
        if content is None or (docstring and not before.strip(" \t")):
            continue
        found[0] += len(content)
        for word in re.split(r"[ \t\n\v\f\r]+", content):
            found[1] += len(word) if len(word) > 20 and "://" not in word else 0
        for line in content.split("\n"):
            words = re.findall(r"[\w\x80-\U0010ffff]+|[^\w \t\n\v\f\r]+", line)
            found[2] += len(words) > 20
    return found


@pytest.mark.parametrize("language", _COMMENTS)
@thorough
@given(TEXTS)
def test_equals_a_slow_version(language, texts):
    assert measure(texts, language) == [slow_measure(text, language) for text in texts]


@thorough
@given(TEXTS, st.integers(0, 4))
def test_measures_do_not_depend_on_the_batch(texts, cut):
    together = measure(texts, "python")
    assert together == measure(texts[:cut], "python") + measure(texts[cut:], "python")


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("x = 'abc'", 3),
        ('x = "a\\"b"', 4),
        ("# don't\nx = 'ab'", 2),
        ("'open\nx = 'ab'", 2),
        ("'''Docstring.'''\n", 0),
        ("x = '''ab\ncd'''", 5),
        ("'''never closed", 0),
        ("''", 0),
    ],
)
def test_counts_what_is_between_quotes(text, characters):
    assert measure([text], "python")[0][0] == characters


@pytest.mark.parametrize(
    "text", ["'\\", "'", '"' * 3, "/*", "#", "'\\'" * 100_000, "'''" + "\\'" * 100_000]
)
def test_bears_what_opens_and_never_closes(text):
    measure([text, text * 2], "python")
    measure([text, text * 2], "java")


def test_refuses_marks_of_other_texts():
    data, offsets = binary_buffers(large_binary([b"a"]))
    with pytest.raises(ValueError, match="got 2 marks and 1 texts"):
        measure_strings(data, offsets, comment_marks(comment_syntaxes(pa.array(["python", None]))))

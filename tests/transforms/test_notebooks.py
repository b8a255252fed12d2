import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from transforms.notebooks import script_of


def code(source):
    return {"cell_type": "code", "source": source, "outputs": [{"text": "never"}]}


def script(*cells, **metadata):
    body = {"nbformat": 4, "metadata": metadata, "cells": list(cells)}
    return script_of(json.dumps(body).encode()).decode()


def test_cells_come_in_order_under_lines_that_begin_them_and_outputs_are_dropped():
    found = script(
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "text"]},
        code(["import os\n", "a = 1"]),
        {"cell_type": "raw", "source": "raw"},
    )
    assert found == (
        "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nimport os\na = 1\n\n# %% [raw]\n# raw\n"
    )


def test_what_ipython_alone_understands_is_commented_out():
    lines = ["%matplotlib inline", "!pip install a \\", "  b", "files = !ls", "x = %time f()"]
    found = script(code("\n".join([*lines, "obj?", "?obj", "a = 1"])))
    assert found == (
        "# %%\n# %matplotlib inline\n# !pip install a \\\n#   b\n# files = !ls\n"
        "# x = %time f()\n# obj?\n# ?obj\na = 1\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "a = (b\n  % c)",
        "a = '''\n%b\n!c\n'''",
        'a = """\\"""\n%b"""',
        "a = b \\\n  % c",
        "a = b != c",
        "a = '%d' % b",
        "a = 'is it?'",
        "# what?",
        "f(')', '(')\na[0] = {'%': 1,\n'!': 2}",
    ],
)
def test_python_stays_as_it_is(source):
    ast.parse(source)
    assert script(code(source)) == f"# %%\n{source}\n"


def test_a_cell_in_another_language_is_a_comment_and_one_that_is_timed_is_code():
    assert script(code("%%bash\necho a\n")) == "# %%\n# %%bash\n# echo a\n"
    assert script(code("%%time\na = 1\n")) == "# %%\n# %%time\na = 1\n"


@pytest.mark.parametrize(
    ("metadata", "mark"),
    [
        ({"language_info": {"name": "scala"}}, "//"),
        ({"kernelspec": {"language": "R"}}, "#"),
        ({"kernelspec": {"name": "julia-1.9"}}, "#"),
        ({"kernelspec": {"name": "xcpp17"}, "language_info": {"name": "C++17"}}, "//"),
        ({"kernelspec": {"name": "python3"}}, "#"),
        ({"kernelspec": {"name": "klingon"}}, "#"),
        ({"kernelspec": 3, "language_info": {"name": None}}, "#"),
        ({}, "#"),
    ],
)
def test_comments_are_those_of_the_kernels_language(metadata, mark):
    found = script({"cell_type": "markdown", "source": "a"}, **metadata)
    assert found == f"{mark} %% [markdown]\n{mark} a\n"


def test_magics_of_other_languages_are_left_alone():
    found = script(code("a %>%\n%in% b"), kernelspec={"name": "ir"})
    assert found == "# %%\na %>%\n%in% b\n"


def test_reads_cells_of_worksheets():
    cells = [
        {"cell_type": "code", "input": ["a = 1\n", "b"]},
        {"cell_type": "heading", "source": "c"},
    ]
    body = {"nbformat": 3, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]}
    assert script_of(json.dumps(body).encode()) == b"# %%\na = 1\nb\n\n# %% [markdown]\n# c\n"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"3", b"null", b'"a"', b"{}", b"\xff", b"\xef\xbb\xbf{}"),
        *(b"[" * 900_000, b'{"a":' * 100_000, b"9" * 900_000, b"1e999", b"NaN"),
        *(b'{"cells": null}', b'{"cells": {}}', b'{"cells": [[], 3, null, {}]}'),
        b'{"worksheets": [3, {"cells": 3}, []], "metadata": []}',
        b'{"cells": [{"cell_type": [], "source": "a"}, {"cell_type": "code", "source": 3}]}',
        b'{"cells": [{"cell_type": "code", "source": [3, null, []]}]}',
        b'{"cells": [{"cell_type": "code", "source": ""}]}',
    ],
)
def test_what_is_no_notebook_or_has_no_cells_has_an_empty_script(content):
    assert script_of(content) == b""


def test_text_that_is_not_unicode_is_replaced():
    assert script(code("a = '\ud800'")) == "# %%\na = '?'\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cells",
                    "worksheets",
                    "source",
                    "cell_type",
                    "metadata",
                    "kernelspec",
                    "name",
                    "a",
                ]
            ),
            inner | st.sampled_from(["code", "markdown", "%a", "!b", "'''", "(", "python"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@brief
@given(JSON)
def test_nothing_that_json_can_hold_raises(value):
    content = json.dumps(value).encode()
    found = script_of(content)
    found.decode()
    assert found == script_of(content)


LINES = st.lists(st.sampled_from(["a", "'", '"""', "'''", "%b", "!c", "d?", "(", ")", "\\", "#"]))


@brief
@given(LINES)
def test_every_line_of_code_is_kept_or_commented_out(lines):
    source = "\n".join(lines).rstrip("\n")
    found = script(code(source)).split("\n")[1:-1]
    for line, kept in zip(source.split("\n"), found, strict=False):
        assert kept in (line, f"# {line}")

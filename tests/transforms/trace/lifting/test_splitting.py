"""What is given of a function, and what is asked for."""

import pytest

from tests.transforms.trace.lifting.repositories import lift_of


@pytest.mark.parametrize(
    ("text", "prompt", "body"),
    [
        ("def f(x): return x\n", "def f(x):\n", "    return x\n"),
        ("def f(x): y = x; return y\n", "def f(x):\n", "    y = x; return y\n"),
        ("def f(x): 'Doc.'; return x\n", "def f(x):\n    'Doc.'\n", "    return x\n"),
        (
            "def f(x):\n    'Doc.'; return x\n",
            "def f(x):\n    'Doc.'\n",
            "    return x\n",
        ),
        (
            "def f(x):  # Why.\n    # What.\n    return x\n",
            "def f(x):  # Why.\n",
            "    # What.\n    return x\n",
        ),
        (
            "def f(\n    x,  # :\n    y={1: 2},\n) -> int:\n    return x\n",
            "def f(\n    x,  # :\n    y={1: 2},\n) -> int:\n",
            "    return x\n",
        ),
        (
            "def f(x):\n\n    '''Doc.'''\n\n    return x\n",
            "def f(x):\n\n    '''Doc.'''\n",
            "\n    return x\n",
        ),
        ("def f(x):\n\treturn x\n", "def f(x):\n", "\treturn x\n"),
        ("def f(x):\n    return x", "def f(x):\n", "    return x\n"),
        ("def f(x):\n    return x  # Done.\n", "def f(x):\n", "    return x  # Done.\n"),
        (
            "def f(x=lambda y: y, z=[1][0:1]): return x\n",
            "def f(x=lambda y: y, z=[1][0:1]):\n",
            "    return x\n",
        ),
        ("def é(ä):\n    return ä\n", "def é(ä):\n", "    return ä\n"),
    ],
)
def test_a_prompt_ends_where_the_body_begins(text, prompt, body):
    lifted = lift_of(text, "é" if "é" in text else "f")
    assert (lifted.prompt, lifted.body) == (prompt, body)


@pytest.mark.parametrize(
    ("literal", "docstring"),
    [
        ("'''Doc.'''", "Doc."),
        ('"Doc."', "Doc."),
        (r'r"""A \d."""', r"A \d."),
        (r'"""A \\d."""', r"A \\d."),
        ("'a' 'b'", "ab"),
        ("('a'\n     'b')", "ab"),
        ('"""A "quoted" one."""', 'A "quoted" one.'),
    ],
)
def test_docstrings_are_as_written(literal, docstring):
    lifted = lift_of(f"def f():\n    {literal}\n    return 1\n", "f")
    assert lifted.docstring == docstring
    assert lifted.prompt == f"def f():\n    {literal}\n"
    assert lifted.prompt_without_docstring == "def f():\n"


def test_a_signature_is_without_its_colon():
    text = (
        "import functools\n@functools.cache\ndef f(x: int = 1,\n      y=2) -> int :\n    return x\n"
    )
    assert lift_of(text, "f").signature == "def f(x: int = 1,\n      y=2) -> int"

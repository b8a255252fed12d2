"""Examples in docstrings that a program can run."""

from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.trace.lifting.repositories import lift_of
from transforms.trace.lifting.docstrings import with_own_examples

TEXT = """Halves.

    Example:

        >>> from pkg.core import halve
        >>> halve(4)
        2

    >>> pkg.core.halve(
    ...     6
    ... )
    3
    >>> x = other(3)
    >>> x
    1

    See also.
    """


def test_examples_stay_that_use_the_program_s_names():
    assert with_own_examples(TEXT, ["pkg"], {"halve", "other"}) == TEXT.replace(
        "        >>> from pkg.core import halve\n", ""
    ).replace("pkg.core.halve", "halve")


def test_examples_of_what_is_gone_go_with_what_depends_on_them():
    changed = with_own_examples(TEXT, ["pkg"], {"halve"})
    assert ">>> halve(4)\n        2\n" in changed
    assert "other" not in changed
    assert ">>> x" not in changed
    assert changed.endswith("    3\n\n    See also.\n    ")


def test_headings_go_that_nothing_is_left_below():
    assert with_own_examples(TEXT, ["pkg"], set()) == "Halves.\n\n    See also.\n    "


def test_examples_that_are_no_python_are_left_alone():
    text = "A.\n\n    >>> f(1,\\\n              2)\n    >>> f(\n    "
    assert with_own_examples(text, ["pkg"], set()) == text


def test_the_last_line_stays_in_front_of_the_quotes():
    assert with_own_examples("A.\n\n    >>> gone()\n    1\n    ", [], set()) == "A.\n    "
    assert with_own_examples("A.\n\n    >>> gone()\n    1", [], set()) == "A."


def test_a_lifted_function_has_the_examples_that_its_program_can_run():
    text = (
        "def gone(): return 1\ndef f(x):\n    '''Doc.\n\n    >>> gone()\n    1\n"
        "    >>> f(gone)\n    '''\n    return x\n"
    )
    lifted = lift_of(text, "f")
    assert lifted.docstring == "Doc.\n    "
    assert lifted.prompt == "def f(x):\n    '''Doc.\n    '''\n"


@given(st.text(alphabet=" \n>.ab(=1\"'\\:", max_size=60))
def test_any_text_has_no_more_lines_than_before(text):
    changed = with_own_examples(text, ["a"], {"b"})
    assert len(changed.split("\n")) <= len(text.split("\n"))

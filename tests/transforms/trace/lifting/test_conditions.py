"""Conditions that are known without running them."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.lifting.conditions import (
    catches_import_faults,
    has_name,
    is_importable,
    is_standard,
    truth,
)


def holds(text, **names):
    values = {name: ast.parse(value, mode="eval").body for name, value in names.items()}
    return truth(ast.parse(text, mode="eval").body, values)


@pytest.mark.parametrize(
    "text",
    [
        "sys.version_info >= (3, 6)",
        "sys.version_info[0] == 3",
        "sys.version_info[:2] > (3, 5)",
        "sys.version_info.major == 3 and sys.version_info.minor >= 11",
        "sys.hexversion > 0x03000000",
        "version_info > (3,)",
        "sys.platform == 'linux'",
        "sys.platform.startswith('lin')",
        "os.name != 'nt'",
        "platform.python_implementation() == 'CPython'",
        "sys.implementation.name == 'cpython'",
        "'posix' in sys.builtin_module_names",
        "hasattr(math, 'floor')",
        "not hasattr(math, 'gone')",
        "__name__ != '__main__'",
        "not TYPE_CHECKING",
        "not typing.TYPE_CHECKING",
        "unknown or 1",
        "True",
        "not None",
        "not ''",
    ],
)
def test_what_holds_for_the_interpreter_of_programs_is_true(text):
    assert holds(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "sys.version_info < (3,)",
        "os.name == 'nt'",
        "TYPE_CHECKING",
        "unknown and 0",
        "0 and unknown",
    ],
)
def test_what_does_not_is_false(text):
    assert holds(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "unknown",
        "unknown()",
        "1 < 2 < unknown",
        "unknown or 0",
        "sys.argv",
        "(1, 2)[5]",
        "'a' < 1",
        "'a' in 3",
        "hasattr(thing, 'x')",
        "sys.version_info[unknown]",
        "globals()",
        "1 + 1 == 2",
    ],
)
def test_what_nobody_knows_is_none(text):
    assert holds(text) is None


def test_names_stand_for_what_is_assigned_to_them_once():
    assert holds("PY3", PY3="sys.version_info[0] == 3") is True
    assert holds("PY2", PY2="not PY3", PY3="True") is False
    assert holds("a", a="b", b="a") is None
    assert holds("hasattr(math, 'floor')", math="None") is None


def test_names_of_the_standard_library_are_asked_for_where_importing_is_harmless():
    assert has_name("math", "floor") is True
    assert has_name("math", "gone") is False
    assert has_name("antigravity", "geohash") is None
    assert has_name("os", "path") is True


def test_modules_are_of_the_standard_library_or_not():
    assert is_standard("xml.sax.saxutils")
    assert not is_standard("numpy.linalg")
    assert is_importable("math")
    assert not is_importable("numpy")


@pytest.mark.parametrize(
    ("clause", "catches"),
    [
        ("except:", True),
        ("except ImportError:", True),
        ("except (ValueError, ModuleNotFoundError) as error:", True),
        ("except Exception:", True),
        ("except ValueError:", False),
        ("except errors.ImportError:", False),
    ],
)
def test_handlers_catch_imports_that_fail_or_not(clause, catches):
    tree = ast.parse(f"try:\n    pass\n{clause}\n    pass\n").body[0]
    assert catches_import_faults(tree.handlers[0]) is catches


EXPRESSIONS = st.recursive(
    st.sampled_from(["sys.version_info", "os.name", "1", "'a'", "(3, 7)", "unknown", "None"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["<", "==", "in", "is"]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[:{}]".format, inner, inner),
        st.builds("({}).startswith({})".format, inner, inner),
    ),
)


@given(EXPRESSIONS)
def test_any_condition_has_an_answer(text):
    assert holds(text) in (True, False, None)

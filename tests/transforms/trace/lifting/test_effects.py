"""What statements change besides what they bind."""

import ast

import pytest

from transforms.trace.lifting.effects import (
    ANY,
    REGISTERED,
    attributes_at_once,
    body_effects,
    called_names,
    effects,
)


def statement(text):
    return ast.parse(text).body[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TABLE[1] = 2", {("TABLE", None)}),
        ("del TABLE[1]", {("TABLE", None)}),
        ("TABLE[1].x[2] = 3", {("TABLE", None)}),
        ("C.x = 2", {("C", "x")}),
        ("C.x.y = 2", {("C", None)}),
        ("COUNT += 1", {("COUNT", None)}),
        ("ITEMS.append(1)", {("ITEMS", None)}),
        ("setattr(C, 'x', 1)", {("C", "x")}),
        ("setattr(C, name, 1)", {("C", ANY), ("name", ANY)}),
        ("Base.register(C)", {("Base", None), ("C", REGISTERED)}),
        ("for item in (A, B):\n    item.x = 1", {("item", "x"), ("A", None), ("B", None)}),
        ("@app.route('/')\ndef f(): pass", {("app", None)}),
        ("def f():\n    TABLE[1] = 2", set()),
        ("x = ITEMS.copy()", set()),
        ("import a", set()),
    ],
)
def test_changes_are_found(text, expected):
    assert effects(statement(text)) == expected


def test_a_function_may_change_what_its_body_changes():
    text = "def f():\n    global A\n    TABLE[1] = 2\n    ITEMS.append(1)\n    other.x = 1"
    assert body_effects(statement(text)) == {"A", "TABLE", "ITEMS"}


def test_functions_that_a_statement_calls_are_found():
    assert called_names(statement("x = f(g(1), lambda: h())")) == {"f", "g"}
    assert called_names(statement("@f\n@g(1)\ndef k(): h()")) == {"f", "g"}


def test_attributes_of_functions_wait_but_those_of_their_defaults():
    text = "class C:\n    x = a.b\n    @p.q\n    def f(self, y=c.d):\n        return e.g\n"
    assert set(attributes_at_once(statement(text))) == {"b", "q", "d"}

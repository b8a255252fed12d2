"""Which statements of a module run."""

import ast

import pytest

from transforms.trace.lifting.flattening import flatten


def names(text, works=lambda name: name in ("os", "here"), line=None):
    """What the statements that run assign, those for type checkers with a star."""

    def imports(node):
        return all(works(alias.name) for alias in node.names)

    found = []
    for flat in flatten(ast.parse(text).body, imports, line):
        node = flat.node
        name = getattr(node, "name", None) or ast.unparse(node).partition(" =")[0]
        found.append(f"{name}*" if flat.typing_only else name)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if True:\n    a = 1\nelse:\n    b = 2\n", ["a"]),
        ("if 0:\n    a = 1\nelif 1:\n    b = 2\n", ["b"]),
        ("try:\n    import here\nexcept ImportError:\n    a = 1\n", ["import here"]),
        ("try:\n    import gone\nexcept ImportError:\n    a = 1\n", ["a"]),
        (
            "try:\n    x = 1\n    import gone\n    y = 1\nexcept ImportError:\n    a = 1\n",
            ["x", "a"],
        ),
        ("try:\n    import here\nexcept:\n    a = 1\nelse:\n    b = 2\n", ["import here", "b"]),
        (
            "try:\n    import gone\nexcept ImportError:\n    a = 1\nfinally:\n    c = 1\n",
            ["a", "c"],
        ),
        ("with suppress(ImportError):\n    import gone\n    a = 1\nb = 2\n", ["b"]),
        ("with contextlib.suppress(ImportError):\n    import here\n", ["import here"]),
        ("if TYPE_CHECKING:\n    a = 1\nb = 2\n", ["a*", "b"]),
        ("PY2 = False\nif PY2:\n    a = 1\nelse:\n    b = 2\n", ["PY2", "b"]),
        ("a = 1\nif 'a' in globals():\n    b = 2\n", ["a", "b"]),
        ("if True:\n    if False:\n        a = 1\n    else:\n        b = 2\n", ["b"]),
    ],
)
def test_branches_are_taken_where_that_is_known(text, expected):
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "if unknown:\n    a = 1\nelse:\n    b = 2\n",
        "try:\n    a = thing()\nexcept Exception:\n    b = 2\n",
        "try:\n    import gone\nexcept ImportError as error:\n    a = error\n",
        "try:\n    import gone\nexcept ValueError:\n    a = 1\n",
        "with open(name):\n    a = 1\n",
        "while True:\n    a = 1\n",
    ],
)
def test_what_is_not_known_stays_whole(text):
    assert len(names(text)) == 1


def test_the_branch_of_a_function_that_ran_was_taken():
    text = "if unknown:\n    def f(): return 1\nelse:\n    def f(): return 2\n    g = 3\n"
    assert names(text, line=2) == ["f"]
    assert names(text, line=4) == ["f", "g"]


def test_a_handler_in_which_a_function_ran_was_run():
    text = "try:\n    from here import f\nexcept ImportError:\n    def f(): return 2\n"
    assert names(text, line=4) == ["f"]

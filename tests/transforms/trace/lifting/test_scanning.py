"""Which names of a statement are those of its module."""

import ast

import pytest

from tests.transforms.trace.lifting.repositories import called, program, reason
from transforms.trace.lifting.scanning import scan
from transforms.trace.lifting.scopes import Origin


def imported(node):
    return [
        (alias.asname or alias.name.partition(".")[0], Origin(alias.name, None))
        for alias in node.names
    ]


def names_in(text):
    found = scan(
        ast.parse(text).body, imported, lambda _: False, lambda _: False, lazy_annotations=False
    )
    return {use.name for use in found.uses if not use.stores}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(a, *b, c=d, **e): return a + b + c + e + g", {"d", "g"}),
        ("def f():\n    x = 1\n    def g(): return x\n    return g", set()),
        ("def f():\n    def g():\n        nonlocal x\n        x = 2\n    x = 1", set()),
        ("def f():\n    global x\n    return x", {"x"}),
        ("def f(): return [a for a in b if a in c]", {"b", "c"}),
        ("def f(): return {k: v for k, v in pairs}", {"pairs"}),
        ("def f(): return any((last := a) for a in b), last", {"any", "b"}),
        ("x = [y := 1 for _ in z]", {"z"}),
        ("def f(a):\n    match a:\n        case [b, *c] | {'d': b, **c}: return b", set()),
        ("def f(a):\n    match a:\n        case Point(x=0) as p: return p", {"Point"}),
        ("def f():\n    try: pass\n    except E as e: return e", {"E"}),
        ("def f():\n    with open(p) as (a, b): return a", {"open", "p"}),
        ("def f():\n    for i in range(3): pass\n    return i", {"range"}),
        ("def f():\n    import os.path\n    return os", set()),
        ("def f():\n    del x", set()),
        ("f = lambda a, b=c: a + b + d", {"c", "d"}),
        ("class C:\n    x = 1\n    y = x\n    def f(self): return x", {"x"}),
        ("class C:\n    x = x", {"x"}),
        ("class C:\n    a = [z for z in b]\n    c = [b for z in a]", {"b"}),
        ("class C:\n    def f(self): return __class__", {"__class__"}),
        ("def f(a: 'Later') -> 'list[Other]': pass", {"Later", "list", "Other"}),
        ("def f(a: Literal['name']): pass", {"Literal"}),
        ("x: int = 1", {"int"}),
        ("x += 1", {"x"}),
        ("f'{a!r:{b}} {c=}'", {"a", "b", "c"}),
    ],
)
def test_names_of_the_module_are_those_that_nothing_inside_binds(text, names):
    assert names_in(text) == names


def test_private_names_are_those_of_their_class():
    found = scan(
        ast.parse("class C:\n    def f(self): return self.__x").body,
        lambda _: (),
        lambda _: False,
        lambda _: False,
        lazy_annotations=False,
    )
    assert {name for _, name in found.attributes} == {"_C__x"}


def test_a_branch_that_is_never_taken_uses_nothing():
    text = (
        "import sys\ndef f(x):\n    if sys.version_info < (3,):\n"
        "        return unicode2(x)\n    return x"
    )
    assert called(text, "f", 3) == 3


def test_an_import_of_the_project_inside_a_function_becomes_what_it_means():
    modules = {
        "p": "",
        "p.a": (
            "def f(x):\n    from p import b\n    from p.b import g as h\n    return b.g(x) + h(x)\n"
        ),
        "p.b": "def g(x):\n    return x + 1\n",
    }
    assert called(modules, "p.a:f", 1) == 4
    assert "import" not in program(modules, "p.a:f")


def test_an_import_in_an_indented_branch_leaves_its_line():
    modules = {
        "p": "",
        "p.a": "import sys\nif sys.version_info > (3,):\n    def f(x):\n"
        "        from p.b import g\n        return g(x)\n",
        "p.b": "def g(x):\n    return x + 1\n",
    }
    assert called(modules, "p.a:f", 1) == 2
    assert "import" not in program(modules, "p.a:f")


def test_an_import_that_is_the_only_statement_of_a_block_becomes_a_pass():
    modules = {
        "p": "",
        "p.a": "def f(x):\n    if x:\n        from p.b import g\n    return g(x)\n",
        "p.b": "def g(x):\n    return x + 1\n",
    }
    assert called(modules, "p.a:f", 1) == 2


def test_a_name_that_a_function_imports_and_assigns_is_assigned_in_both_places():
    modules = {
        "p": "",
        "p.a": "def f(x):\n    from p.b import g\n    if x:\n        g = abs\n    return g(x)\n",
        "p.b": "def g(x):\n    return x + 1\n",
    }
    assert called(modules, "p.a:f", -3) == 3
    assert called(modules, "p.a:f", 0) == 1


def test_names_looked_up_in_a_namespace_are_a_reason():
    assert reason("A = 1\ndef f(x):\n    return globals()[x]\n", "f") == "dynamic_names"
    assert reason("import sys\ndef f(x):\n    return sys.modules[x]\n", "f") == "dynamic_names"


def test_an_import_of_what_the_project_lacks_fails_where_something_catches_that():
    modules = {
        "p": "",
        "p.a": "def f(x):\n    try:\n        from p._fast import g\n        from ... import h\n"
        "    except ImportError:\n        g = abs\n    return g(x)\n",
        "p.b": "def f():\n    try:\n        from .. import a\n    except ImportError:\n"
        "        a = 3\n    return a\n",
    }
    assert called(modules, "p.a:f", -1) == 1
    assert called(modules, "p.b:f") == 3
    assert "import " not in program(modules, "p.a:f")

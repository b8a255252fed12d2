"""Which members of a class come along."""

import pytest

from tests.transforms.trace.lifting.repositories import called, entry, program


def members(text, name="f", values=()):
    _, names = entry(text, name, values)
    return {each for each in vars(names["C"]) if not each.startswith("__")}


def test_methods_come_that_something_names():
    text = (
        "class C:\n    def used(self): return self.inner()\n    def inner(self): return 1\n"
        "    def other(self): return 2\ndef f():\n    return C().used()\n"
    )
    assert members(text) == {"used", "inner"}


def test_methods_come_that_getattr_names():
    text = (
        "class C:\n    def used(self): return 1\n    def other(self): return 2\ndef f():\n"
        "    return getattr(C(), 'used')()\n"
    )
    assert members(text) == {"used"}


def test_all_methods_come_where_names_of_attributes_are_computed():
    text = (
        "class C:\n    def used(self): return 1\n    def other(self): return 2\n"
        "def f(name):\n    return getattr(C(), name)()\n"
    )
    assert members(text) == {"used", "other"}


def test_all_methods_come_where_a_foreign_base_may_call_them():
    text = (
        "from html.parser import HTMLParser\nclass C(HTMLParser):\n"
        "    def handle_data(self, data): pass\n    def other(self): return 2\ndef f():\n"
        "    return C()\n"
    )
    assert members(text) == {"handle_data", "other"}


def test_methods_of_a_dataclass_come_where_they_are_named():
    text = (
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    x: int = 1\n"
        "    def used(self): return self.x\n    def other(self): return 2\ndef f():\n"
        "    return C().used()\n"
    )
    assert "used" in members(text)
    assert "other" not in members(text)


def test_constants_with_a_computed_value_come_where_they_are_named():
    text = (
        "class C:\n    A = len('ab')\n    B = len('c')\n    D = 4\n"
        "    def g(self): return self.A\ndef f():\n    return C().g()\n"
    )
    assert members(text) == {"A", "D", "g"}


def test_strings_below_members_come_with_them():
    text = (
        'class C:\n    """Doc."""\n    def g(self): return 1\n    h = g\n    """Older."""\n'
        '    i = g\n    """Oldest."""\ndef f():\n    return C().i()\n'
    )
    assert "Older." not in program(text, "f")
    assert "Oldest." in program(text, "f")
    assert '"""Doc."""' in program(text, "f")


def test_a_method_that_another_name_needs_comes():
    text = (
        "class C:\n    def __dir__(self): return []\n    __members__ = __dir__\ndef f():\n"
        "    return C()\n"
    )
    assert called(text, "f").__members__() == []


def test_a_name_that_a_class_takes_from_its_module_comes():
    text = (
        "def parse(x):\n    return x\nclass C:\n    parse = staticmethod(parse)\n"
        "    limit = limit = 3\ndef f():\n    return C.parse(3)\n"
    )
    assert called(text, "f") == 3


def test_a_class_with_the_name_of_its_own_member_finds_the_module_s():
    text = "def run(x):\n    return x + 1\nclass C:\n    run = run\ndef f():\n    return C.run(3)\n"
    assert called(text, "f") == 4


def test_a_class_without_any_member_left_is_still_one():
    text = "class C:\n    def g(self): return 1\ndef f():\n    return C().__class__.__name__\n"
    assert called(text, "f") == "C"


def test_a_class_on_one_line_comes_whole():
    assert called("class C: x = 1; y = 2\ndef f():\n    return C.y\n", "f") == 2


def test_members_that_share_a_line_come_together():
    assert called("class C:\n    x = 1; y = x + 1\ndef f():\n    return C.y\n", "f") == 2


def test_a_deleted_member_is_deleted_where_it_is_there():
    text = (
        "class C:\n    def _make(): return 3\n    x = _make()\n    del _make\ndef f():\n"
        "    return C.x, hasattr(C, '_make')\n"
    )
    assert called(text, "f") == (3, False)


def test_members_of_an_enumeration_all_come_in_order():
    text = (
        "import enum\nclass C(enum.Enum):\n    A = enum.auto()\n    B = enum.auto()\n"
        "    D = 7\n    @property\n    def bare(self): return self.value\ndef f(x):\n"
        "    return [each.name for each in C]\n"
    )
    assert called(text, "f", 1) == ["A", "B", "D"]


def test_a_named_tuple_comes_with_its_fields():
    text = (
        "from typing import NamedTuple\nclass C(NamedTuple):\n    x: int\n    y: int = 2\n"
        "    def both(self): return self.x + self.y\ndef f():\n    return C(1).both()\n"
    )
    assert called(text, "f") == 3


def test_abstract_methods_come_with_what_implements_them():
    text = (
        "from abc import ABC, abstractmethod\nclass B(ABC):\n    @abstractmethod\n"
        "    def g(self): ...\n    def h(self): return self.g()\nclass C(B):\n"
        "    def g(self): return 3\ndef f():\n    return C().h()\n"
    )
    assert called(text, "f") == 3


def test_a_base_class_of_another_module_comes():
    modules = {
        "p": "from .a import B\n",
        "p.a": "class B:\n    def g(self):\n        return self.h() + 1\n",
        "p.b": (
            "import p\nclass C(p.B):\n    def h(self):\n        return 1\ndef f():\n"
            "    return C().g()\n"
        ),
    }
    assert called(modules, "p.b:f") == 2


def test_a_class_is_made_by_the_metaclass_of_the_project():
    text = (
        "class M(type):\n    def __new__(mcs, name, bases, members):\n"
        "        members['made'] = 5\n"
        "        return super().__new__(mcs, name, bases, members)\nclass C(metaclass=M):\n"
        "    def g(self): return self.made\ndef f():\n    return C().g()\n"
    )
    assert called(text, "f") == 5


@pytest.mark.parametrize("slots", ["__slots__ = ('x',)", "__slots__ = 'x',", "__hash__ = None"])
def test_special_names_of_a_class_come(slots):
    text = f"class C:\n    {slots}\n    def g(self): return 1\ndef f():\n    return vars(C)\n"
    assert slots.partition(" ")[0] in called(text, "f")


def test_signatures_for_type_checkers_stay_away():
    text = (
        "from typing import overload\nclass C:\n    @overload\n"
        "    def g(self, x: int) -> int: ...\n    @overload\n"
        "    def g(self, x: str) -> str: ...\n    def g(self, x): return x\ndef f():\n"
        "    return C().g(2)\n"
    )
    assert called(text, "f") == 2
    assert "overload" not in program(text, "f")

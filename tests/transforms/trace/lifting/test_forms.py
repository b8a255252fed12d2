"""Methods and properties: at the end of their classes, or behind them as functions."""

from tests.transforms.trace.lifting.repositories import called, entry, lift_of, program, reason

SHAPES = '''
from functools import cached_property


class Shape:
    """A shape."""

    def __init__(self, size):
        self.size = size

    # Of the outside.
    @property
    def area(self):
        """Its area."""
        return self.size**2

    @area.setter
    def area(self, value):
        self.size = value**0.5

    @cached_property
    def twice(self):
        """Twice its area."""
        return 2 * self.area

    def grown(self, by=1, *, times=1):
        """A larger size.

        Of the same shape.
        """
        return self.size * times + by + self.bonus()

    def bonus(self):
        return 0

    def compared(self):
        return self.grown(2)


class Round(Shape):
    def bonus(self):
        return super().bonus() + 10

    def bonus_and_more(self):
        """More."""
        return super().bonus() + len([each for each in range(self.size)])


UNIT = Round(1)
'''


def test_a_property_that_nothing_else_reads_is_a_method():
    lifted = lift_of(SHAPES, "Shape.twice")
    assert (lifted.entry_point, lifted.receiver) == ("Shape.twice", True)
    assert "cached_property" not in lifted.prompt
    function, names = entry(SHAPES, "Shape.twice")
    assert function(names["Shape"](3)) == 18


def test_a_property_that_others_read_stays_one_that_calls_the_method():
    text = SHAPES + "\n\ndef doubled(shape):\n    return shape.area * 2\n"
    lifted = lift_of(text, "Shape.twice", {"m:doubled"})
    assert lifted.own_names == {"m:doubled": "doubled"}
    text = text.replace(
        "def bonus(self):\n        return 0", "def bonus(self):\n        return self.twice"
    )
    text = text.replace(
        "return 2 * self.area", "return 2 * self.size if self.size > 4 else self.bonus()"
    )
    lifted = lift_of(text, "Shape.twice")
    assert lifted.entry_point == "Shape.get_twice"
    assert "    twice = cached_property(lambda self: self.get_twice())\n" in lifted.prompt
    function, names = entry(text, "Shape.twice")
    assert function(names["Shape"](5)) == names["Shape"](5).bonus() == 10


def test_a_property_with_a_setter_is_still_set():
    text = SHAPES.replace("return self.size**2", "self.area = 4\n        return self.size**2")
    function, names = entry(text, "Shape.area")
    assert function(names["Shape"](3)) == 4


def test_what_sets_or_deletes_a_property_is_none():
    assert (
        reason(
            "class C:\n    x = property()\n\n    @x.deleter\n    def x(self): self.y = 1\n", "C.x"
        )
        == "property"
    )


def test_comments_above_a_property_stay():
    text = SHAPES.replace(
        "@area.setter\n    def area(self, value):\n        self.size = value**0.5\n", ""
    )
    assert "    # Of the outside.\n    def area(self):\n" in program(text, "Shape.area")


def test_a_method_stands_behind_its_class_where_a_value_needs_the_class():
    lifted = lift_of(SHAPES, "Shape.grown", {"m:UNIT"})
    assert (lifted.entry_point, lifted.receiver) == ("grown", True)
    assert lifted.own_names == {"m:UNIT": "UNIT"}
    assert "\ndef grown(self: Shape, by=1, *, times=1):\n" in lifted.prompt
    function, names = entry(SHAPES, "Shape.grown", {"m:UNIT"})
    assert function(names["UNIT"], 2, times=3) == 15


def test_a_method_is_in_its_class_where_nothing_needs_that_before():
    assert lift_of(SHAPES, "Shape.grown").entry_point == "Shape.grown"


def test_docstrings_move_to_the_left_with_their_function():
    lifted = lift_of(SHAPES, "Shape.grown", {"m:UNIT"})
    assert lifted.docstring == "A larger size.\n\n    Of the same shape.\n    "
    assert '    """A larger size.\n\n    Of the same shape.\n    """\n' in lifted.prompt


def test_strings_keep_their_white_space_when_a_function_moves():
    text = SHAPES.replace(
        "return self.size * times",
        'note = """a\n        b"""\n        return note, self.size * times',
    )
    text = text.replace(" + by + self.bonus()", "")
    assert called(text, "Shape.grown", *[type("T", (), {"size": 2})()], values={"m:UNIT"}) == (
        "a\n        b",
        2,
    )


def test_the_class_calls_the_function_behind_it_where_it_uses_the_method():
    text = SHAPES.replace(
        "return self.size * times + by",
        "return self.size * times + by if self.size < 5 else self.compared()",
    )
    lifted = lift_of(text, "Shape.grown", {"m:UNIT"})
    assert (
        "    def grown(self, *arguments, **keywords):\n"
        "        return grown(self, *arguments, **keywords)\n"
    ) in lifted.prompt
    assert "def grown(self, *" not in lift_of(SHAPES, "Shape.grown", {"m:UNIT"}).prompt


def test_super_names_its_class_outside_of_it():
    text = SHAPES + "\n\nclass Third(Round):\n    pass\n\n\nOTHER = Third(2)\n"
    lifted = lift_of(text, "Round.bonus_and_more", {"m:OTHER"})
    assert "super(Round, self).bonus()" in lifted.body
    function, names = entry(text, "Round.bonus_and_more", {"m:OTHER"})
    assert function(names["OTHER"]) == 2


def test_a_property_behind_its_class_takes_the_object():
    lifted = lift_of(SHAPES, "Shape.area", {"m:UNIT"})
    assert lifted.entry_point == "area"
    assert "@property\ndef" not in lifted.prompt
    function, names = entry(SHAPES, "Shape.area", {"m:UNIT"})
    assert function(names["UNIT"]) == 1


def test_special_methods_go_on_working_from_behind_their_class():
    text = (
        "class C:\n    def __contains__(self, other):\n        return other == 3\n\n\n"
        "ITEMS = C()\nFOUND = C\n"
    )
    function, names = entry(text, "C.__contains__", {"m:ITEMS"})
    assert function.__name__ == "contains"
    assert 3 in names["ITEMS"]


def test_methods_with_private_names_of_their_class_stay_inside():
    text = (
        "class C:\n    def f(self):\n        return self.__x\n\n    def __g(self):\n"
        "        self.__x = 1\n\n\nONE = C()\n"
    )
    lifted = lift_of(text, "C.f", {"m:ONE"})
    assert (lifted.entry_point, lifted.own_names) == ("C.f", {})


def test_methods_with_defaults_of_their_class_stay_inside():
    text = (
        "class C:\n    SIZE = 3\n\n    def f(self, size=SIZE):\n        return size\n\n\n"
        "ONE = C()\n"
    )
    assert lift_of(text, "C.f", {"m:ONE"}).entry_point == "C.f"


def test_a_function_behind_a_class_takes_no_name_of_another_or_of_a_builtin():
    text = (
        "def f():\n    return 1\n\n\nclass TheCase:\n    def f(self):\n"
        "        return f() + self.len()\n\n    def len(self):\n        return len('ab')\n"
        "\n\nONE = TheCase()\n"
    )
    assert lift_of(text, "TheCase.f", {"m:ONE"}).entry_point == "the_case_f"
    assert lift_of(text, "TheCase.len", {"m:ONE"}).entry_point == "the_case_len"
    function, names = entry(text, "TheCase.f", {"m:ONE"})
    assert function(names["ONE"]) == 3


def test_class_methods_and_static_methods_stay_inside():
    text = (
        "class C:\n    @classmethod\n    def f(cls):\n        return cls\n\n"
        "    @staticmethod\n    def g():\n        return 1\n\n\nONE = C()\n"
    )
    for name in ("f", "g"):
        lifted = lift_of(text, f"C.{name}", {"m:ONE"})
        assert (lifted.entry_point, lifted.receiver) == (f"C.{name}", False)


def test_a_class_that_registers_is_whole_before():
    text = (
        "from collections.abc import Sized\n\n\nclass C:\n    def f(self):\n"
        "        return isinstance(self, Sized)\n\n\nSized.register(C)\n"
    )
    function, names = entry(text, "C.f")
    assert function(names["C"]()) is True


def test_registering_a_class_that_nothing_asks_for_is_left_out():
    text = (
        "from collections.abc import Sized\n\n\nclass C:\n    def f(self):\n"
        "        return 1\n\n\nSized.register(C)\n"
    )
    lifted = lift_of(text, "C.f")
    assert lifted.entry_point == "C.f"
    assert "Sized" not in lifted.prompt

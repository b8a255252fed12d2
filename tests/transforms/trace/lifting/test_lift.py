from dataclasses import dataclass

import pytest

from transforms.trace.lifting import Lifted, LiftReason, Sources, lift

CORE = '''"""Core."""
import math
import os
from .util import halve as half

LIMITS = {}
LIMITS["low"] = 1


class Box:
    """A box."""

    def __init__(self, size):
        self.size = size

    def unused(self):
        return os.getcwd()

    def grown(self, by):
        """A larger size."""
        # Doubled.
        return 2 * (self.size + by)


def scaled(value, by=2):
    """Scales."""
    return half(value) * by + LIMITS["low"] + math.floor(value)


def outer(factor):
    def inner(value):
        return value * factor

    return inner


def foreign(value):
    import numpy

    return numpy.array(value)


def empty():
    """Nothing."""
'''
UTIL = "def halve(value):\n    return value / 2\n\n\ndef other():\n    return 1\n"
SOURCES = Sources(
    {
        "pkg": ("pkg/__init__.py", ""),
        "pkg.core": ("pkg/core.py", CORE),
        "pkg.util": ("pkg/util.py", UTIL),
    }
)


@dataclass(frozen=True)
class Place:
    module: str
    qualname: str
    line: int


def place(qualname):
    name = qualname.rpartition(".")[2]
    lines = CORE.splitlines()
    return Place(
        "pkg.core", qualname, 1 + next(n for n, t in enumerate(lines) if f"def {name}(" in t)
    )


def test_a_function_comes_with_what_it_needs_of_all_modules_and_no_more():
    lifted = lift(SOURCES, place("scaled"))
    assert isinstance(lifted, Lifted)
    program = lifted.prompt + lifted.body
    assert "import os" not in program
    assert "def other" not in program
    namespace = {}
    exec(program, namespace)
    assert namespace[lifted.entry_point](4) == 9
    assert lifted.docstring == "Scales."
    assert lifted.body == '    return half(value) * by + LIMITS["low"] + math.floor(value)\n' or (
        "halve(value)" in lifted.body
    )


def test_a_method_is_the_last_of_its_class():
    lifted = lift(SOURCES, place("Box.grown"))
    assert isinstance(lifted, Lifted)
    assert (lifted.entry_point, lifted.receiver) == ("Box.grown", True)
    assert lifted.body.startswith("        # Doubled.\n")
    namespace = {}
    exec(lifted.prompt + lifted.body, namespace)
    assert namespace["Box"].grown(namespace["Box"](1), 2) == 6
    assert "unused" not in lifted.prompt


@pytest.mark.parametrize(
    ("qualname", "reason"),
    [
        ("outer.<locals>.inner", LiftReason.CLOSURE),
        ("foreign", LiftReason.USES_PACKAGE),
        ("empty", LiftReason.EMPTY_BODY),
    ],
)
def test_what_cannot_stand_alone_says_why(qualname, reason):
    assert lift(SOURCES, place(qualname)).reason is reason


def test_allowed_packages_may_be_imported():
    assert isinstance(
        lift(SOURCES, place("foreign"), allowed_packages=frozenset({"numpy"})), Lifted
    )


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = " + "(" * 500 + ")" * 500])
def test_text_that_is_no_python_is_a_reason(text):
    sources = Sources({"m": ("m.py", text)})
    assert lift(sources, Place("m", "f", 1)).reason is LiftReason.NOT_PARSED

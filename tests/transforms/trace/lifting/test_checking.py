"""A last look at a program."""

import pytest

from transforms.trace.lifting.checking import check_program
from transforms.trace.lifting.results import LiftError


def check(text, packages=(), lost=(), *, lazy=False):
    check_program(text, frozenset(packages), lost, lazy_annotations=lazy)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return LATER\nLATER = 1\n",
        "import os.path\ndef f():\n    return os.path.sep\n",
        "for each in ():\n    x = each\ndef f():\n    return x\n",
        "from math import *\ndef f():\n    return floor(1)\n",
        "def f(x: 'Unknown'):\n    return x\n",
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
    ],
)
def test_programs_pass_in_which_all_has_a_meaning(text):
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return gone\n",
        "X = LATER\nLATER = 1\n",
        "def f(x: Unknown):\n    return x\n",
        "import numpy\n",
        "def f():\n    import numpy.linalg\n",
        "def f():\n    return (\n",
        "def f():\n    return 1\n  x = 2\n",
        "return 1\n",
        "x = '\0'\n",
    ],
)
def test_programs_fail_in_which_something_has_none(text):
    with pytest.raises(LiftError):
        check(text)


def test_what_is_allowed_or_lost_has_a_meaning():
    check("import numpy\n", packages=["numpy"])
    check("def f():\n    return gone\n", lost=["gone"])
    check("def f(x: Unknown):\n    return x\n", lazy=True)

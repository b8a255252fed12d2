"""What names of a module stand for, through imports and re-exports."""

import pytest

from tests.transforms.trace.lifting.repositories import called, program, reason


def test_names_come_through_several_star_imports():
    modules = {
        "p": "",
        "p.a": "from .b import *\nfrom .c import *\ndef f(x):\n    return g(x) + h(x)\n",
        "p.b": "def g(x): return x + 1\n",
        "p.c": "def h(x): return x * 2\n",
    }
    assert called(modules, "p.a:f", 3) == 10


def test_the_last_star_import_that_has_a_name_counts():
    modules = {
        "p": "",
        "p.a": "from .b import *\nfrom .c import *\ndef f():\n    return g()\n",
        "p.b": "def g(): return 1\n",
        "p.c": "def g(): return 2\n",
    }
    assert called(modules, "p.a:f") == 2


def test_a_star_import_takes_what_all_names():
    modules = {
        "p": "",
        "p.a": "from .b import *\nfrom .c import *\ndef f():\n    return g(), _h()\n",
        "p.b": "def g(): return 1\n",
        "p.c": "__all__ = ['_h']\ndef g(): return 2\ndef _h(): return 3\n",
    }
    assert called(modules, "p.a:f") == (1, 3)


def test_all_of_a_module_grows():
    modules = {
        "p": (
            "from .a import *\nfrom .a import __all__ as names\n__all__ = []\n"
            "__all__ += names\n__all__ += ['z']\n"
        ),
        "p.a": (
            "__all__ = ['g']\n__all__.append('_h')\n__all__ += ['_i']\ndef g(): return 1\n"
            "def _h(): return 2\ndef _i(): return 3\n"
        ),
        "p.b": "from p import *\nfrom p.a import *\ndef f():\n    return g(), _h(), _i()\n",
    }
    assert called(modules, "p.b:f") == (1, 2, 3)


def test_names_come_through_the_package():
    modules = {
        "p": "from .a import g as h\n",
        "p.a": "def g(x): return x + 1\n",
        "p.b": (
            "import p\nfrom . import h\nfrom p import a\ndef f(x):\n"
            "    return p.h(x) + h(x) + p.a.g(x) + a.g(x)\n"
        ),
    }
    assert called(modules, "p.b:f", 1) == 8


def test_modules_that_import_each_other_make_one_program():
    modules = {
        "p": "",
        "p.a": (
            "from p import b\nclass A:\n    def g(self): return b.h(2)\ndef f():\n"
            "    return A().g()\n"
        ),
        "p.b": (
            "import p.a\ndef h(x):\n    return x if x < 1 else h(x - 1) + 1\n"
            "def made(): return p.a.A()\n"
        ),
    }
    assert called(modules, "p.a:f") == 2


def test_relative_imports_go_up_as_far_as_there_are_packages():
    modules = {
        "p": "",
        "p.q": "",
        "p.q.a": (
            "from ..b import g\nfrom .. import b as other\nfrom . import c\ndef f():\n"
            "    return g() + other.g() + c.g()\n"
        ),
        "p.q.c": "def g(): return 4\n",
        "p.b": "def g(): return 1\n",
    }
    assert called(modules, "p.q.a:f") == 6
    modules = {"p": "", "p.a": "from ...x import g\ndef f():\n    return g()\n"}
    assert reason(modules, "p.a:f") in (
        "uses_package",
        "missing_module",
    )


def test_a_module_in_which_a_name_is_missing_may_have_a_function_that_finds_it():
    text = "def __getattr__(name):\n    return 1\n"
    modules = {"p": text, "p.a": "import p\ndef f():\n    return p.g()\n"}
    assert reason(modules, "p.a:f") == "dynamic_names"


def test_a_module_with_such_a_function_has_its_other_names():
    modules = {
        "p": "from .b import *\ndef __getattr__(name):\n    return 1\n",
        "p.a": "import p\nfrom p import h\ndef f():\n    return p.g() + h()\n",
        "p.b": "def g(): return 1\ndef h(): return 2\n",
    }
    assert called(modules, "p.a:f") == 3


def test_names_of_the_standard_library_come_through_the_project():
    modules = {
        "p": "",
        "p.compat": (
            "import re as regex\nfrom json import *\n"
            "from collections import OrderedDict as Ordered\nimport os.path\n"
        ),
        "p.a": (
            "from .compat import Ordered, os, regex\nfrom . import compat\ndef f():\n"
            "    return (Ordered(a=1), os.path.sep, regex.escape('.'),\n"
            "            compat.regex.escape('a'), compat.os.sep)\n"
        ),
    }
    result = called(modules, "p.a:f")
    assert (dict(result[0]), result[1:]) == ({"a": 1}, ("/", "\\.", "a", "/"))
    assert "compat" not in program(modules, "p.a:f")


def test_a_star_import_from_outside_stays():
    assert called("from math import *\ndef f():\n    return floor(2.5)\n", "f") == 2


def test_submodules_of_the_standard_library_stay_loaded():
    text = (
        "import xml\nimport xml.dom.minidom\nimport xml.sax.saxutils\ndef f():\n"
        "    return xml.sax.saxutils.escape('<'), xml.dom.minidom.__name__\n"
    )
    assert called(text, "f") == ("&lt;", "xml.dom.minidom")


def test_a_circle_of_imports_is_a_reason():
    modules = {
        "p": "",
        "p.a": "from .b import g\ndef f(): return g()\n",
        "p.b": "from .a import g\n",
    }
    assert reason(modules, "p.a:f") == "unknown_name"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f(): return nothing()", "unknown_name"),
        ("import numpy\ndef f(): return numpy.zeros(1)", "uses_package"),
        ("import numpy.linalg as la\ndef f(): return la", "uses_package"),
        ("def f(): return __file__", "package_data"),
        ("import pkgutil\ndef f(): return pkgutil.get_data('a', 'b')", "package_data"),
        ("from importlib import resources\ndef f(): return resources.files('m')", "package_data"),
        ("from importlib import metadata\ndef f(): return metadata.version('m')", "package_data"),
        ("import m\ndef f(): return m", "module_as_value"),
        ("import m\nx = 1\ndef f(): m.x = 2", "sets_module_attribute"),
        ("def f(): return __builtins__", "dynamic_names"),
        ("from m.parser import g\ndef f(): return g()", "missing_module"),
    ],
)
def test_what_no_program_can_have_is_a_reason(text, why):
    assert reason(text + "\n", "f") == why


def test_a_star_import_takes_the_place_of_names_before_it():
    modules = {
        "p": "",
        "p.a": "from .b import g\nfrom .c import *\ndef f():\n    return g()\n",
        "p.b": "def g(): return 1\n",
        "p.c": "def g(): return 2\n",
    }
    assert called(modules, "p.a:f") == 2


def test_names_before_a_foreign_star_import_stay():
    text = "from json import dumps\nfrom math import *\ndef f():\n    return dumps([floor(1.5)])\n"
    assert called(text, "f") == "[1]"


def test_star_imports_in_circles_end():
    names = [f"p.m{number}" for number in range(12)]
    stars = "".join(f"from {name} import *\n" for name in names)
    modules = {"p": "", **dict.fromkeys(names, stars), "p.a": stars + "def f(): return g()\n"}
    assert reason(modules, "p.a:f") == "unknown_name"

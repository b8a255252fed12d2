"""Programs: what stands in them, in which order, and that they do what the project does."""

import pytest

from tests.transforms.trace.lifting.repositories import called, entry, lift_of, program, reason
from transforms.trace.lifting import Lifted


def test_helpers_come_before_what_uses_them_when_it_is_made():
    text = (
        "def f():\n    return TABLE[1] + later()\ndef made(n):\n    return {n: n + 1}\n"
        "TABLE = made(1)\ndef later():\n    return 1\n"
    )
    assert called(text, "f") == 3


def test_a_constant_comes_with_all_that_changes_it():
    text = (
        "TABLE = {}\nfor each in range(3):\n    TABLE[each] = each * 2\nTABLE.update(a=1)\n"
        "TABLE['b'] = 2\nOTHER = 5\nOTHER += 1\ndef f():\n    return TABLE, OTHER\n"
    )
    assert called(text, "f") == ({0: 0, 1: 2, 2: 4, "a": 1, "b": 2}, 6)


def test_a_registry_comes_with_what_registers():
    text = (
        "REGISTRY = {}\ndef register(name):\n    def add(function):\n"
        "        REGISTRY[name] = function\n        return function\n    return add\n"
        "@register('a')\ndef one(): return 1\n@register('b')\ndef two(): return 2\n"
        "def f(name):\n    return REGISTRY[name]()\n"
    )
    assert called(text, "f", "b") == 2


def test_functions_by_type_come_with_all_their_types():
    text = (
        "from functools import singledispatch\n@singledispatch\ndef g(x): return 'any'\n"
        "@g.register\ndef _(x: int): return 'int'\n@g.register(str)\n"
        "def _(x): return 'str'\ndef f(x):\n    return g(x)\n"
    )
    assert [called(text, "f", x) for x in (1, "a", None)] == ["int", "str", "any"]


def test_a_decorator_of_the_project_comes():
    text = (
        "import functools\ndef twice(function):\n    @functools.wraps(function)\n"
        "    def inner(*args):\n        return 2 * function(*args)\n    return inner\n"
        "@twice\ndef f(x):\n    return x + 1\n"
    )
    assert called(text, "f", 1) == 4


@pytest.mark.parametrize(
    "decorator", ["functools.lru_cache", "functools.lru_cache(maxsize=None)", "functools.cache"]
)
def test_caches_stay(decorator):
    lifted = lift_of(f"import functools\n@{decorator}\ndef f(x):\n    return x + 1\n", "f")
    assert lifted.prompt == f"import functools\n\n\n@{decorator}\ndef f(x):\n"


def test_a_context_manager_stays_one():
    text = "import contextlib\n@contextlib.contextmanager\ndef f(x):\n    yield x\n"
    with called(text, "f", 3) as found:
        assert found == 3


def test_a_function_in_a_function_comes_out_where_it_uses_nothing_of_it():
    text = (
        "A = 2\ndef outer(x):\n    import math\n    B = 3\n"
        "    def helper(y): return y + B\n    def inner(y):\n        '''Doc.'''\n"
        "        return helper(y) * A + math.floor(y)\n    return inner(x)\n"
    )
    lifted = lift_of(text, "outer.<locals>.inner")
    assert isinstance(lifted, Lifted)
    assert lifted.prompt.endswith("def inner(y):\n    '''Doc.'''\n")
    assert called(text, "outer.<locals>.inner", 1) == 9
    assert reason(text.replace("y + B", "y + x"), "outer.<locals>.inner") == "closure"


def test_a_function_that_calls_itself_in_another_function():
    text = (
        "def outer():\n    def inner(n):\n        return n and inner(n - 1) + 1\n    return inner\n"
    )
    assert called(text, "outer.<locals>.inner", 3) == 3


def test_functions_that_call_each_other_come_together():
    text = (
        "def f(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and f(n - 1)\n"
    )
    assert called(text, "f", 4) is True


def test_the_future_import_stands_first():
    text = (
        '"""Doc."""\nfrom __future__ import annotations\nimport re\n'
        "def f(x: Unknown) -> re.Pattern:\n    return x\n"
    )
    assert program(text, "f").startswith("from __future__ import annotations\n")
    assert called(text, "f", 1) == 1


def test_annotations_for_type_checkers_need_no_module():
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from numpy import ndarray\ndef f(x: 'ndarray') -> 'ndarray':\n    return x\n"
    )
    assert called(text, "f", 1) == 1


def test_annotations_that_need_a_package_are_not_evaluated():
    text = "import numpy\ndef f(x: numpy.ndarray) -> numpy.ndarray:\n    return x\n"
    assert called(text, "f", 1) == 1
    assert "import numpy" not in program(text, "f")


@pytest.mark.parametrize(
    "text",
    [
        (
            "try:\n    import numpy\nexcept ImportError:\n    numpy = None\ndef f():\n"
            "    return numpy\n"
        ),
        (
            "try:\n    from numpy import array\nexcept ImportError:\n    array = None\n"
            "def f():\n    return array\n"
        ),
        (
            "try:\n    import numpy as np\n    HAS = np\nexcept ImportError:\n    HAS = None\n"
            "def f():\n    return HAS\n"
        ),
        (
            "import sys\nif sys.version_info[0] == 2:\n    x = unicode\nelse:\n    x = None\n"
            "def f():\n    return x\n"
        ),
        "try:\n    unicode\nexcept NameError:\n    unicode = None\ndef f():\n    return unicode\n",
        (
            "import contextlib\nnumpy = None\nwith contextlib.suppress(ImportError):\n"
            "    import numpy\ndef f():\n    return numpy\n"
        ),
    ],
)
def test_what_is_not_there_is_not_imported(text):
    assert called(text, "f") is None


def test_modules_that_are_imported_where_they_are_needed():
    modules = {
        "p": "",
        "p.a": (
            "def f(x):\n    import p.b\n    from . import c as later\n"
            "    return p.b.g(x) + later.g(x)\n"
        ),
        "p.b": "def g(x): return x + 1\n",
        "p.c": "def g(x): return x * 2\n",
    }
    assert called(modules, "p.a:f", 3) == 10


def test_names_of_two_modules_that_are_equal_become_two():
    modules = {
        "p": "",
        "p.a": (
            "from . import b, c\nLIMIT = 1\ndef g(): return LIMIT\ndef f():\n    LIMIT_b = 5\n"
            "    return g() + b.g() * c.g() + LIMIT_b\n"
        ),
        "p.b": "LIMIT = 10\ndef g(): return LIMIT\n",
        "p.c": "LIMIT = 100\ndef g():\n    b_LIMIT = 0\n    return LIMIT + b_LIMIT\n",
    }
    assert called(modules, "p.a:f") == 1006


def test_a_local_name_hides_no_helper():
    modules = {
        "p": "",
        "p.a": "from . import b\ndef f(size):\n    return b.size(size)\n",
        "p.b": "def size(x): return x + 1\n",
    }
    assert called(modules, "p.a:f", 1) == 2


def test_global_names_that_functions_set_are_set():
    modules = {
        "p": "COUNT = 100\n",
        "p.a": (
            "import p\nCOUNT = 0\ndef step():\n    global COUNT\n    COUNT += 1\n"
            "    return COUNT\ndef f():\n    return step() + step() + p.COUNT\n"
        ),
    }
    assert called(modules, "p.a:f") == 103


def test_a_constant_of_the_module_s_name_is_one():
    assert called("NAME = __name__\ndef f():\n    return isinstance(NAME, str)\n", "f") is True


def test_values_of_calls_bring_their_classes():
    modules = {
        "p": "",
        "p.a": "def f(x):\n    return x\n",
        "p.b": "class C:\n    class D:\n        E = 1\nVALUE = C()\n",
    }
    lifted = lift_of(modules, "p.a:f", {"p.b:C.D", "p.b:VALUE", "tests.t:X", "p.b:gone"})
    assert lifted.own_names == {"p.b:C.D": "C.D", "p.b:VALUE": "VALUE"}
    _, names = entry(modules, "p.a:f", {"p.b:C.D", "p.b:VALUE"})
    assert names["C"].D.E == 1


def test_values_that_cannot_be_had_leave_the_others():
    text = "import numpy\nclass C: pass\nclass D(numpy.ndarray): pass\ndef f(x):\n    return x\n"
    assert lift_of(text, "f", {"m:C", "m:D"}).own_names == {"m:C": "C"}


def test_the_function_says_where_its_pieces_are_from():
    modules = {
        "p": "",
        "p.a": "from .b import g\ndef f():\n    return g()\n",
        "p.b": "from .c import h as g\n",
        "p.c": "def h(): return 1\n",
    }
    assert lift_of(modules, "p.a:f").uses == ("p/a.py", "p/c.py")


def test_the_lines_of_the_body_are_those_in_the_program():
    lifted = lift_of(
        "import re\n\n\ndef f(x):\n    '''Doc.'''\n    # Why.\n    y = x\n    return y\n", "f"
    )
    lines = (lifted.prompt + lifted.body).splitlines()
    first, last = lifted.lines
    assert lines[first - 1 : last] == ["    # Why.", "    y = x", "    return y"]


def test_a_function_that_is_bound_again_is_needed_after():
    assert reason("def f():\n    return 1\nf = staticmethod(f)\n", "f") == "needs_code_after"
    assert reason("def f():\n    return f.x\nf.x = 2\n", "f") == "needs_code_after"
    assert called("def f():\n    return 1\nf.x = 2\n", "f") == 1


def test_code_that_runs_the_function_before_it_is_there_is_a_reason():
    text = "def f(x):\n    return TABLE.get(x, x)\nTABLE = {}\nTABLE[1] = f(2)\n"
    assert reason(text, "f") == "needed_before_defined"


def test_what_is_too_large_is_a_reason():
    assert (
        reason("TABLE = [" + "'abcdefgh', " * 8000 + "]\ndef f():\n    return TABLE\n", "f")
        == "too_large"
    )


def test_too_many_pieces_are_a_reason():
    text = "".join(f"def g{n}(): return g{n + 1}()\n" for n in range(300))
    assert (
        reason(text + "def g300(): return 1\ndef f():\n    return g0()\n", "f") == "too_many_pieces"
    )


def test_a_module_that_is_no_python_is_a_reason_only_where_it_is_needed():
    modules = {
        "p": "",
        "p.bad": "def (:\n",
        "p.a": "from p import bad\ndef f(): return 1\ndef g(): return bad.x()\n",
    }
    assert called(modules, "p.a:f") == 1
    assert reason(modules, "p.a:g") == "not_parsed"


def test_comments_of_helpers_stay_and_headings_go():
    text = (
        "#!/usr/bin/python\n# Copyright\nimport re\n\n# What g does.\n# And why.\n"
        "def g():  # noqa\n    return 1  # One.\n\n\ndef f():\n    return g()\n"
    )
    assert (
        lift_of(text, "f").prompt
        == "# What g does.\n# And why.\ndef g():  # noqa\n    return 1  # One.\n\n\ndef f():\n"
    )


def test_line_ends_of_other_systems_are_those_of_this_one():
    assert called("X = 1\r\ndef f():\r\n    '''Doc.\r\n    '''\r\n    return X\r\n", "f") == 1

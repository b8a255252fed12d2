"""The order of what comes from several modules."""

from tests.transforms.trace.lifting.repositories import called, lift_of


def test_pieces_stand_in_the_order_in_which_imports_run_them():
    modules = {
        "p": "",
        "p.a": "from .b import TABLE\nOWN = len(TABLE)\ndef f():\n    return OWN, TABLE\n",
        "p.b": "from .c import made\nTABLE = made(3)\n",
        "p.c": "def made(n):\n    return list(range(n))\n",
    }
    assert called(modules, "p.a:f") == (3, [0, 1, 2])


def test_what_a_package_runs_comes_before_its_modules():
    modules = {
        "p": "LIMIT = 3\nfrom . import a\nLAST = a.OWN\n",
        "p.a": (
            "from p import LIMIT\nOWN = LIMIT + 1\ndef f():\n    import p\n    return OWN, p.LAST\n"
        ),
    }
    assert called(modules, "p.a:f") == (4, 4)


def test_modules_that_only_functions_import_come_after_what_they_import():
    modules = {
        "p": "",
        "p.a": "class Base:\n    def f(self):\n        return 1\ndef f():\n"
        "    from p.b import Sub\n    return Sub().f()\nLAST = f\n",
        "p.b": "from p.a import Base\nclass Sub(Base):\n    size = 2\n",
    }
    assert called(modules, "p.a:f") == 1


def test_modules_that_only_functions_import_come_before_what_calls_those():
    modules = {
        "p": "",
        "p.a": "def made():\n    from p.b import LIMIT\n    return LIMIT\nOWN = made()\n"
        "def f():\n    return OWN\n",
        "p.b": "LIMIT = 2\n",
    }
    assert called(modules, "p.a:f") == 2


def test_the_function_stands_last_whatever_stood_below_it():
    text = "def f():\n    return g() + LATER\ndef g():\n    return 1\nLATER = 2\n"
    lifted = lift_of(text, "f")
    assert lifted.prompt.endswith("LATER = 2\n\n\ndef f():\n")

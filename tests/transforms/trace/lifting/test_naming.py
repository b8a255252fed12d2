"""One namespace for what comes from several modules."""

from tests.transforms.trace.lifting.repositories import called, program, reason

TWO = {
    "p": "",
    "p.a": "from . import b\ndef helper(): return 1\ndef f():\n    return helper(), b.helper()\n",
    "p.b": "def helper(): return 2\n",
}


def test_the_second_of_a_name_gets_that_of_its_module_in_front():
    assert called(TWO, "p.a:f") == (1, 2)
    assert "b_helper" in program(TWO, "p.a:f")


def test_private_names_stay_private():
    modules = {name: text.replace("helper", "_helper") for name, text in TWO.items()}
    assert called(modules, "p.a:f") == (1, 2)
    assert "_b_helper" in program(modules, "p.a:f")


def test_a_function_keeps_its_name():
    modules = {
        "p": "",
        "p.a": "from . import b\ndef f():\n    return b.f()\n",
        "p.b": "def f(): return 2\n",
    }
    assert called(modules, "p.a:f") == 2
    assert "\ndef f():" in program(modules, "p.a:f")


def test_no_helper_takes_the_name_of_a_builtin_that_others_use():
    modules = {
        "p": "",
        "p.a": "from . import b\ndef f():\n    return len('ab'), b.len('ab')\n",
        "p.b": "def len(x): return 5\n",
    }
    assert called(modules, "p.a:f") == (2, 5)


def test_imports_under_one_name_become_two():
    modules = {
        "p": "",
        "p.a": "from json import dumps as d\nfrom . import b\ndef f():\n    return d(1), b.g()\n",
        "p.b": "from os.path import basename as d\ndef g(): return d('a/b')\n",
    }
    assert called(modules, "p.a:f") == ("1", "b")


def test_names_in_strings_of_annotations_are_renamed_or_left():
    modules = {
        "p": "",
        "p.a": (
            "from __future__ import annotations\nfrom . import b\nclass C: pass\n"
            "def f(x: b.C, y: 'b.C', z: C):\n    return b.C, C\n"
        ),
        "p.b": "class C: pass\n",
    }
    first, second = called(modules, "p.a:f", 1, 2, 3)
    assert first is not second


def test_global_statements_follow_a_rename():
    modules = {
        "p": "",
        "p.a": "from . import b\nN = 1\ndef f():\n    return N, b.step(), b.step()\n",
        "p.b": "N = 10\ndef step():\n    global N\n    N += 1\n    return N\n",
    }
    assert called(modules, "p.a:f") == (1, 11, 12)


def test_a_class_is_renamed_whatever_its_name_is_a_part_of():
    modules = {
        "p": "",
        "p.a": "from . import b\ndef s(): return 1\ndef f():\n    return s(), b.s().e()\n",
        "p.b": "class s:\n    def e(self): return e()\ndef e(): return 3\n",
    }
    assert called(modules, "p.a:f") == (1, 3)


def test_a_function_whose_name_is_taken_inside_of_another_is_a_reason():
    modules = {
        "p": "",
        "p.a": "from . import b\ndef f(x):\n    return b.g(x)\n",
        "p.b": "def g(f):\n    import p.a\n    return p.a.f(f - 1) if f else 0\n",
    }
    assert reason(modules, "p.a:f") == "name_collision"

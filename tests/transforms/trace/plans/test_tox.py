from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.tox import read_tox
from transforms.trace.plans.tox_values import expand_braces, factor_lines, split_names

INI = """\
[tox]
envlist = py{39,310}-{unit,all}, lint
[base]
deps = pytest
[testenv]
deps =
    {[base]deps}
    unit: one
    !unit: two
    -rreqs.txt
extras = test
setenv =
    A = {env:HOME:none}
    py310: B = {toxinidir}/b
commands =
    unit: pytest {posargs:tests} \\
        --basetemp={envtmpdir}
    all: pytest {toxinidir}/tests
[testenv:lint]
skip_install = true
commands = ruff check
"""

TOML = """\
env_list = ["3.12", "docs"]
[env_run_base]
deps = ["pytest>=8", { replace = "ref", of = ["shared"], extend = true }]
dependency_groups = ["test"]
commands = [["pytest", { replace = "posargs", default = ["tests"], extend = true }]]
set_env.X = "1"
[env.docs]
package = "skip"
commands = [["sphinx-build"]]
"""


def recipe(text, name, path="tox.ini", arguments=()):
    return read_tox(repository({path: text, "reqs.txt": "three\n"})).recipe(name, arguments)


def texts(found):
    return [" ".join(step.text.split()) for step in found.steps]


def test_names_expand_braces_and_ranges():
    assert expand_braces("py{38,39}-{a,b}") == ["py38-a", "py38-b", "py39-a", "py39-b"]
    assert expand_braces("3.1{0-2}") == ["3.10", "3.11", "3.12"]
    assert split_names("a, b{1,2}\nc # d") == ["a", "b1", "b2", "c"]


def test_lines_hold_for_environments_with_their_factors():
    text = "a\nx: b\n!x: c\nx-y,z: d\n# e\nx: # f"
    assert factor_lines(text, "x-y", are_commands=False) == ["a", "b", "d"]
    assert factor_lines(text, "q", are_commands=False) == ["a", "c"]


def test_an_environment_has_what_its_factors_and_other_sections_say():
    found = recipe(INI, "py310-unit")
    assert texts(found) == [
        "pip install pytest one -rreqs.txt",
        "pytest tests --basetemp=/outside",
    ]
    assert found.has_project
    assert found.extras == ("test",)
    assert found.environment == {"A": "none", "B": "./b"}
    assert found.interpreters == ("3.10",)


def test_arguments_stand_in_the_place_of_posargs():
    assert "pytest -k x" in texts(recipe(INI, "py39-unit", arguments=("-k", "x")))[-1]


def test_other_environments_install_no_project_and_unknown_ones_are_none():
    assert not recipe(INI, "lint").has_project
    assert recipe(INI, "docs") is None


def test_toml_has_replacements_and_references():
    found = recipe(TOML.replace("[env_run_base]", "shared = ['extra-one']\n[env_run_base]"),
                   "3.12", "tox.toml")  # fmt: skip
    assert texts(found) == ["pip install 'pytest>=8' extra-one", "pytest tests"]
    assert found.groups == ("test",)
    assert found.environment == {"X": "1"}
    assert not recipe(TOML, "docs", "tox.toml").has_project


def test_an_own_directory_of_tox_is_the_top():
    found = recipe("[testenv]\nchangedir = .tox\ncommands = pytest {tox_root}/tests", "py312")
    assert (found.steps[0].directory, found.steps[0].text) == (".", "pytest ./tests")


@given(st.text(alphabet="{}[]:-,! \n=apytestenv#\\", max_size=200))
def test_no_text_raises(text):
    for name in ("py312", text[:10]):
        file = read_tox(repository({"tox.ini": f"[testenv]\ncommands = {text}\nsetenv = {text}"}))
        if file is not None:
            file.recipe(name)

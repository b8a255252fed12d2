import pytest

from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.metadata import read_metadata
from transforms.trace.plans.repository import Repository

PYPROJECT = """\
[build-system]
requires = ["setuptools>=61", "x @ https://x.example/x.whl"]
[project]
name = "My.Thing"
requires-python = ">=3.9"
dependencies = ["click"]
[project.optional-dependencies]
Test = ["pytest", "pytest-cov"]
all = ["my-thing[test,other]", "rich"]
other = ["my-thing[all]", "attrs"]
[dependency-groups]
tests = ["hypothesis", {include-group = "Base_Group"}, {include-group = "tests"}]
base-group = ["mock"]
"""

POETRY = """\
[tool.poetry]
name = "thing"
[tool.poetry.dependencies]
python = "^3.8"
click = "^0.2.3"
attrs = {version = "*", optional = true, extras = ["dev"]}
far = {git = "https://x.example/far"}
[tool.poetry.extras]
more = ["attrs"]
[tool.poetry.group.test.dependencies]
pytest = "~7.1"
mock = {version = ">=1,<2", markers = "python_version < '3.9'"}
[tool.poetry.dev-dependencies]
hypothesis = "6.0"
"""

SETUP = """\
from setuptools import setup
tests = ["pytest"] + ["mock"]
extras = {"docs": ["sphinx"]}
extras["test"] = tests
VERSION = open("VERSION").read()
if __name__ == "__main__":
    setup(name="thing", version=VERSION, python_requires=">=3.6", tests_require=tests + ["nose"],
          extras_require=dict(extras, x=["y"]) if 0 else extras, **{"install_requires": ["six"]})
"""


def test_extras_and_groups_are_resolved_and_cycles_end():
    found = read_metadata(repository(pyproject=PYPROJECT))
    assert found.name == "my-thing"
    assert found.requires_python == ">=3.9"
    assert found.extras["test"] == ("pytest", "pytest-cov")
    assert {*found.extras["all"]} == {"pytest", "pytest-cov", "attrs", "rich"}
    assert found.groups == {"tests": ("hypothesis", "mock"), "base-group": ("mock",)}
    assert found.build == ("setuptools>=61",)
    assert found.installable
    assert len(found.notes) == 1


def test_poetrys_constraints_become_requirements():
    found = read_metadata(repository(pyproject=POETRY))
    assert found.requires_python == "<4,>=3.8"
    assert found.dependencies == ("click<0.3,>=0.2.3",)
    assert found.extras == {"more": ("attrs[dev]",)}
    assert found.groups["test"] == ("pytest<7.2,>=7.1", 'mock<2,>=1; python_version < "3.9"')
    assert found.groups["dev"] == ("hypothesis==6.0",)


def test_setup_scripts_are_read_and_not_run():
    found = read_metadata(Repository({"setup.py": SETUP.encode()}))
    assert found.name == "thing"
    assert found.requires_python == ">=3.6"
    assert found.dependencies == ("six",)
    assert found.tests == ("pytest", "mock", "nose")
    assert found.installable


def test_values_that_grow_are_bounded():
    text = "a = ['x'] * 9\n" + "a = ['x', 'y']\n" + "a = a + a\n" * 60
    text += "setup(install_requires=a)"
    assert len(read_metadata(Repository({"setup.py": text.encode()})).dependencies) <= 2


def test_setup_cfg_lists_by_lines():
    text = (
        "[options]\ntests_require =\n  a\n  # no\n  b>=1 # why\n[options.extras_require]\nT = c\n"
    )
    found = read_metadata(Repository({"setup.cfg": text.encode()}))
    assert found.tests == ("a", "b>=1")
    assert found.extras == {"t": ("c",)}
    assert not found.installable


def test_a_distributions_own_metadata_fills_what_files_compute():
    text = (
        "Metadata-Version: 2.1\nName: thing\nRequires-Python: >=3.7\nProvides-Extra: test\n"
        "Requires-Dist: six\nRequires-Dist: pytest>=3; extra == 'test'\n"
    )
    found = read_metadata(Repository({"PKG-INFO": text.encode(), "setup.py": b"import x"}))
    assert found.requires_python == ">=3.7"
    assert found.dependencies == ("six",)
    assert found.extras == {"test": ("pytest>=3",)}


OTHER_SHAPES = [
    "[project]\nname = 3\ndependencies = {a = 1}",
    "[tool]\npoetry = 1",
    "project = 1",
    "[[project]]\nname = 'x'",
    "\0",
]


@pytest.mark.parametrize("text", OTHER_SHAPES)
def test_other_shapes_give_empty_metadata(text):
    found = read_metadata(repository(pyproject=text))
    assert (found.name, found.dependencies, found.extras) == ("", (), {})

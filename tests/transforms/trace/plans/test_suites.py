import pytest

from tests.transforms.trace.plans.builders import TEST, repository
from transforms.trace.plans.suites import find_test_files, find_uses

USES = """\
import os, numpy.linalg
import yaml
import thing, unknown_one
from jaraco.itertools import x
try:
    import requests
except ImportError:
    requests = None
if TYPE_CHECKING:
    import pandas
pytestmark = [pytest.mark.timeout(3)]

@pytest.mark.asyncio
async def test_it(mocker, benchmark, freezer):
    import flask

@pytest.mark.parametrize("freezer", [])
def test_other(freezer): ...

@pytest.fixture
def benchmark(): ...
"""


@pytest.mark.parametrize("path", ["tests/test_a.py", "a/b_test.py", "test/a.py", "a/tests.py",
                                  "src/a/_tests/test_x.py", "test_a.py"])  # fmt: skip
def test_test_files_are_known_by_names_and_folders(path):
    assert find_test_files({path: TEST.encode()}) == [path]


@pytest.mark.parametrize("path", ["tests/conftest.py", "docs/test_a.py", "a/vendor/tests/test_a.py",
                                  "tests/a.txt", "thing.py", ".tox/x/test_a.py"])  # fmt: skip
def test_other_files_are_none(path):
    assert find_test_files({path: TEST.encode()}) == []


def test_files_without_tests_are_none():
    assert find_test_files({"tests/test_a.py": b"import os\n"}) == []


def test_uses_are_imports_fixtures_marks_and_plugins():
    files = {
        "tests/test_thing.py": USES,
        "tests/conftest.py": 'pytest_plugins = ["pytest_httpserver", "x"]\n',
    }
    uses = find_uses(repository(files), ["tests/test_thing.py"], frozenset(["thing"]))
    assert uses.requirements == {
        "numpy", "pyyaml", "jaraco.itertools", "pytest-timeout", "pytest-asyncio", "pytest-mock",
        "pytest-httpserver",
    }  # fmt: skip
    assert uses.unknown == {"unknown_one"}

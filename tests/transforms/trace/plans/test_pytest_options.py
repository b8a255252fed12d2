import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.pytest_options import OPTIONS, read_arguments
from transforms.trace.plans.pytest_settings import read_settings


def read(*words, texts=None):
    return read_arguments(words, repository(texts), ".")


def test_what_ends_a_run_early_or_reports_is_dropped():
    found = read(
        "-xvs", "--cov", "thing", "--cov-report=xml", "-n", "auto", "-n4", "--maxfail=1",
        "--junitxml", "out.xml", "-W", "error", "--durations=10", "tests",
    )  # fmt: skip
    assert found.kept == ["-s"]
    assert found.paths == ["tests"]
    assert {"pytest-cov", "pytest-xdist"} <= {*found.plugins}


def test_what_chooses_tests_is_kept():
    words = ["-k", "not slow", "-m", "unit", "--ignore=tests", "--doctest-modules"]
    assert read(*words).kept == words
    assert read("--ignore", "tests", "-p", "no:cacheprovider").kept == [
        "--ignore=tests", "-p", "no:cacheprovider"
    ]  # fmt: skip


def test_kept_options_name_the_plugin_that_they_need():
    assert read("--asyncio-mode=auto").needed == ["pytest-asyncio"]
    assert read("--cov=x").needed == []


@pytest.mark.parametrize("path", ["/etc", "../x", "missing", "~/x", "--rootdir=/"])
def test_paths_outside_or_missing_are_refused(path):
    found = read(path)
    assert not found.paths
    assert not found.kept
    assert found.notes


def test_tests_of_a_file_are_named_behind_it():
    assert read("tests/test_thing.py::test_it").paths == ["tests/test_thing.py::test_it"]
    assert read("tests/test_*.py").paths == ["tests/test_thing.py"]


def test_the_projects_own_options_are_kept_and_others_dropped():
    conftest = (
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--slow', action='store_true')\n"
        "    parser.addoption('--kind')\n"
    )
    found = read("--slow", "--kind", "tests", "--other", texts={"conftest.py": conftest})
    assert found.kept == ["--slow", "--kind=tests"]
    assert found.paths == []
    assert len(found.notes) == 1


@given(st.lists(st.sampled_from([*OPTIONS, "-xq", "--", "", "tests", "/x", "-p", "--z=1", "*"])))
def test_no_arguments_raise(words):
    read(*words)


def settings(text):
    return read_settings(repository({"pytest.ini": f"[pytest]\n{text}"}))


def test_addopts_without_harm_stay_as_they_are():
    assert settings("addopts = --doctest-modules").arguments == ()


def test_harmful_addopts_are_replaced_by_the_rest():
    found = settings("addopts = --doctest-modules --cov=x -n auto --black")
    assert found.arguments == ("-o", "addopts=", "--doctest-modules")
    assert "pytest-cov" in found.requirements
    assert "pytest-black" not in found.requirements


def test_settings_need_their_plugins():
    found = settings("asyncio_mode = auto\nminversion = 7\nrequired_plugins = pytest-mock>=3")
    assert {*found.requirements} == {"pytest-mock>=3", "pytest-asyncio", "pytest>=7"}


def test_warnings_are_no_errors():
    assert settings("filterwarnings =\n    error\n    ignore:x").arguments == ("-W", "default")

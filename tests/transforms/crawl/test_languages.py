import pytest

from transforms.crawl.languages import is_known, language_of


@pytest.mark.parametrize("path", ["a.py", "a/b.PY", "a/b.pyi", "a.b.py", ".hidden.py", "x.d/y.py"])
def test_knows_python_by_its_extensions(path):
    assert language_of(path) == "python"


@pytest.mark.parametrize("path", ["", "py", ".py", "a/.py", "a.pyc", "a.pyx", "a.py/b", "a.py.txt"])
def test_takes_nothing_else_for_python(path):
    assert language_of(path) is None


def test_knows_which_languages_there_are():
    assert is_known("python")
    assert not is_known("Python")
    assert not is_known("cobol")

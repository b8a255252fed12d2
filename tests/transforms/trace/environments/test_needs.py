import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.needs import (
    missing_documents,
    needs_setuptools,
    own_dependencies,
    safe_requirements,
)


def test_keeps_requirements_and_drops_what_leads_elsewhere():
    lines = [
        "pytest>=7  # for tests",
        "-r other.txt",
        "--index-url https://example.org",
        "../somewhere",
        "https://example.org/a.whl",
        "attrs @ git+https://example.org/attrs.git",
        "pytest>=7",
        "",
        'tomli; python_version < "3.11"',
    ]
    assert safe_requirements(lines) == ("pytest>=7", "attrs", 'tomli; python_version < "3.11"')


def test_dependencies_come_from_metadata_and_from_pyproject():
    files = {
        "PKG-INFO": b"Name: a\nRequires-Dist: six>=1\nRequires-Dist: nose; extra == 'test'\n"
        b"\nRequires-Dist: of the description\n",
        "pyproject.toml": b'[project]\ndependencies = ["attrs", 3]\n',
    }
    assert own_dependencies(files) == ("six>=1", "attrs")
    assert own_dependencies(files, "folder") == ()


@pytest.mark.parametrize(
    "content", [b"[[[", b"project = 3", b"[project]\ndependencies = 3", b"\xff"]
)
def test_metadata_that_is_none_has_no_dependencies(content):
    assert own_dependencies({"pyproject.toml": content, "PKG-INFO": content}) == ()


def test_stands_in_for_documents_that_a_build_reads():
    files = {
        "pyproject.toml": b'[project]\nreadme = "README.md"\nlicense = {file = "LICENSE"}\n',
        "setup.py": b"long = open('docs/HISTORY.rst').read() + open('../up.txt').read()\n",
        "LICENSE": b"MIT",
    }
    assert missing_documents(files) == {"README.md": b"\n", "docs/HISTORY.rst": b"\n"}


def test_stands_in_within_the_folder_that_is_installed():
    files = {"sub/setup.cfg": b"[metadata]\nlong_description = file: README.rst, CHANGES\n"}
    assert set(missing_documents(files, "sub")) == {"sub/README.rst", "sub/CHANGES"}


def test_no_document_stands_where_a_folder_does():
    files = {"setup.py": b"open('NEWS')", "NEWS/one.txt": b""}
    assert missing_documents(files) == {}


def test_knows_modules_that_need_what_environments_once_had():
    assert needs_setuptools({"a/b.py": b"import os\nfrom pkg_resources import parse_version\n"})
    assert not needs_setuptools(
        {"setup.py": b"import setuptools\n", "b.py": b"x = 'import setuptools'"}
    )


@given(st.dictionaries(st.sampled_from(["setup.py", "pyproject.toml", "PKG-INFO"]), st.binary()))
def test_hostile_files_raise_nothing(files):
    own_dependencies(files)
    assert all(".." not in path for path in missing_documents(files))

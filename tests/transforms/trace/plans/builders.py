"""Repositories as plans are derived from them: texts by paths."""

from textwrap import dedent

import yaml

from transforms.trace.plans.repository import Repository

PROJECT = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "thing"\n'
TEST = "def test_it():\n    pass\n"


def project(texts=None, *, pyproject=PROJECT):
    """The files of a project with one test file and what is given."""
    given = {"pyproject.toml": pyproject, "tests/test_thing.py": TEST, **(texts or {})}
    return {path: dedent(text).encode() for path, text in given.items()}


def repository(texts=None, **more):
    return Repository(project(texts, **more))


def workflow(run, **more):
    """A workflow with one job that runs lines on two versions of Python."""
    job = {
        "runs-on": "ubuntu-latest",
        "strategy": {"matrix": {"python-version": ["3.9", "3.10"]}},
        "steps": [
            {"uses": "actions/setup-python@v5"},
            {"run": run, **more},
        ],
    }
    return {".github/workflows/tests.yml": yaml.safe_dump({"jobs": {"tests": job}})}

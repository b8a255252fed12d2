import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.interpreters import (
    Interpreter,
    ask_interpreter,
    find_interpreters,
    rank_interpreters,
)


def of(*minors):
    return [Interpreter(Path(f"/python3.{minor}"), (3, minor, 4), ()) for minor in minors]


def ranked(found, requires=None, named=()):
    return [one.minor[1] for one in rank_interpreters(found, requires, named)]


def test_finds_the_interpreter_that_runs_this():
    found = {one.version: one for one in find_interpreters()}
    this = found[sys.version_info[:3]]
    assert this.executable.exists()
    assert any(Path(sys.base_prefix).resolve().is_relative_to(one) for one in this.folders)


def test_an_interpreter_runs_with_its_folders_named():
    this = ask_interpreter(Path(sys.executable))
    assert this is not None
    assert not any(
        one != other and one.is_relative_to(other) for one, other in permutations(this.folders, 2)
    )


@pytest.mark.parametrize(
    "says",
    [
        "exit 1",
        "echo nonsense",
        "echo '{}'",
        "echo '[1]'",
        """echo '{"implementation": "pypy", "version": [3, 12, 1], "release": true, "usual": true,
        "folders": [], "executable": "/x"}'""",
        """echo '{"implementation": "cpython", "version": [3, 7, 1], "release": true, "usual": true,
        "folders": [], "executable": "/x"}'""",
        """echo '{"implementation": "cpython", "version": [3, 15, 0], "release": false,
        "usual": true, "folders": [], "executable": "/x"}'""",
    ],
)
def test_what_is_no_released_cpython_from_3_8_on_is_passed_over(tmp_path, says):
    program = tmp_path / "python3"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    assert ask_interpreter(program) is None


def test_a_program_that_hangs_is_given_up(tmp_path, monkeypatch):
    def run(*arguments, timeout, **options):
        raise subprocess.TimeoutExpired("python3", timeout)

    monkeypatch.setattr(subprocess, "run", run)
    assert ask_interpreter(tmp_path) is None


def test_prefers_3_12_and_what_is_nearest_above_it():
    assert ranked(of(8, 9, 10, 11, 12, 13, 14)) == [12, 13, 14, 11, 10, 9, 8]


def test_versions_of_the_ci_go_first_among_those_that_are_cheap_to_trace():
    assert ranked(of(9, 11, 12, 13, 14), named=["3.9", "3.13", "3.x", "pypy-3.14"]) == [
        13, 12, 14, 9, 11
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["3.10", "py310", "python3.10", "3.10.4", "3.10-dev", "Python-3.10"]
)
def test_knows_the_ways_to_name_a_version(name):
    assert ranked(of(9, 10, 11), named=[name]) == [10, 11, 9]


def test_a_project_decides_which_versions_are_allowed():
    assert ranked(of(8, 11, 12, 13), ">=3.8,<3.12") == [11, 8]
    assert ranked(of(8, 11), ">=3.12") == []
    assert ranked(of(11, 12), "any that you like") == [12, 11]


@given(st.lists(st.text(max_size=12)), st.text(max_size=20), st.permutations([8, 10, 12, 13]))
def test_any_names_give_an_order_that_does_not_depend_on_the_one_given(names, requires, minors):
    assert ranked(of(*minors), requires, names) == ranked(of(8, 10, 12, 13), requires, names)

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.building import Environment
from transforms.trace.environments.calls import Runner, SuiteCommand
from transforms.trace.environments.interpreters import Interpreter
from transforms.trace.environments.suite import (
    Counts,
    SuiteLimits,
    SuiteState,
    Tracer,
    count_output,
    count_report,
    run_suite,
)
from transforms.trace.environments.workplaces import write_files

PYTEST = SuiteCommand(Runner.PYTEST)


@pytest.fixture
def run(workplace):
    """Runs the suite of some files on this Python, which has pytest."""

    def run(files, *commands, tracer=None, **limits):
        encoded = {path: text.encode() for path, text in files.items()}
        write_files(workplace.outside / "project", encoded)
        packages = workplace.outside / "environment/packages"
        packages.mkdir(parents=True)
        environment = Environment(
            interpreter=Interpreter(Path(sys.executable), (3, 11, 0), ()),
            python=sys.executable,
            packages=str(packages),
            roots={"/in/project": "", "/in/more": "src"},
            installed=(),
            python_path=(str(packages),),
            steps=(),
        )
        chosen = SuiteLimits(**{"seconds": 60.0, "attempts": 1, **limits})
        return run_suite(workplace, environment, [commands or (PYTEST,)], files, tracer, chosen)

    return run


MIXED = """
import pytest
def test_passes(): pass
def test_fails(): assert 0
@pytest.mark.skip
def test_is_skipped(): pass
@pytest.fixture
def broken(): 1 / 0
def test_errs(broken): pass
"""


def test_counts_tests_by_how_they_end(run):
    suite = run({"test_a.py": MIXED, "test_b.py": "import nothing_of_this_name\n"})
    assert suite.state is SuiteState.RAN
    assert suite.best.counts == Counts(collected=4, passed=1, failed=1, errors=2, skipped=1)
    assert "nothing_of_this_name" in suite.best.tail


def test_a_suite_without_tests_is_called_in_further_ways(run):
    suite = run({"pytest.ini": "[pytest]\n"}, attempts=9)
    assert suite.state is SuiteState.NO_TESTS
    assert len(suite.attempts) == 3


def test_all_commands_of_a_plan_run_and_what_they_leave_out(run):
    one = "def test_a(): pass\n"
    commands = [SuiteCommand(Runner.PYTEST, (f"test_{name}.py",)) for name in "ab"]
    files = {"test_a.py": one, "test_b.py": one, "more/test_c.py": one}
    suite = run(files, *commands, attempts=9)
    assert suite.counts == Counts(collected=3, passed=3)
    assert [attempt.arguments[-1] for attempt in suite.attempts] == [*files]


def test_a_plan_that_reaches_no_test_is_followed_by_the_next_one(run):
    suite = run(
        {"test_a.py": "def test_a(): pass\n"},
        SuiteCommand(Runner.PYTEST, ("missing",)),
        attempts=9,
    )
    assert suite.counts.passed == 1
    assert suite.attempts[0] not in suite.round


def test_options_that_break_the_start_are_left_out(run):
    files = {"pytest.ini": "[pytest]\naddopts = --no-such-option\n", "test_a.py": MIXED}
    suite = run(files, attempts=9)
    assert [attempt.counts.passed for attempt in suite.attempts] == [0, 1]
    assert suite.attempts[0].state is SuiteState.FAILED_TO_START


def test_unittest_finds_what_pytest_does_not(run):
    case = "import unittest\nclass A(unittest.TestCase):\n  def test_a(self): pass\n"
    files = {"conftest.py": "raise SystemExit(3)", "tests/__init__.py": "", "tests/test_a.py": case}
    suite = run(files, attempts=9)
    assert suite.best.arguments == ("-m", "unittest", "discover", "-s", "tests", "-t", ".")
    assert suite.best.counts == Counts(collected=1, passed=1)


def test_a_test_that_hangs_is_one_failure(run):
    files = {"test_a.py": "import time\ndef test_a(): time.sleep(50)\ndef test_b(): pass\n"}
    suite = run(files, test_seconds=0.2)
    assert suite.best.counts == Counts(collected=2, passed=1, failed=1)


def test_a_suite_that_is_ended_says_how_far_it_came(run):
    files = {"test_a.py": "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n"}
    suite = run(files)
    assert suite.state is SuiteState.CUT_SHORT
    assert suite.best.counts.passed == 1


def test_a_suite_that_hangs_is_timed_out(run):
    suite = run({"conftest.py": "import time\ntime.sleep(50)\n"}, seconds=1.0)
    assert suite.state is SuiteState.TIMED_OUT


def test_the_tracer_lies_in_the_environment_and_is_told_where(run, workplace):
    files = {"test_a.py": "import tracer, os\ndef test_a(): open(os.environ['T']+'/x', 'w')\n"}
    environment = {"T": "{records}", "REPOMILL_ROOTS": "{roots}"}
    suite = run(files, tracer=Tracer({"tracer.py": b""}, environment))
    assert suite.best.counts.passed == 1
    assert (workplace.outside / "records-0/x").exists()


def test_variables_of_the_project_count_unless_they_are_ours(run, monkeypatch):
    monkeypatch.setenv("OF_THIS_PROCESS", "1")
    test = """
import os
def test_a():
    assert os.environ["THEIRS"] == "1" and os.environ["TZ"] == "Asia/Tokyo"
    assert "LD_PRELOAD" not in os.environ and "OF_THIS_PROCESS" not in os.environ
    assert os.environ["PYTHONPATH"].endswith("/project/more:/absolute")
"""
    theirs = {"THEIRS": "1", "TZ": "Asia/Tokyo", "LD_PRELOAD": "x", "PYTHONPATH": "more:/absolute"}
    suite = run({"test_a.py": test}, SuiteCommand(Runner.PYTEST, environment=theirs))
    assert suite.best.counts.passed == 1, suite.best.tail


@given(
    st.binary()
    | st.lists(st.sampled_from([b"passed", b"collected 9" * 9, b"\xff"])).map(b"\n".join)
)
def test_hostile_reports_raise_nothing(report):
    counts, _ = count_report(report)
    assert counts.passed <= report.count(b"passed")


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        (b"Ran 3 tests in 0.1s\n\nOK\n", Counts(3, 3)),
        (b"Ran 1 test in 0.1s\n\nFAILED (errors=1)\n", Counts(1, 0, 0, 1)),
        (
            b"failures=9\nRan 5 tests in 1s\nFAILED (failures=1, errors=1, skipped=2)",
            Counts(5, 1, 1, 1, 2),
        ),
        (b"Ran 9 tests", Counts()),
        (b"", Counts()),
    ],
)  # fmt: skip
def test_reads_what_unittest_says_at_its_end(output, counts):
    assert count_output(output) == counts

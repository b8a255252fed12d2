import shutil

import pytest

from pipeline.errors import UserError
from pipeline.explanation import Explanation
from pipeline.explanation import explain as explain_with
from pipeline.reading import read_configuration
from pipeline.story import tell
from tests.pipeline.conftest import module
from tests.pipeline.runs import run_configuration


def explain(run, target):
    return explain_with(run, target, read_configuration(run.path / "config.yaml"))


def story(run, target):
    return "\n".join(tell(explain(run, target)))


def test_a_near_duplicate_names_the_kept_document_and_the_similarity(run):
    text = story(run, "directory/beta:near.py")
    assert "REJECTED by near_duplicate: level == 'near'" in text
    assert "near duplicate, similarity 0.9" in text
    assert "directory/alpha : alpha/core.py" in text.replace("  ", " ")


def test_a_near_duplicate_shows_what_tells_it_from_the_kept_one(run):
    lines = story(run, "beta:near.py").splitlines()
    header = next(n for n, line in enumerate(lines) if line.startswith("  --- "))
    assert "core.py" in lines[header]
    assert lines[header + 1].startswith("  +++ ")
    assert "beta" in lines[header + 1]
    assert lines[header + 1].endswith("near.py")
    assert "  -def add_0(first, second):" in lines
    assert "  +def add_41(first, second):" in lines


def test_an_exact_duplicate_has_nothing_to_show(run):
    texts = [story(run, name) for name in ("alpha:alpha/core.py", "beta:core.py")]
    (text,) = (text for text in texts if "exact duplicate" in text)
    assert "---" not in text


def test_a_selected_file_names_its_places_in_the_shards(run):
    explanation = explain(run, "directory/delta:main.py")
    (document,) = explanation.documents
    assert document["selected"]
    assert document["sequences"]
    assert "SELECTED" in story(run, "directory/delta:main.py")


def test_a_rejected_file_shows_the_rule_and_the_number(run):
    text = story(run, "directory/gamma:wide.py")
    assert "REJECTED by line_too_long: max_line_characters > 1000" in text
    assert "1,206" in text


def test_a_file_that_is_no_document_shows_the_reason(run):
    assert "binary.py is not in: binary_content" in story(run, "directory/gamma:binary.py")


def test_a_repository_shows_its_bins(run):
    explanation = explain(run, "directory/gamma")
    assert explanation.bins == {"likely_generated": 1, "line_too_long": 1, "selected": 1}
    assert "crawled, 3 documents" in story(run, "directory/gamma")


def test_names_from_outside_do_not_move_the_terminal():
    failure = {"path": "a\x1b[2Jb.py", "reason": "unsafe_path", "detail": "\r\x07"}
    explanation = Explanation([], [failure], [], {})
    (line,) = tell(explanation)
    assert line == "  a\\x1b[2Jb.py is not in: unsafe_path: \\x0d\\x07"


def test_the_end_of_a_name_is_enough(run):
    assert explain(run, "delta:main.py").documents


def test_a_file_names_its_license_and_where_it_was_read(configure, projects):
    (projects / "delta" / "main.py").write_text("# SPDX-License-Identifier: ISC\n")
    run = run_configuration(configure(), stages=("crawl",))
    assert "license: ISC (spdx_tag, confidence 1.00)" in story(run, "delta:main.py")
    assert "license: none found" in story(run, "directory/alpha:alpha/core.py")


def test_a_repository_may_be_called_by_its_url(tmp_path, configure):
    url = (tmp_path / "gone.git").as_uri()
    run = run_configuration(configure(sources=[{"git": {"urls": [url]}}]), stages=("crawl",))
    assert "failed (not_found)" in story(run, url)
    with pytest.raises(UserError, match=r"gone has no document a/b\.py"):
        explain(run, f"{url}:a/b.py")


def test_an_unknown_name_names_the_nearest(run):
    with pytest.raises(UserError, match="did you mean directory/delta"):
        explain(run, "directory/dleta")
    with pytest.raises(UserError, match=r"no document mian.py; did you mean main.py"):
        explain(run, "delta:mian.py")


HUMANEVAL = (
    "def has_close_elements(numbers, threshold):\n    for idx, elem in enumerate(numbers):\n"
    "        for idx2, elem2 in enumerate(numbers):\n            if idx != idx2:\n"
    "                distance = abs(elem - elem2)\n                if distance < threshold:\n"
    "                    return True\n\n    return False\n"
)


def test_secrets_and_benchmarks_are_placed_and_not_shown(configure, projects):
    text = "author = 'jane.roe@acme-widgets.com'\n" + HUMANEVAL
    (projects / "delta" / "main.py").write_text(text)
    run = run_configuration(configure())
    told = story(run, "delta:main.py")
    assert "secret: email in bytes 10 to 35" in told
    assert "jane.roe" not in told
    assert "words of humaneval HumanEval/0 (" in told
    assert "REJECTED by contaminated: benchmark is not None" in told


def test_a_copied_repository_says_of_which(configure, projects):
    for name in ("main.py", "more.py"):
        (projects / "delta" / name).write_text(module(len(name) * 500, 60))
    shutil.copytree(projects / "delta", projects / "fork")
    levels = "deduplicate.levels=[exact,near,repository]"
    run = run_configuration(configure(), levels, stages=("select",))
    assert (
        "2 of its 2 files (100%) have a duplicate in directory/delta , and make 100% of that"
        in story(run, "fork")
    )


def test_signals_that_a_rule_asked_for_are_shown(configure):
    rule = "select.rules.repetitive=top_2gram_share > 0.9 or not parses"
    told = story(run_configuration(configure(), rule, stages=("select",)), "delta:main.py")
    assert "  parses                      True" in told
    assert "  top_2gram_share             0." in told
    assert "characters_per_token" not in told

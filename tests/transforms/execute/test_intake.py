import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from transforms.execute.intake import survey_samples
from transforms.execute.samples import read_sample
from transforms.problemsets.findings import Finding
from transforms.problemsets.rows import parse_line

PROBLEMS = ["pets/0", "pets/1", "pets/2"]


def survey(*rows):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    parsed = (parse_line(number, line.encode()) for number, line in enumerate(lines, start=1))
    return survey_samples(map(read_sample, parsed), PROBLEMS)


def row(task, completion="x", **rest):
    return {"task_id": f"pets/{task}", "completion": completion, **rest}


def test_samples_that_can_all_be_run_leave_nothing_to_say():
    intake = survey(row(0), row(1), row(2), row(2, "y"))
    nothing = Finding()
    assert (intake.rows, intake.samples, intake.tasks) == (4, 4, 3)
    assert intake.malformed == intake.unknown_tasks == intake.missing_tasks == nothing
    assert intake.repeats == intake.duplicates == intake.replaced_fields == nothing


def test_nothing_of_a_file_is_dropped_silently():
    intake = survey(row(0), "meow", row(7), row(7, "y"), row(8), {"task_id": "pets/0"}, row(0))
    assert (intake.rows, intake.samples, intake.tasks) == (7, 2, 1)
    assert intake.malformed == Finding(
        2, ("line 2: no JSON (Expecting value at character 1)", "line 6: no 'completion'")
    )
    assert intake.unknown_tasks == Finding(3, ("line 3: 'pets/7'", "line 5: 'pets/8'"))
    assert intake.missing_tasks == Finding(2, ("pets/1", "pets/2"))


def test_an_empty_file_misses_all_tasks():
    intake = survey()
    assert (intake.rows, intake.samples, intake.tasks) == (0, 0, 0)
    assert intake.missing_tasks.count == 3


def test_equal_completions_of_a_task_are_repeats_and_equal_named_rows_duplicates():
    intake = survey(
        row(0, sample_id=1),
        row(1, sample_id=1),
        row(0, sample_id=2),
        row(0, sample_id=1),
        row(0, sample_id=1),
        row(0, model="cat"),
        row(0, model="cat"),
    )
    assert intake.samples == 7
    assert intake.repeats.count == 5
    assert intake.repeats.examples[:2] == ("line 3 as line 1", "line 4 as line 1")
    assert intake.duplicates == Finding(2, ("line 4 as line 1", "line 5 as line 1"))


def test_names_what_is_replaced():
    intake = survey(row(0, verdict="passed"), row(0, verdict="failed"), row(0, tier="A", reason=""))
    assert intake.replaced_fields == Finding(3, ("verdict", "tier, reason"))


def test_a_long_name_is_cut():
    intake = survey({"task_id": "x" * 10_000, "completion": ""})
    assert len(intake.unknown_tasks.examples[0]) < 100


def test_a_finding_says_how_many_more_there_are():
    intake = survey(*["meow"] * 1_234)
    assert str(intake.malformed).startswith("1,234 (line 1: no JSON")
    assert str(intake.malformed).endswith("; and 1,229 more)")


rows = st.lists(
    st.one_of(
        st.builds(row, st.integers(0, 3), st.sampled_from("xy"), id=st.integers(0, 1)),
        st.builds(row, st.integers(0, 3), st.sampled_from("xy")),
        st.just("meow"),
    ),
    max_size=30,
)


@given(rows)
def test_counts_as_the_obvious_way_does(rows):
    intake = survey(*rows)
    known = [row for row in rows if row != "meow" and row["task_id"] in PROBLEMS]
    pairs = Counter((row["task_id"], row["completion"]) for row in known)
    named = Counter(json.dumps(row) for row in known if "id" in row)
    assert intake.rows == len(rows)
    assert intake.samples == len(known)
    assert intake.tasks == 3 - intake.missing_tasks.count == len({row["task_id"] for row in known})
    assert intake.samples + intake.malformed.count + intake.unknown_tasks.count == intake.rows
    assert intake.malformed.count == rows.count("meow")
    assert intake.repeats.count == sum(count - 1 for count in pairs.values())
    assert intake.duplicates.count == sum(count - 1 for count in named.values())

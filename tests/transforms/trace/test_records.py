import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace import records
from transforms.trace.records import Call, Function, Kind, read_records

DEFINITION = {"function": [0, "/project/a.py", "a", "f", 3, "function", False, False]}
FUNCTION = Function("a.py", "a", "f", 3, Kind.FUNCTION)
ROOTS = {"/project": ""}


def write(folder, name, *lines):
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / name).write_text(text)


def call(*positional):
    return {"call": [0, [], list(positional), []]}


def test_processes_are_merged_in_the_order_of_their_numbers(tmp_path):
    write(tmp_path, "calls-10-0.jsonl", DEFINITION, call(3), call(1), {"seen": [0, 5]})
    write(tmp_path, "calls-9-0.jsonl", DEFINITION, call(1), call(2), {"seen": [0, 2]})
    (found,) = read_records(tmp_path, ROOTS)
    assert found.function == FUNCTION
    assert [each.arguments for each in found.calls] == [(1,), (2,), (3,)]
    assert found.seen == 7


def test_counts_are_totals_of_their_file(tmp_path):
    lines = [{"opaque": [0, "Socket", count]} for count in (1, 10, 30)]
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, *lines, {"seen": [0, 1]}, {"seen": [0, 30]})
    (found,) = read_records(tmp_path, ROOTS)
    assert (found.seen, found.opaque) == (30, (("Socket", 30),))


def test_receivers_and_keywords_are_kept_apart(tmp_path):
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, {"call": [0, [None], [1], [["k", 2]]]})
    (found,) = read_records(tmp_path, ROOTS)
    assert found.calls == (Call((1,), (("k", 2),), None, True),)
    assert found.seen == 1


def test_at_most_twenty_calls_are_kept(tmp_path):
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, *map(call, range(50)))
    (found,) = read_records(tmp_path, ROOTS)
    assert len(found.calls) == 20


def test_a_module_that_was_run_as_a_program_is_the_one_that_is_imported(tmp_path):
    main = {"function": [1, "/project/a.py", "__main__", "f", 3, "function", False, False]}
    lines = [main, {"call": [1, [], [7], []]}, {"seen": [1, 1]}]
    write(tmp_path, "calls-1-0.jsonl", *lines)
    assert [each.function.module for each in read_records(tmp_path, ROOTS)] == ["__main__"]
    write(tmp_path, "calls-2-0.jsonl", DEFINITION, call(8), {"seen": [0, 1]})
    (found,) = read_records(tmp_path, ROOTS)
    assert found.function == FUNCTION
    assert ([each.arguments for each in found.calls], found.seen) == ([(7,), (8,)], 2)


def test_paths_are_told_as_the_longest_root_says(tmp_path):
    for number, path in enumerate(("/p/a.py", "/p/lib/b.py", "/q/c.py", "/p/../q/d.py")):
        line = {"function": [number, path, "m", "f", 1, "function", False, False]}
        write(tmp_path, f"calls-{number}-0.jsonl", line)
    found = read_records(tmp_path, {"/p": "src", "/p/lib": ""})
    assert {each.function.file for each in found} == {"src/a.py", "b.py"}


@pytest.mark.parametrize(
    "line",
    [
        '{"call": [0, [], [1',
        "[]",
        "{}",
        "nonsense",
        "[" * 100_000,
        {"call": [7, [], [1], []]},
        {"call": [0, [], [{"call": ["os:system", ["ls"], {}]}], []]},
        {"call": [0, [], 1, []]},
        {"call": [0, [], [], [["a b", 1]]]},
        {"call": [0, [1, 2], [], []]},
        {"function": [1, "/project/a.py", "a", "f", 3, "kind of", False, False]},
        {"function": [1, "/project/a\n.py", "a", "f", 3, "function", False, False]},
        {"function": [1, "/elsewhere/a.py", "a", "f", 3, "function", False, False]},
        {"function": [1, "/project/a.py", "a", "f", -3, "function", False, False]},
        {"function": [1, "/project/a.py", ["a"], "f", 3, "function", False, False]},
        {"seen": [0, "many"]},
        {"opaque": [0, "x\0", 1]},
        {"opaque": [0, 3, 1]},
    ],
    ids=lambda line: str(line)[:50],
)
def test_lines_that_are_no_records_are_skipped(line, tmp_path):
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, line, call(1))
    (found,) = read_records(tmp_path, ROOTS)
    assert (found.function, found.opaque) == (FUNCTION, ())
    assert [each.arguments for each in found.calls] == [(1,)]


def test_a_last_line_that_was_cut_off_is_skipped(tmp_path):
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, call(1))
    with (tmp_path / "calls-1-0.jsonl").open("a") as file:
        file.write(json.dumps(call(2)))
    (found,) = read_records(tmp_path, ROOTS)
    assert [each.arguments for each in found.calls] == [(1,)]


def test_long_lines_are_skipped_whole(tmp_path):
    tail = json.dumps(call(5))
    write(tmp_path, "calls-1-0.jsonl", DEFINITION, "x" * records.MOST_LINE + tail, call(1))
    (found,) = read_records(tmp_path, ROOTS)
    assert [each.arguments for each in found.calls] == [(1,)]


def test_only_regular_files_are_opened(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    write(tmp_path, "secret.jsonl", DEFINITION)
    (folder / "calls-1-0.jsonl").symlink_to(tmp_path / "secret.jsonl")
    os.mkfifo(folder / "calls-2-0.jsonl")
    (folder / "calls-3-0.jsonl").mkdir()
    write(folder, "other.jsonl", DEFINITION)
    assert read_records(folder, ROOTS) == ()


def test_all_files_together_are_bounded(tmp_path, monkeypatch):
    for number in range(4):
        write(tmp_path, f"calls-{number}-0.jsonl", DEFINITION, *map(call, range(number * 3)))
    monkeypatch.setattr(records, "MOST_BYTES", 2 * len(json.dumps(DEFINITION)) + 40)
    (found,) = read_records(tmp_path, ROOTS)
    assert len(found.calls) < 3


def test_functions_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_FUNCTIONS", 3)
    lines = [
        {"function": [n, "/project/a.py", "a", f"f{n}", 3, "function", False, False]}
        for n in range(9)
    ]
    write(tmp_path, "calls-1-0.jsonl", *lines)
    assert len(read_records(tmp_path, ROOTS)) == 3


@given(st.lists(st.one_of(st.binary(), st.text().map(str.encode)), max_size=5))
def test_no_bytes_raise(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("records")
    Path(folder / "calls-1-0.jsonl").write_bytes(b"\n".join(lines))
    assert read_records(folder, ROOTS) == ()

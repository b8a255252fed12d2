import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.transforms.execute.builders import COMPRESS, json_lines
from transforms.problemsets.row_files import iterate_rows
from transforms.problemsets.rows import RowFileError

ROWS = [
    {"task_id": f"pets/{number}", "completion": "# \u00e4\n" * (number % 50)}
    for number in range(700)
]


def read(path, max_line_bytes=10_000):
    return [(row.number, row.values) for row in iterate_rows(path, max_line_bytes)]


def write_stream(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def write_file(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)


WRITERS = {"parquet": pq.write_table, "stream": write_stream, "file": write_file}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_reads_json_lines_however_they_are_compressed_and_named(tmp_path, suffix):
    path = json_lines(tmp_path / "rows.txt", *ROWS, compress=COMPRESS[suffix])
    assert read(path) == list(enumerate(ROWS, start=1))


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_streams_that_follow_each_other_are_one_file(tmp_path, suffix):
    first = json_lines(tmp_path / "a", *ROWS[:3], compress=COMPRESS[suffix]).read_bytes()
    second = json_lines(tmp_path / "b", *ROWS[3:], compress=COMPRESS[suffix]).read_bytes()
    (tmp_path / "both").write_bytes(first + second)
    assert read(tmp_path / "both") == list(enumerate(ROWS, start=1))


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_damage_is_an_error_that_says_how_far_it_was_read(tmp_path, suffix):
    path = json_lines(tmp_path / "rows", *ROWS, compress=COMPRESS[suffix])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RowFileError, match=r"rows: cannot be read"):
        read(path)


def test_blank_lines_are_no_rows_but_count(tmp_path):
    path = json_lines(tmp_path / "rows", "", ROWS[0], " \t\r", ROWS[1])
    assert read(path) == [(2, ROWS[0]), (4, ROWS[1])]


def test_a_last_line_needs_no_end(tmp_path):
    path = tmp_path / "rows"
    path.write_text('{"a": 1}\r\n{"a": 2}')
    assert read(path) == [(1, {"a": 1}), (2, {"a": 2})]


@pytest.mark.parametrize("longer", [1, 2, 3_000_000])
def test_a_line_that_is_too_long_is_a_row_without_its_values(tmp_path, longer):
    fits = '{"a": "%s"}' % ("x" * 91)
    too_long = '{"a": "%s"}' % ("x" * (91 + longer))
    path = json_lines(tmp_path / "rows", fits, too_long, fits)
    rows = list(iterate_rows(path, max_line_bytes=len(fits)))
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.problem for row in rows] == ["", "longer than 100 bytes", ""]
    assert rows[1].text == too_long[:101]


@pytest.mark.parametrize("kind", WRITERS)
def test_reads_tables(tmp_path, kind):
    WRITERS[kind](pa.Table.from_pylist(ROWS), tmp_path / "rows")
    assert read(tmp_path / "rows") == list(enumerate(ROWS, start=1))


@pytest.mark.parametrize("kind", WRITERS)
def test_the_parts_of_a_folder_are_one_table_in_the_order_of_their_numbers(tmp_path, kind):
    suffix = "parquet" if kind == "parquet" else "arrow"
    for number, start in ((0, 0), (99_999, 200), (100_000, 400)):
        name = f"part-{number:05d}.{suffix}"
        end = len(ROWS) if start == 400 else start + 200
        WRITERS[kind](pa.Table.from_pylist(ROWS[start:end]), tmp_path / name)
    (tmp_path / "manifest.json").write_text("{}")
    assert read(tmp_path) == list(enumerate(ROWS, start=1))


def test_a_folder_that_is_no_table_is_an_error(tmp_path):
    (tmp_path / "samples.parquet").touch()
    with pytest.raises(RowFileError, match="is a folder without parts of a table; name a file"):
        read(tmp_path)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_damaged_table_is_an_error(tmp_path, kind, share):
    path = tmp_path / "rows"
    WRITERS[kind](pa.Table.from_pylist(ROWS), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RowFileError, match="rows: cannot be read"):
        read(path)


def test_a_table_whose_text_is_no_utf8_is_an_error(tmp_path):
    column = pa.array([b"\xff"], pa.binary()).view(pa.string())
    write_stream(pa.table({"completion": column}), tmp_path / "rows")
    with pytest.raises(RowFileError, match="Invalid UTF8"):
        read(tmp_path / "rows")


def test_two_columns_of_one_name_are_an_error(tmp_path):
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["task_id", "task_id"])
    write_stream(table, tmp_path / "rows")
    with pytest.raises(RowFileError, match="two columns have the same name: task_id, task_id"):
        read(tmp_path / "rows")


def test_what_is_not_there_or_no_file_is_an_error(tmp_path):
    with pytest.raises(RowFileError, match="nothing: cannot be read: No such file or directory"):
        read(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RowFileError, match="pipe: is no file on a disk; write it to one first"):
        read(tmp_path / "pipe")


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "rows").touch()
    assert read(tmp_path / "rows") == []

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.exports import exporting

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("licenses", pa.list_(pa.string())),
        ("tokens", pa.int64()),
        ("sure", pa.float32()),
    ]
)
ROWS = [
    {
        "path": "plain.py",
        "licenses": ["MIT", "Apache-2.0"],
        "tokens": 3,
        "sure": float(np.float32(0.1)),
    },
    {"path": "=cmd|' /C calc'!A0", "licenses": [], "tokens": -4, "sure": None},
    {"path": "+1.py", "licenses": ["=1+1"], "tokens": 0, "sure": None},
    {"path": '-a\n,"b".py', "licenses": ["a,b"], "tokens": 1, "sure": None},
    {"path": "@sum.py", "licenses": [], "tokens": 1, "sure": None},
    {"path": "\t=1.py", "licenses": [], "tokens": 1, "sure": None},
    {"path": "\uff1d1.py", "licenses": [], "tokens": 1, "sure": None},
    {"path": "'quoted.py", "licenses": [], "tokens": 1, "sure": None},
    {"path": "a=b'c.py", "licenses": [], "tokens": 1, "sure": None},
    {"path": "caf\u00e9.py", "licenses": [], "tokens": 1, "sure": None},
]


def export(path, rows=ROWS):
    with exporting(path, SCHEMA) as write:
        for first in range(0, len(rows), 4):
            write(pa.RecordBatch.from_pylist(rows[first : first + 4], schema=SCHEMA))
    return path


def test_programs_get_the_rows_as_they_are(tmp_path):
    assert pq.read_table(export(tmp_path / "a.parquet")).to_pylist() == ROWS
    assert pq.read_schema(tmp_path / "a.parquet").equals(SCHEMA)
    lines = export(tmp_path / "a.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == ROWS


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_text_of_a_spreadsheet_is_a_formula(tmp_path):
    rows = read_csv(export(tmp_path / "a.csv"))
    for row in rows:
        assert not row["path"].startswith(tuple("=+-@\t\r\n\uff1d"))
        assert not row["licenses"].startswith("=")


def test_a_quote_taken_away_gives_the_text_back(tmp_path):
    rows = read_csv(export(tmp_path / "a.csv"))
    assert [row["path"].removeprefix("'") for row in rows] == [row["path"] for row in ROWS]
    assert [int(row["tokens"]) for row in rows] == [row["tokens"] for row in ROWS]
    assert rows[0]["licenses"] == "MIT; Apache-2.0"
    assert (rows[0]["sure"], rows[1]["sure"]) == ("0.1", "")


def test_a_file_that_breaks_off_leaves_the_old_one(tmp_path):
    path = export(tmp_path / "a.csv", ROWS[:1])
    with pytest.raises(AttributeError), exporting(path, SCHEMA) as write:
        write(ROWS)
    assert len(read_csv(path)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", r"must end in \.csv, \.jsonl, \.parquet"),
        ("a", "must end in"),
        ("none/a.csv", "in a folder that exists"),
        ("folder.csv", "name a file"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused(tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=message), exporting(tmp_path / name, SCHEMA):
        pass

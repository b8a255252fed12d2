import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.culprits import named_in, naming_culprit
from transforms.recurrence import KEY_COLUMNS, learn_once


def fail_on(bad):
    def attempt(number):
        if number == bad:
            raise ValueError("bad")

    return attempt


def test_names_the_document_that_work_fails_on():
    with pytest.raises(ValueError, match="whole") as caught, naming_culprit(5, fail_on(3), str):
        raise ValueError("whole")
    assert named_in(caught.value) == "3"


def test_names_none_where_each_works_alone():
    with pytest.raises(ValueError, match="together") as caught, naming_culprit(5, fail_on(9), str):
        raise ValueError("together")
    assert named_in(caught.value) == ""


def test_work_that_succeeds_is_not_tried_again():
    with naming_culprit(5, fail_on(0), str):
        pass


def test_an_error_in_a_part_names_repository_and_path(tmp_path):
    contents = [b"a", b"b", b"a", b"c", b"d"]
    table = pa.table(
        {
            "repository": ["r"] * 5,
            "path": [f"{number}.py" for number in range(5)],
            "sha256": [content.decode() for content in contents],
            "encoding": ["utf-8"] * 5,
            "language": ["python"] * 5,
            "content": contents,
        }
    )
    path = tmp_path / "part-00000.parquet"
    pq.write_table(table, path, row_group_size=3)

    def learn(rows):
        if b"d" in rows["content"].to_pylist():
            raise ValueError("no d")
        return {"x": rows.select(["content"])}

    with pytest.raises(ValueError, match="no d") as caught:
        list(learn_once(path, ["content", *KEY_COLUMNS], learn))
    assert named_in(caught.value) == "r:4.py"

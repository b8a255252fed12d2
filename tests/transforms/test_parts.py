import hashlib
import types
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.digest import TableDigest
from transforms import parts
from transforms.parts import (
    PartWriter,
    Progress,
    Receipt,
    Workspace,
    iterate_row_groups,
    map_stream,
    read_part,
    read_row,
)
from transforms.stores.files import temporary_beside, write_whole

SCHEMA = pa.schema([pa.field("path", pa.string()), pa.field("content", pa.large_binary())])
SUFFIXES = pytest.mark.parametrize("suffix", ["parquet", "arrow"])


def batch(first, count, size=100):
    rows = [{"path": f"{n}.py", "content": bytes([n % 256]) * size} for n in range(count)]
    return pa.RecordBatch.from_pylist(rows[first:], schema=SCHEMA)


def read(path):
    return read_part(path) if path.suffix == ".parquet" else map_stream(path)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))


@SUFFIXES
def test_writes_all_batches_in_order(tmp_path, suffix):
    path = tmp_path / "folder" / f"part-00000.{suffix}"
    with PartWriter(path, SCHEMA, row_group_bytes=250) as writer:
        writer.write(batch(0, 5))
        writer.write(batch(0, 0))
        writer.write(batch(5, 9))
    assert read(path).to_pylist() == batch(0, 9).to_pylist()


def test_reads_one_row_of_any_row_group(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with PartWriter(path, SCHEMA, row_group_bytes=250) as writer:
        writer.write(batch(0, 5))
        writer.write(batch(5, 9))
    assert pq.ParquetFile(path).num_row_groups > 1
    rows = batch(0, 9).to_pylist()
    assert [read_row(path, row) for row in range(9)] == rows
    assert read_row(path, 3, ["path"]) == {"path": "3.py"}
    with pytest.raises(IndexError, match="no row"):
        read_row(path, 9)


@SUFFIXES
def test_an_entry_describes_the_file(tmp_path, suffix):
    path = tmp_path / f"part-00000.{suffix}"
    with PartWriter(path, SCHEMA) as writer:
        writer.write(batch(0, 5))
    digest = TableDigest(SCHEMA)
    digest.update(batch(0, 5))
    entry = writer.entry
    assert (entry.name, entry.rows) == (path.name, 5)
    assert entry.bytes == path.stat().st_size
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry.digest == digest.hexdigest()


@SUFFIXES
def test_a_part_of_no_rows_is_a_file(tmp_path, suffix):
    path = tmp_path / f"part-00000.{suffix}"
    with PartWriter(path, SCHEMA) as writer:
        pass
    assert writer.entry.rows == 0
    assert read(path).schema == SCHEMA
    assert read(path).num_rows == 0


@SUFFIXES
def test_equal_rows_have_equal_bytes(tmp_path, suffix):
    for name in ("one", "two"):
        with PartWriter(tmp_path / f"{name}.{suffix}", SCHEMA) as writer:
            writer.write(batch(0, 5))
    one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "two"))
    assert one == two


@SUFFIXES
def test_nothing_is_under_the_name_until_all_is_written(tmp_path, suffix):
    path = tmp_path / f"part-00000.{suffix}"
    with PartWriter(path, SCHEMA, row_group_bytes=1) as writer:
        writer.write(batch(0, 5))
        assert not path.exists()
        with pytest.raises(ValueError, match=f"part-00000.{suffix} is not written yet"):
            _ = writer.entry
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@SUFFIXES
def test_an_exception_leaves_nothing_new(tmp_path, suffix):
    path = tmp_path / f"part-00000.{suffix}"
    path.write_bytes(b"of an earlier try")

    def write_and_fail():
        with PartWriter(path, SCHEMA, row_group_bytes=1) as writer:
            writer.write(batch(0, 5))
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_and_fail()
    assert path.read_bytes() == b"of an earlier try"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def _full_disk(*_):
    raise OSError(28, "No space left on device")


@SUFFIXES
def test_a_disk_that_fills_up_at_the_end_leaves_nothing(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("transforms.stores.files.os.fsync", _full_disk)
    with (
        pytest.raises(OSError, match="No space left"),
        PartWriter(tmp_path / f"part-00000.{suffix}", SCHEMA) as writer,
    ):
        writer.write(batch(0, 5))
    assert list(tmp_path.iterdir()) == []


def test_refuses_rows_of_another_schema(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with (
        pytest.raises(ValueError, match="the table has path: string"),
        PartWriter(path, SCHEMA) as writer,
    ):
        writer.write(pa.record_batch({"other": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_row_groups_are_of_bounded_size(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with PartWriter(path, SCHEMA, row_group_bytes=10_000) as writer:
        for number in range(100):
            writer.write(batch(number, number + 1, size=1000))
    groups = [len(group) for group in iterate_row_groups(path)]
    assert sum(groups) == 100
    assert set(groups[:-1]) == {10}
    assert pq.ParquetFile(path).num_row_groups == len(groups)


def test_many_tiny_batches_are_gathered_and_say_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PENDING_BATCHES", 8)
    entries = []
    for name, rows in (("tiny", 1), ("whole", 100)):
        with PartWriter(tmp_path / f"{name}.parquet", SCHEMA) as writer:
            for first in range(0, 100, rows):
                writer.write(batch(first, first + rows))
                assert len(writer._pending) <= 8
        entries.append((writer.entry.rows, writer.entry.digest, writer.entry.sha256))
    assert entries[0] == entries[1]


def test_reads_row_groups_as_single_batches_of_the_wanted_columns(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with PartWriter(path, SCHEMA, row_group_bytes=1) as writer:
        writer.write(batch(0, 2))
        writer.write(batch(2, 5))
    groups = list(iterate_row_groups(path, ["path"]))
    assert [group.to_pylist() for group in groups] == [
        batch(0, 2).select(["path"]).to_pylist(),
        batch(2, 5).select(["path"]).to_pylist(),
    ]


def test_a_stream_is_mapped_and_not_copied(tmp_path):
    path = tmp_path / "part-00000.arrow"
    with PartWriter(path, SCHEMA) as writer:
        writer.write(batch(0, 1000, size=1000))
    before = pa.total_allocated_bytes()
    table = map_stream(path)
    assert pa.total_allocated_bytes() - before < 10_000
    assert table.num_rows == 1000
    assert table["content"][999].as_py() == bytes([999 % 256]) * 1000


def test_parquet_is_compressed_by_zstandard(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with PartWriter(path, SCHEMA) as writer:
        writer.write(batch(0, 5))
    group = pq.ParquetFile(path).metadata.row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}


def test_write_whole_replaces_a_file(tmp_path):
    path = tmp_path / "new folder" / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["transforms.stores.files.os.fsync", "pathlib.Path.replace"])
def test_write_whole_keeps_the_old_content_when_it_fails(tmp_path, failing, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(failing, _full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "part-00000.parquet"
    with PartWriter(path, SCHEMA) as slow, PartWriter(path, SCHEMA) as fast:
        slow.write(batch(0, 3))
        fast.write(batch(0, 3))
    assert slow.entry == fast.entry
    assert read_part(path).num_rows == 3


def test_a_workspace_has_committed_and_staged_files(workspace, tmp_path):
    assert workspace.committed("documents", "a") == tmp_path / "run" / "documents" / "a"
    assert workspace.staged("documents", "a") == tmp_path / "staging" / "documents" / "a"


def test_a_file_without_rows_has_an_entry(workspace):
    entry = workspace.write_file("shards", "tokenizer.json", b"{}")
    sha256 = hashlib.sha256(b"{}").hexdigest()
    assert workspace.staged("shards", "tokenizer.json").read_bytes() == b"{}"
    assert (entry.rows, entry.bytes, entry.sha256, entry.digest) == (0, 2, sha256, sha256)


def test_a_receipt_says_what_a_unit_wrote(workspace):
    assert workspace.receipts() == {}
    with workspace.write_table("documents", "part-00001.parquet", SCHEMA) as writer:
        writer.write(batch(0, 2))
    receipt = Receipt(files={"documents": (writer.entry,)}, statistics={"documents": 2})
    workspace.write_receipt("part-00001", receipt)
    workspace.write_receipt("part-00000", Receipt(files={}))
    assert workspace.has_receipt("part-00001")
    assert not workspace.has_receipt("part-00002")
    assert list(workspace.receipts().items()) == [
        ("part-00000", Receipt(files={})),
        ("part-00001", receipt),
    ]


def test_a_receipt_that_is_being_written_is_none(workspace):
    workspace.write_receipt("part-00000", Receipt(files={}))
    folder = Path(workspace.staging, "receipts")
    temporary_beside(folder / "part-00001.json").write_text("{")
    (folder / ".part-00002.json").write_text("{")
    assert list(workspace.receipts()) == ["part-00000"]


def test_progress_is_written_at_most_twice_a_second(workspace, monkeypatch):
    now = 100.0
    clock = types.SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("transforms.parts.time", clock)
    progress = Progress(workspace, "part-00000")
    assert workspace.progress() == {}
    progress.add(documents=1, bytes=10)
    now += 0.4
    progress.add(documents=2)
    assert workspace.progress() == {"part-00000": {"documents": 1, "bytes": 10}}
    now += 0.2
    progress.add(bytes=5)
    assert workspace.progress() == {"part-00000": {"documents": 3, "bytes": 15}}


def test_progress_tells_the_last_counts_at_the_end(workspace):
    with Progress(workspace, "part-00000") as progress:
        progress.add(documents=1)
        progress.add(documents=2)
        assert workspace.progress() == {"part-00000": {"documents": 1}}
    assert workspace.progress() == {"part-00000": {"documents": 3}}


def test_progress_of_finished_units_is_kept_when_a_stage_goes_on(workspace):
    for unit in ("done", "interrupted"):
        progress = Progress(workspace, unit)
        progress.add(documents=1)
        progress.tell("waiting")
    workspace.write_receipt("done", Receipt(files={}))
    workspace.forget_unfinished()
    assert workspace.progress() == {"done": {"documents": 1}}
    assert workspace.notices() == []


def test_units_tell_their_progress_apart(workspace):
    Progress(workspace, "one").add(documents=1)
    Progress(workspace, "two").add(documents=2)
    assert workspace.progress() == {"one": {"documents": 1}, "two": {"documents": 2}}


def test_receipts_of_the_same_work_are_equal_whoever_did_it():
    assert Receipt({}, {"units": 1}, "one", 7) == Receipt({}, {"units": 1}, "other", 0)
    assert Receipt({}, {"units": 1}) != Receipt({}, {"units": 2})

import os

import pytest

from pipeline.errors import UsageError, UserError
from pipeline.folder import RunFolder
from pipeline.places import existing_run
from schemas.manifest import FileEntry, Manifest
from transforms.stores.files import write_whole

TABLES = ("failures/crawl", "repositories", "documents")


class Died(BaseException):
    """Stands for the end of the process: nothing in the code under test catches it."""


def stage_tables(run: RunFolder, content: str, fingerprint: str) -> list[Manifest]:
    """Writes the tables of a stage into its staging folder."""
    run.open_staging("crawl", fingerprint)
    manifests = []
    for table in TABLES:
        write_whole(run.staging("crawl") / table / "part-00000.parquet", content.encode())
        entry = FileEntry("part-00000.parquet", 1, len(content), "", content)
        manifests.append(
            Manifest(table, "crawl", "1", fingerprint, {}, {}, (entry,), {"documents": 1})
        )
    return manifests


def contents(run: RunFolder) -> set[str]:
    return {
        (run.path / table / "part-00000.parquet").read_text()
        for table in TABLES
        if run.manifest(table) is not None
    }


@pytest.fixture
def run(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    return folder


def test_a_published_table_has_a_manifest_and_staging_is_gone(run):
    run.publish("crawl", stage_tables(run, "new", "f"))
    assert contents(run) == {"new"}
    assert run.leftovers() == []
    assert not run.staging("crawl").exists()


@pytest.mark.parametrize("operation", ["rename", "replace", "rmdir", "unlink"])
def test_death_at_any_step_of_publishing_loses_nothing(tmp_path, monkeypatch, operation):
    """Dies at the n-th system call of a kind, for every n, and lets the next process look."""
    died_at = 0
    while True:
        died_at += 1
        run = RunFolder(tmp_path / f"{operation}-{died_at}")
        run.create()
        run.publish("crawl", stage_tables(run, "old", "1"))
        manifests = stage_tables(run, "new", "2")
        with monkeypatch.context() as patch:
            calls = iter(range(1, 10_000))
            original = getattr(os, operation)

            def dying(*arguments, original=original, calls=calls, at=died_at, **options):
                if next(calls) == at:
                    raise Died
                return original(*arguments, **options)

            patch.setattr(os, operation, dying)
            try:
                run.publish("crawl", manifests)
                survived = True
            except Died:
                survived = False
        run.recover()
        # All tables are of one generation, and none is lost.
        assert len([table for table in TABLES if run.manifest(table)]) == len(TABLES)
        assert contents(run) in ({"old"}, {"new"})
        if survived:
            assert contents(run) == {"new"}
            assert died_at > 1 or operation in ("rmdir", "unlink")
            return


def test_what_a_dead_writer_left_is_not_published(run):
    manifests = stage_tables(run, "new", "f")
    stray = run.staging("crawl") / "documents" / ".part-00001.parquet.17-ab.tmp"
    stray.write_text("half")
    run.publish("crawl", manifests)
    assert [path.name for path in sorted((run.path / "documents").iterdir())] == [
        "manifest.json",
        "part-00000.parquet",
    ]


def test_staging_of_other_work_is_thrown_away_and_of_the_same_work_resumed(run):
    workspace = run.open_staging("annotate", "same")
    write_whole(workspace.staged("x", "part-00000.parquet"), b"done")
    assert run.leftovers() == ["annotate"]
    again = run.open_staging("annotate", "same")
    assert again.staged("x", "part-00000.parquet").exists()
    other = run.open_staging("annotate", "other")
    assert not other.staged("x", "part-00000.parquet").exists()


def test_a_table_with_a_damaged_manifest_does_not_exist(run):
    run.publish("crawl", stage_tables(run, "new", "f"))
    (run.path / "documents" / "manifest.json").write_text('{"format": 1, "files": [')
    assert run.manifest("documents") is None


def test_notices_files_that_are_gone_or_shorter(run):
    manifests = stage_tables(run, "new", "f")
    run.publish("crawl", manifests)
    path = run.path / "documents" / "part-00000.parquet"
    assert run.missing_files(manifests[-1]) == []
    path.write_text("n")
    assert run.missing_files(manifests[-1]) == ["part-00000.parquet"]
    path.unlink()
    assert run.missing_files(manifests[-1]) == ["part-00000.parquet"]


def test_only_one_process_holds_a_run(run):
    said = rf"in use by process {os.getpid()} on .*, which has it since 2\d{{3}}-"
    refusal = pytest.raises(UserError, match=said)
    with run.locked(), refusal, run.locked():
        pass
    with run.locked():
        pass


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(UsageError, match="is not a run"):
        existing_run(str(tmp_path))


def test_what_a_killed_process_was_writing_is_removed(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create()
    (folder.path / "..writable.1-0.tmp").write_bytes(b"")
    with folder.locked():
        folder.recover()
    assert not list(folder.path.glob(".*.tmp"))


def test_cleaning_names_and_removes_what_interrupted_work_left(run):
    run.publish("crawl", stage_tables(run, "new", "f"))
    workspace = run.open_staging("annotate", "g")
    write_whole(workspace.staged("x", "part-00000.parquet"), b"staged")
    (run.path / "documents" / ".part-00000.parquet.17-ab.tmp").write_bytes(b"half")
    with run.locked():
        removed = {each.name: (each.files, each.bytes) for each in run.clean()}
        assert removed == {
            ".staging/annotate": (2, 7),
            "documents/.part-00000.parquet.17-ab.tmp": (1, 4),
        }
        assert run.clean() == []
    assert contents(run) == {"new"}
    assert run.leftovers() == []

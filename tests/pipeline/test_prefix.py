"""Runs in object stores, each on a server of its own."""

import os
import threading

import pytest

from pipeline.errors import LostLockError, UsageError, UserError
from pipeline.lock import ObjectLock
from pipeline.places import existing_run, run_at
from pipeline.prefix import RunPrefix
from schemas.manifest import FileEntry, Manifest
from tests.s3_server import S3Server, use_environment
from transforms.parts import Receipt
from transforms.stores.errors import StoreError

TABLES = ("failures/crawl", "repositories", "documents")
PART = "part-00000.parquet"


class Died(BaseException):
    """Stands for the end of the process: nothing in the code under test catches it."""


@pytest.fixture(params=["s3", "gs"])
def bucket(request) -> str:
    """The address of an empty bucket."""
    request.getfixturevalue({"s3": "s3_server", "gs": "gcs_server"}[request.param])
    return f"{request.param}://bucket"


@pytest.fixture
def run(bucket) -> RunPrefix:
    prefix = run_at(f"{bucket}/runs/one")
    prefix.create()
    return prefix


def stage_tables(run: RunPrefix, content: str, fingerprint: str) -> list[Manifest]:
    """Writes the tables of a stage into its staging folder."""
    workspace = run.open_staging("crawl", fingerprint)
    manifests = []
    for table in TABLES:
        workspace.files.write(f"{table}/{PART}", content.encode())
        entry = FileEntry(PART, 1, len(content), "", content)
        statistics = {"documents": 1}
        manifests.append(Manifest(table, "crawl", "1", fingerprint, {}, {}, (entry,), statistics))
    return manifests


def contents(run: RunPrefix) -> set[str]:
    return {
        run.store.read(f"{table}/{PART}").decode()
        for table in TABLES
        if run.manifest(table) is not None
    }


def names(run: RunPrefix) -> list[str]:
    return [entry.name for entry in run.store.entries()]


def test_a_published_table_has_a_manifest_and_staging_is_gone(run):
    with run.locked():
        run.publish("crawl", stage_tables(run, "new", "f"))
    assert contents(run) == {"new"}
    assert run.leftovers() == []
    expected = [f"{table}/{name}" for table in TABLES for name in ("manifest.json", PART)]
    assert names(run) == sorted(expected)


def test_files_that_a_table_had_before_and_has_no_more_are_gone(run):
    with run.locked():
        run.publish("crawl", stage_tables(run, "old", "1"))
        run.store.write("documents/part-00001.parquet", b"of more parts")
        run.publish("crawl", stage_tables(run, "new", "2"))
    assert "documents/part-00001.parquet" not in names(run)


def test_a_part_that_is_taken_over_stays_in_its_place_without_a_copy(run):
    with run.locked():
        run.publish("crawl", stage_tables(run, "old", "1"))
        etags = {entry.name: entry.etag for entry in run.store.entries()}
        manifests = stage_tables(run, "old", "2")
        workspace = run.open_staging("crawl", "2")
        for table in TABLES:
            workspace.files.delete([f"{table}/{PART}"])
            run.take_over(workspace, table, PART)
        run.publish("crawl", manifests)
    assert contents(run) == {"old"}
    assert run.manifest("documents").fingerprint == "2"
    for entry in run.store.entries("documents"):
        assert entry.name.endswith("manifest.json") or entry.etag == etags[entry.name]


def test_a_part_that_is_lost_after_it_was_taken_over_is_named_and_made_again(run, monkeypatch):
    run.publish("crawl", stage_tables(run, "old", "1"))
    manifests = stage_tables(run, "old", "2")
    workspace = run.open_staging("crawl", "2")
    workspace.write_receipt("part-00000", Receipt({}))
    workspace.files.delete([f"documents/{PART}"])
    run.store.delete([f"documents/{PART}"])
    with pytest.raises(StoreError, match="it is gone, or not whole; run the same command again"):
        run.publish("crawl", manifests)
    assert run_at(run.name).manifest("documents").fingerprint == "1"
    assert run.leftovers() == []
    assert not run.open_staging("crawl", "2").has_receipt("part-00000")
    run.publish("crawl", stage_tables(run, "new", "2"))
    assert contents(run) == {"new"}


def test_what_cannot_be_finished_keeps_nobody_from_the_run(run, monkeypatch):
    run.publish("crawl", stage_tables(run, "old", "1"))
    manifests = stage_tables(run, "new", "2")

    def dying(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(type(run.store), "_copy", dying)
        with pytest.raises(Died):
            run.publish("crawl", manifests)
    run.store.delete([f"documents/{PART}"])
    run.store.delete(name for name in names(run) if name.endswith(f"/documents/{PART}"))
    with run.locked():
        run.recover()
    assert run.manifest("documents") is None
    assert run._journals() == []


OPERATIONS = ("write", "delete", "_copy", "add")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("after", [False, True])
def test_death_at_any_request_of_publishing_loses_nothing(bucket, monkeypatch, operation, after):
    """Dies before or after the n-th request of a kind, for every n; the next process looks."""
    died_at = 0
    while True:
        died_at += 1
        run = run_at(f"{bucket}/runs/{operation}-{died_at}")
        run.publish("crawl", stage_tables(run, "old", "1"))
        manifests = stage_tables(run, "new", "2")
        with monkeypatch.context() as patch:
            calls = iter(range(1, 10_000))
            original = getattr(type(run.store), operation)

            def dying(*arguments, original=original, calls=calls, at=died_at, **options):
                dies = next(calls) == at
                if dies and not after:
                    raise Died
                result = original(*arguments, **options)
                if dies:
                    raise Died
                return result

            patch.setattr(type(run.store), operation, dying)
            try:
                run.publish("crawl", manifests)
                survived = True
            except Died:
                survived = False
        # Whoever looks now sees a table whole or not at all.
        between = run_at(run.name)
        for table in TABLES:
            manifest = between.manifest(table)
            if manifest is not None:
                assert between.missing_files(manifest) == []
                content = between.store.read(f"{table}/{PART}").decode()
                assert content == manifest.files[0].digest
        with between.locked():
            between.recover()
        after_all = run_at(run.name)
        assert len([table for table in TABLES if after_all.manifest(table)]) == len(TABLES)
        assert contents(after_all) in ({"old"}, {"new"})
        assert after_all._journals() == []
        if survived:
            assert contents(after_all) == {"new"}
            assert died_at > 1
            return


def test_an_object_that_was_lost_before_the_manifest_stops_the_commit(run, monkeypatch):
    manifests = stage_tables(run, "new", "f")
    original = type(run.store)._copy

    def truncating(store, entry, name):
        original(store, entry, name)
        if name.startswith("documents/"):
            store.write(name, b"n")

    monkeypatch.setattr(type(run.store), "_copy", truncating)
    with pytest.raises(StoreError, match="is gone, or not whole, after it was written") as caught:
        run.publish("crawl", manifests)
    assert caught.value.filename == f"{run.name}/documents/{PART}"
    assert contents(run) == set()
    monkeypatch.undo()
    with run.locked():
        run.recover()
    assert contents(run) == {"new"}


def test_staging_of_other_work_is_thrown_away_and_of_the_same_work_resumed(run):
    workspace = run.open_staging("annotate", "same")
    workspace.files.write(f"x/{PART}", b"done")
    assert run.leftovers() == ["annotate"]
    assert run.open_staging("annotate", "same").files.exists(f"x/{PART}")
    assert not run.open_staging("annotate", "other").files.exists(f"x/{PART}")
    assert not workspace.files.exists(f"x/{PART}")


def test_notices_files_that_are_gone_or_shorter(run):
    manifests = stage_tables(run, "new", "f")
    run.publish("crawl", manifests)
    assert run.missing_files(manifests[-1]) == []
    run.store.write(f"documents/{PART}", b"n")
    assert run_at(run.name).missing_files(manifests[-1]) == [PART]
    run.store.delete([f"documents/{PART}"])
    assert run_at(run.name).missing_files(manifests[-1]) == [PART]


def test_a_table_with_a_damaged_manifest_does_not_exist(run):
    run.publish("crawl", stage_tables(run, "new", "f"))
    run.store.write("documents/manifest.json", b'{"format": 1, "files": [')
    assert run_at(run.name).manifest("documents") is None


def test_a_place_that_is_no_run_is_named(s3_server):
    with pytest.raises(UsageError, match=r"s3://bucket/none is not a run: it has no config\.yaml"):
        existing_run("s3://bucket/none")
    with pytest.raises(UsageError, match="name a place in the bucket"):
        run_at("s3://bucket")
    with pytest.raises(UsageError, match="name a place in the bucket, such as gs://bucket/my-run"):
        run_at("gs://bucket/")


def test_a_place_with_other_objects_is_refused(s3_server):
    s3_server.put("photos/holiday.jpg", b"")
    with pytest.raises(UsageError, match="has other objects and is not a run"):
        run_at("s3://bucket/photos").create()
    assert (s3_server.bucket / "photos/holiday.jpg").exists()


def test_a_store_that_ignores_conditions_is_refused(run, monkeypatch):
    monkeypatch.setattr(type(run.store), "add", lambda store, name, data: "etag")
    with pytest.raises(UserError, match="ignores the condition If-None-Match"):
        run.create()


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "correct AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "does not know the access key"),
    ],
)
def test_wrong_credentials_are_known_before_anything_else(s3_server, monkeypatch, changes, cure):
    use_environment(monkeypatch, s3_server.environment(**changes))
    with pytest.raises(UserError, match=cure) as caught:
        run_at("s3://bucket/runs/one").check()
    assert "not-to-be-shown" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bucket_that_is_missing_and_a_server_that_is_down_are_named(
    s3_server, monkeypatch, tmp_path
):
    with pytest.raises(UserError, match="there is no bucket other; create it"):
        run_at("s3://other/run").check()
    use_environment(monkeypatch, S3Server(tmp_path).environment())
    with pytest.raises(UserError, match=r"the store does not answer .* AWS_ENDPOINT_URL"):
        run_at("s3://bucket/run").check()


def test_only_one_process_holds_a_run_and_the_other_is_told_who_and_since_when(run):
    other = run_at(run.name)
    refusal = rf"in use by process {os.getpid()} on .*, which has it since \d{{4}}-.* seconds ago"
    with run.locked():
        with pytest.raises(UserError, match=refusal), other.locked():
            pass
        # Readers go on, and leave to the holder what is to be done.
        other.recover_if_free()
    with other.locked():
        pass
    assert names(run) == []


def hold(run: RunPrefix, **changes: object) -> bytes:
    """Leaves the lock of a process that died."""
    lock = ObjectLock(run.store, ".lock")
    lock._holder |= changes
    run.store.write(".lock", lock._body())
    return lock._body()


def test_the_lock_of_a_dead_process_of_this_machine_is_stale_at_once(run):
    hold(run, process=2**22 + 1)
    with run.locked():
        assert b'"process": 4194305' not in run.store.read(".lock")
    assert names(run) == []


def test_the_lock_of_another_machine_is_stale_when_it_is_not_renewed(run, monkeypatch):
    hold(run, machine="another", host="elsewhere", process=7)
    with pytest.raises(UserError, match="process 7 on elsewhere"), run.locked():
        pass
    monkeypatch.setattr("pipeline.lock.STALE_SECONDS", -1.0)
    with run.locked():
        assert b"elsewhere" not in run.store.read(".lock")


def test_of_many_thieves_one_gets_a_stale_lock(run):
    hold(run, process=2**22 + 1)
    won, refused = [], []
    barrier, done = threading.Barrier(6), threading.Event()

    def steal(number):
        other = run_at(run.name)
        barrier.wait()
        try:
            with other.locked():
                won.append(number)
                done.wait(30)
        except UserError:
            refused.append(number)
            if len(refused) == 5:
                done.set()

    threads = [threading.Thread(target=steal, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(refused) == 5


def test_a_lock_is_renewed_and_stays(run, monkeypatch):
    monkeypatch.setattr("pipeline.lock.BEAT_SECONDS", 0.05)
    with run.locked():
        first = run.store.hold(".lock").etag
        for _ in range(200):
            if run.store.hold(".lock").etag != first:
                break
        assert run.store.hold(".lock").etag != first
        run._check_lock()
    assert names(run) == []


def test_a_lost_lock_stops_the_run_and_nothing_is_published(run, monkeypatch):
    monkeypatch.setattr("pipeline.lock.BEAT_SECONDS", 0.05)
    manifests = stage_tables(run, "new", "f")
    stopped = threading.Event()

    def work():
        with run.locked():
            hold(run, process=7, host="thief")
            stopped.wait(60)
            raise AssertionError("it was not stopped")

    with pytest.raises(LostLockError, match=r"process 7 on thief.* has taken it"):
        work()
    assert b"thief" in run.store.read(".lock")
    lock = ObjectLock(run.store, ".other")
    lock._lost = "for a test"
    run._lock = lock
    with pytest.raises(LostLockError, match="run the same command again to resume"):
        run.publish("crawl", manifests)
    assert contents(run) == set()


def test_a_holder_whose_store_is_away_for_too_long_stops(run, monkeypatch):
    monkeypatch.setattr("pipeline.lock._LOST_SECONDS", -1.0)
    with (
        pytest.raises(LostLockError, match="the store has not answered for"),
        run.locked(),
    ):
        run._check_lock()


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_cleaning_names_and_removes_what_interrupted_work_left(run, s3_server):
    from transforms.stores.client import client
    from transforms.stores.requests import Family

    with run.locked():
        run.publish("crawl", stage_tables(run, "new", "f"))
        before = names(run)
        workspace = run.open_staging("annotate", "g")
        workspace.files.write(f"x/{PART}", b"staged")
        run.store.write(".writable-0123", b"")
        client(Family.CONTROL).create_multipart_upload(
            Bucket="bucket", Key="runs/one/.staging/annotate/x"
        )
        removed = {each.name: (each.files, each.bytes) for each in run.clean()}
        assert removed == {
            ".staging/annotate": (2, 7),
            ".writable-0123": (1, 0),
            ".staging/annotate/x (unfinished upload)": (1, 0),
        }
        assert run.clean() == []
    assert names(run) == [name for name in before if name != ".lock"]
    assert run.store.uploads() == []


def test_history_grows_by_lines(run):
    run.add_history("one")
    run.add_history("two")
    assert run.store.read("history.jsonl") == b"one\ntwo\n"

import fcntl
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.score_workspace import opened_workspace


@pytest.fixture
def results(tmp_path):
    return tmp_path / "deep" / "r.jsonl"


def leave(results, identity):
    """Work that ended in the middle, and the files that it left."""
    with suppress(KeyError), opened_workspace(results, identity) as workspace:
        workspace.files.write("verdicts/done", b"1")
        workspace.files.write("errors/one.txt", b"2")
        raise KeyError


def found(results, identity):
    with opened_workspace(results, identity) as workspace:
        return [
            name for name in ("verdicts/done", "errors/one.txt") if workspace.files.exists(name)
        ]


def test_nothing_is_left_of_work_that_ended_well(results):
    with opened_workspace(results, "one") as workspace:
        assert workspace.staging == str(results.parent / ".r.jsonl.work")
    assert list(results.parent.iterdir()) == []


def test_work_that_was_interrupted_goes_on_without_its_errors(results):
    leave(results, "one")
    assert found(results, "one") == ["verdicts/done"]


def test_work_of_another_identity_begins_anew(results):
    leave(results, "one")
    assert found(results, "two") == []


def test_the_folder_has_a_path_that_holds_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with opened_workspace(Path("r.jsonl"), "one") as workspace:
        assert workspace.staging == str(tmp_path / ".r.jsonl.work")


def test_one_process_at_a_time_has_it_and_a_dead_one_leaves_no_lock(results):
    leave(results, "one")
    lock = results.parent / ".r.jsonl.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(UserError, match=r"another process is at work on .*r\.jsonl"),
            opened_workspace(results, "two"),
        ):
            pass
    # Its file alone is no lock, and what was there has not been touched.
    assert lock.exists()
    assert found(results, "one") == ["verdicts/done"]
    assert not lock.exists()

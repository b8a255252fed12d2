from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from runners.direct import pipeline_options
from runners.settings import EngineSettings
from tests.transforms.builders import run_stage
from transforms.parts import Receipt, Workspace
from transforms.stage import Begin, ProcessUnits, do_unit, read_errors, write_error
from transforms.stores.files import write_whole


@dataclass(frozen=True)
class Note:
    """Notes each unit in a file; refuses the unit ``bad``."""

    workspace: Workspace

    def __call__(self, unit):
        if unit == "bad":
            raise ValueError("cannot do it")
        path = Path(self.workspace.run, unit)
        write_whole(path, (path.read_bytes() if path.exists() else b"") + b"done ")
        return Receipt(files={}, statistics={"units": 1})


@pytest.fixture
def workspace(tmp_path):
    return Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))


def notes(workspace):
    return {path.name: path.read_text() for path in Path(workspace.run).iterdir()}


def test_does_a_unit_once_and_leaves_a_receipt(workspace):
    do_unit(Note(workspace), "one")
    do_unit(Note(workspace), "one")
    assert notes(workspace) == {"one": "done "}
    assert workspace.receipts() == {"one": Receipt(files={}, statistics={"units": 1})}


def test_a_failure_leaves_an_error_and_no_receipt(workspace):
    with pytest.raises(ValueError, match="cannot do it"):
        do_unit(Note(workspace), "bad")
    assert workspace.receipts() == {}
    [(unit, text)] = read_errors(workspace)
    assert unit == "bad"
    assert text.splitlines()[0] == "ValueError: cannot do it"
    assert "Traceback" in text


def test_a_disk_that_refuses_the_report_does_not_hide_the_failure(workspace, tmp_path):
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "errors").write_text("in the way")
    with pytest.raises(ValueError, match="cannot do it"):
        do_unit(Note(workspace), "bad")


def test_reads_errors_in_order_and_none_where_nothing_went_wrong(workspace):
    assert read_errors(workspace) == []
    for unit in ("two", "one"):
        write_error(workspace, unit, ValueError(unit))
    assert [unit for unit, _ in read_errors(workspace)] == ["one", "two"]


@pytest.mark.parametrize("workers", [1, 4])
def test_processes_every_unit_and_resumes_after_the_finished_ones(workspace, workers):
    do_unit(Note(workspace), "one")
    units = ["one", "two", "three"]
    run_stage(ProcessUnits(units, Note(workspace)), workers)
    assert notes(workspace) == dict.fromkeys(units, "done ")
    assert sorted(workspace.receipts()) == sorted(units)


def test_processes_no_units(workspace):
    run_stage(ProcessUnits([], Note(workspace)))
    assert workspace.receipts() == {}


@pytest.mark.parametrize("elements", [[], [3], [2, 1, 2]])
def test_begins_with_what_is_given(elements):
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        assert_that(pipeline | Begin(elements, int), equal_to(elements))

import json
import os
import shutil

import pytest
from rich.console import Console

from pipeline.execution import Execution, execute
from pipeline.folder import RunFolder
from pipeline.progress import ProgressDisplay
from pipeline.reading import read_configuration
from pipeline.stages import stages_for
from tests.pipeline.conftest import module
from tests.pipeline.runs import digests, run_configuration

PARTS = ("crawl.parts=16",)


@pytest.fixture
def add_project(projects):
    def add(name):
        (projects / name).mkdir()
        (projects / name / "main.py").write_text(module(0, 40) + module(20_000, 3))

    return add


def inodes(run, table):
    return {path.name: path.stat().st_ino for path in (run.path / table).glob("part-*")}


def test_only_the_parts_of_new_repositories_are_done_again(configure, add_project):
    run = run_configuration(configure(), *PARTS)
    tables = ("documents", "attributes/quality", "attributes/fingerprint", "tokens")
    before = {table: inodes(run, table) for table in tables}
    add_project("epsilon")
    run_configuration(configure(), *PARTS)
    for table in tables:
        changed = [
            name for name, inode in inodes(run, table).items() if inode != before[table][name]
        ]
        assert len(changed) == 1, table


def test_the_result_is_that_of_a_run_from_nothing(configure, add_project, tmp_path):
    run = run_configuration(configure(), *PARTS)
    add_project("epsilon")
    add_project("zeta")
    run_configuration(configure(), *PARTS)
    fresh = run_configuration(configure(), *PARTS, output=str(tmp_path / "fresh"))
    assert digests(run) == digests(fresh)
    for table in digests(run):
        assert run.manifest(table).statistics == fresh.manifest(table).statistics, table


def test_a_repository_that_is_taken_away_changes_its_part_only(configure, projects, tmp_path):
    run = run_configuration(configure(), *PARTS)
    before = inodes(run, "attributes/fingerprint")
    shutil.rmtree(projects / "beta")
    run_configuration(configure(), *PARTS)
    after = inodes(run, "attributes/fingerprint")
    assert len({name for name in after if after[name] != before[name]}) == 1
    fresh = run_configuration(configure(), *PARTS, output=str(tmp_path / "fresh"))
    assert digests(run) == digests(fresh)


def test_nothing_is_reused_after_a_change_of_settings(configure):
    run = run_configuration(configure(), *PARTS)
    before = inodes(run, "attributes/fingerprint")
    run_configuration(configure(), *PARTS, "annotate.seed=2")
    after = inodes(run, "attributes/fingerprint")
    assert all(after[name] != before[name] for name in before)


def test_nothing_is_reused_of_a_stage_that_is_to_be_redone(configure):
    run = run_configuration(configure(), *PARTS)
    before = inodes(run, "documents")
    configuration = read_configuration(configure(), changes=PARTS)
    redo = Execution(
        configuration, run, list(stages_for(configuration, ["crawl"])), frozenset({"crawl"})
    )
    execute(redo, ProgressDisplay(Console(quiet=True)))
    after = inodes(run, "documents")
    assert all(after[name] != before[name] for name in before)


def test_a_part_whose_file_is_gone_is_done_again(configure, tmp_path):
    run = run_configuration(configure(), *PARTS)
    before, expected = inodes(run, "attributes/quality"), digests(run)
    (run.path / "attributes/quality/part-00003.parquet").unlink()
    run_configuration(configure(), *PARTS)
    after = inodes(run, "attributes/quality")
    assert {name for name in before if after[name] != before[name]} == {"part-00003.parquet"}
    assert digests(run) == expected


def test_files_are_copied_where_links_are_refused(configure, add_project, monkeypatch, tmp_path):
    run = run_configuration(configure(), *PARTS)
    add_project("epsilon")

    def refuse(*arguments, **options):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    run_configuration(configure(), *PARTS)
    monkeypatch.undo()
    fresh = run_configuration(configure(), *PARTS, output=str(tmp_path / "fresh"))
    assert digests(run) == digests(fresh)


def test_a_manifest_without_units_is_read_and_nothing_is_reused(configure, add_project):
    run = run_configuration(configure(), *PARTS)
    for table in digests(run):
        path = run.path / table / "manifest.json"
        body = json.loads(path.read_text())
        del body["units"]
        path.write_text(json.dumps(body))
    before = inodes(RunFolder(run.path), "attributes/quality")
    add_project("epsilon")
    run_configuration(configure(), *PARTS)
    after = inodes(run, "attributes/quality")
    assert all(after[name] != before[name] for name in before)

import json
import os
import subprocess
import sys

import pytest
import yaml

from pipeline.configuration import OptOut
from pipeline.errors import UsageError
from pipeline.explanation import explain
from pipeline.optouts import (
    canonical_entry,
    check_entry,
    count_readmitted,
    entries_that_name,
    state_of,
)
from pipeline.reading import read_configuration
from pipeline.stages import CORPUS_STAGES
from pipeline.state import run_states
from pipeline.story import tell
from pipeline.summary import summarize
from schemas import tables
from tests.pipeline.conftest import module
from tests.pipeline.runs import digests, executed, run_again, run_configuration
from tests.pipeline.test_commands import call
from transforms.parts import read_part

GAMMA = "directory/gamma"


@pytest.fixture
def listed(tmp_path):
    """Writes a list of entries, and gives its path."""

    def write(*lines, name="list.txt"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    return write


def repositories(run):
    manifest = run.manifest(tables.REPOSITORIES)
    paths = [run.path / tables.REPOSITORIES / entry.name for entry in manifest.files]
    rows = [row for path in paths for row in read_part(path).to_pylist()]
    return {row["repository"]: (row["status"], row["files"]) for row in rows}


def story(run, target):
    configuration = read_configuration(run.path / "config.yaml")
    return "\n".join(tell(explain(run, target, configuration)))


def test_what_is_opted_out_is_not_read_and_has_a_row(configure, listed):
    path = listed("# asked for by mail", "", "Directory/GAMMA")
    run = run_configuration(configure(opt_out={"lists": [path]}))
    assert repositories(run) == {
        "directory/alpha": ("crawled", 3),
        "directory/beta": ("crawled", 3),
        "directory/delta": ("crawled", 1),
        GAMMA: ("opted_out", 0),
    }
    summary = summarize(run)
    assert summary.repositories == {"crawled": 3, "empty": 0, "failed": 0, "opted_out": 1}
    assert summary.failed_repositories == {}
    assert sum(each.documents for each in summary.funnel) == summary.documents == 7
    text = story(run, GAMMA)
    assert f"{GAMMA}   opted_out, 0 documents" in text
    assert f"opted out: entry Directory/GAMMA in line 3 of {path}" in text


def test_no_connection_is_made_for_what_is_opted_out(configure, tmp_path):
    log = tmp_path / "calls"
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin" / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexit 128\n')
    git.chmod(0o755)
    urls = ["http://127.0.0.1:9/Owner/name.git", "http://127.0.0.1:9/owner-too/name"]
    path = configure(
        sources=[{"git": {"urls": urls}}],
        crawl={"parts": 1, "attempts": 1},
        opt_out={"repositories": ["owner"]},
    )
    environment = os.environ | {"PATH": f"{git.parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "pipeline", "run", str(path), "--stage", "crawl", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    counts = json.loads(done.stdout)["repositories"]
    assert counts == {"crawled": 0, "empty": 0, "failed": 1, "opted_out": 1}
    assert "owner-too" in log.read_text()
    assert "Owner/" not in log.read_text()


def test_an_entry_added_later_is_honored_without_a_new_crawl(run, listed):
    crawl = {table: digest for table, digest in digests(run).items() if table == "documents"}
    path = listed(GAMMA)
    run_again(run, f"opt_out.lists=[{path}]")
    stages = [stage.name for stage in CORPUS_STAGES]
    assert executed(run) == [*stages, "deduplicate", "select", "learn", "tokenize", "shard"]
    assert digests(run)["documents"] == crawl["documents"]
    first, *_, selected = summarize(run).funnel
    assert (first.name, first.documents) == ("opted_out", 3)
    assert sum(each.documents for each in summarize(run).funnel) == 10
    assert f"opted out: entry {GAMMA} in line 1 of {path}" in story(run, GAMMA)
    text = story(run, f"{GAMMA}:wide.py")
    assert "REJECTED by opted_out: an opt-out list names its repository" in text
    assert f"opted out: entry {GAMMA} in line 1 of {path}" in text
    output = call("attribution", run.path, "--json").output
    assert json.loads(output)["documents"] == selected.documents
    assert GAMMA not in (run.path / "attribution.csv").read_text()


def test_an_entry_taken_away_after_the_crawl_needs_a_new_one_and_the_run_says_so(configure):
    opt_out = {"repositories": [GAMMA]}
    run = run_configuration(configure(opt_out=opt_out))
    assert "Fetch the" not in call("run", configure(opt_out=opt_out)).output
    output = call("run", configure()).output
    assert "Fetch the 1 repositories that no opt-out list names any more" in output
    assert "--redo crawl" in output
    assert "no opt-out entry names it any more" in story(run, GAMMA)
    assert count_readmitted(run, read_configuration(configure())) == 1
    assert "Fetch the" not in call("run", configure(), "--redo", "crawl").output
    assert repositories(run)[GAMMA] == ("crawled", 3)


def test_an_entry_taken_away_after_select_lets_its_documents_in_again(run):
    first = digests(run)
    run_again(run, f"opt_out.repositories=[{GAMMA}]")
    assert digests(run)["shards"] != first["shards"]
    run_again(run, "opt_out.repositories=[]")
    assert digests(run) == first


def test_the_story_says_what_the_next_run_does(configure, listed):
    path = listed("nobody/at-all")
    run = run_configuration(configure(opt_out={"lists": [path]}))
    listed("nobody/at-all", GAMMA)
    text = story(run, GAMMA)
    assert f"the next `repomill run` leaves it out: entry {GAMMA} in line 2 of {path}" in text
    configuration = read_configuration(run.path / "config.yaml")
    states = {each.stage.name: each for each in run_states(run, configuration)}
    assert states["crawl"].state == "done"
    assert states["select"].why == "configuration changed: opt_out"


def test_a_list_that_is_gone_stops_a_run_and_not_the_story(configure, listed, tmp_path):
    path = listed(GAMMA)
    run = run_configuration(configure(opt_out={"lists": [path]}))
    (tmp_path / "list.txt").unlink()
    assert f"the opt-out lists cannot be read: opt_out.lists: {path}" in story(run, GAMMA)
    with pytest.raises(UsageError, match=r"opt_out\.lists: .*list\.txt: No such file"):
        run_configuration(configure(opt_out={"lists": [path]}))


@pytest.mark.parametrize("name", [None, "stack"])
def test_a_repository_of_a_data_set_is_opted_out_by_the_name_it_has_there(
    configure, listed, tmp_path, name
):
    rows = [{"text": module(n, 30), "repo": repo} for n, repo in enumerate(["o/a", "o/b", "p/c"])]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines)
    columns = {"content": "text", "repository": "repo"}
    source = {"paths": [str(tmp_path / "rows.jsonl")], "columns": columns, "name": name}
    path = listed("O/a", "https://github.com/p")
    run = run_configuration(
        configure(sources=[{"jsonl": source}], opt_out={"lists": [path]}), stages=("crawl",)
    )
    prefix = "/".join(filter(None, ["jsonl", name]))
    assert repositories(run) == {
        f"{prefix}/o/a": ("opted_out", 0),
        f"{prefix}/o/b": ("crawled", 1),
        f"{prefix}/p/c": ("opted_out", 0),
    }
    assert "opted out: entry O/a in line 1" in story(run, "o/a")


def test_a_bad_line_is_named_before_anything_is_fetched(configure, listed, tmp_path):
    path = listed("owner/name", "# a comment", "owner name")
    with pytest.raises(UsageError, match=r"list\.txt: line 3: 'owner name': no name has ' '"):
        run_configuration(configure(opt_out={"lists": [path]}))
    assert not (tmp_path / "run" / "documents").exists()
    assert not (tmp_path / "run" / ".staging" / "crawl").exists()


def test_a_bad_entry_of_the_configuration_is_named(configure):
    with pytest.raises(UsageError, match=r"opt_out\.repositories: 'github\.com': it is a host"):
        read_configuration(configure(opt_out={"repositories": ["owner", "github.com"]}))


def test_no_rule_may_have_the_name_of_the_bin(configure):
    with pytest.raises(UsageError, match="'opted_out' cannot be the name"):
        read_configuration(configure(select={"rules": {"opted_out": "size < 1"}}))


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("https://github.com/Owner/name.git", "github.com/Owner/name"),
        ("https://user:secret@github.com:443/owner", "github.com/owner"),
        ("git@github.com:owner/name.git", "github.com/owner/name"),
        ("github.com:owner/name", "github.com/owner/name"),
        ("ssh://git@example.org:2222/owner/name", "example.org:2222/owner/name"),
        ("example.org:8080/owner/name", "example.org:8080/owner/name"),
        ("file:///srv/git/name", "localhost/srv/git/name"),
        ("owner/name", "owner/name"),
    ],
)
def test_a_url_is_the_name_of_its_repository(text, entry):
    assert canonical_entry(text) == entry


def test_the_address_of_a_page_in_a_repository_is_refused():
    with pytest.raises(ValueError, match=r"github\.com/owner/name, without a path"):
        check_entry("https://github.com/owner/name/blob/main/setup.py")


def test_the_state_is_that_of_the_entries_wherever_they_are(listed):
    one, other = listed("a", "b", name="1"), listed("c", name="2")
    state = state_of(OptOut(repositories=("x", "y"), lists=(one, other)))
    assert state == state_of(OptOut(repositories=("y", "x"), lists=(other, one, one)))
    moved = (listed("c", name="3"), one)
    assert state == state_of(OptOut(repositories=("x", "y"), lists=moved))
    assert state != state_of(OptOut(repositories=("x",), lists=(one, other)))
    assert state != state_of(OptOut(repositories=("x", "y"), lists=(one,)))
    assert state_of(OptOut()) == ""


def test_all_entries_that_name_a_repository_are_found(configure, listed):
    path = listed("other", "owner", "https://github.com/owner/name")
    opt_out = {"repositories": ["Owner/Name", "owner/else"], "lists": [path]}
    configuration = read_configuration(configure(opt_out=opt_out))
    entries = entries_that_name(configuration, "github.com/owner/name")
    found = [(each.entry, each.list, each.line) for each in entries]
    assert found == [
        ("Owner/Name", None, 1),
        ("owner", path, 2),
        ("https://github.com/owner/name", path, 3),
    ]


def test_the_resolved_configuration_keeps_the_lists(configure, listed):
    path = listed(GAMMA)
    run = run_configuration(configure(opt_out={"lists": [path]}), stages=("list",))
    body = yaml.safe_load((run.path / "config.yaml").read_text())
    assert body["opt_out"] == {"repositories": [], "lists": [path]}

import io
import time

from rich.console import Console

from pipeline.progress import Goal, ProgressDisplay, describe
from transforms.parts import Progress, Workspace


def test_a_line_says_how_far_and_how_fast():
    counts, goal = {"repositories": 3, "bytes": 24_000_000}, Goal({"repositories": 30})
    line = " ".join(describe("crawl", counts, goal, 2.0).split())
    assert line == "crawl 3/30 repositories 24.0 MB 12.0 MB/s 18 s left 2.0 s"


def test_a_line_says_what_there_is_to_do_before_anything_is_done():
    line = " ".join(describe("trace", {}, Goal({"repositories": 5}), 2.0).split())
    assert line == "trace 0/5 repositories 2.0 s"


def test_the_rate_leaves_out_what_an_interrupted_run_did():
    counts, resumed = {"bytes": 24_000_000}, {"bytes": 20_000_000}
    line = " ".join(describe("crawl", counts, Goal({}), 2.0, resumed).split())
    assert line == "crawl 24.0 MB 2.0 MB/s 2.0 s"


def test_plain_lines_where_there_is_no_terminal(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.progress.PLAIN_SECONDS", 0.05)
    out = io.StringIO()
    display = ProgressDisplay(Console(file=out, width=80))
    workspace = Workspace(str(tmp_path), str(tmp_path / "staging"))
    with display.stage("annotate", workspace, Goal({"documents": 9})):
        Progress(workspace, "part-00000").add(documents=4)
        Progress(workspace, "part-00001").add(documents=3)
        time.sleep(0.3)
    assert "7/9 documents" in out.getvalue()
    assert "\x1b" not in out.getvalue()

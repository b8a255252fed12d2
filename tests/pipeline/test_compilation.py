import io
import time

import numba
from rich.console import Console

from pipeline.compilation import NOTICE, telling_of_compilation
from pipeline.progress import Goal, ProgressDisplay
from transforms.parts import Workspace


def new_kernel():
    """A function that nobody has compiled, and that calls another."""

    @numba.njit
    def inner(value):
        return value + 1

    @numba.njit
    def outer(value):
        return inner(value) + 1

    return outer


def displayed(work):
    out = io.StringIO()
    display = ProgressDisplay(Console(file=out, width=200))
    with telling_of_compilation(display):
        work(display)
    return out.getvalue()


def test_says_once_that_kernels_are_compiled():
    def compile_two(display):
        assert new_kernel()(1) == 3
        assert new_kernel()(1.0) == 3

    assert displayed(compile_two).count(NOTICE) == 1


def test_says_nothing_where_all_is_compiled():
    kernel = new_kernel()
    kernel(1)
    assert displayed(lambda display: kernel(2)) == ""


def test_what_is_compiled_outside_is_not_told_of():
    displayed(lambda display: None)
    new_kernel()(1)


def test_the_line_of_a_stage_says_so_until_it_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.progress.PLAIN_SECONDS", 0.02)
    workspace = Workspace(str(tmp_path), str(tmp_path / "staging"))

    def show(display, seconds):
        with display.stage("annotate", workspace, Goal({})):
            time.sleep(seconds)

    def work(display):
        display.tell(NOTICE)
        show(display, 1.0)
        new_kernel()(1)
        show(display, 1.0)

    shown = [line for line in displayed(work).splitlines() if line.startswith("annotate")]
    assert NOTICE in shown[0]
    assert NOTICE not in shown[-1]

import sys

import pytest

from benchmarks.observation import observe, timed

HOLDS = """
import pathlib, sys, time
held = bytearray(b"x" * 200_000_000)
pathlib.Path(sys.argv[1], "staged").write_bytes(bytes(1_000_000))
time.sleep(2)
pathlib.Path(sys.argv[1], "staged").unlink()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
def test_sees_the_most_memory_and_files_of_a_process(tmp_path):
    observed = observe([sys.executable, "-c", HOLDS, str(tmp_path)], tmp_path)
    assert observed.memory > 200_000_000
    assert observed.staged == 1_000_000


def test_tells_what_a_command_that_fails_has_said(tmp_path):
    with pytest.raises(RuntimeError, match="there is no such thing"):
        observe([sys.executable, "-c", "raise SystemExit('there is no such thing')"], tmp_path)


class Step:
    def process(self, element):
        yield element
        yield element + 1


def test_times_each_call_of_a_step_and_leaves_it_as_it_was():
    process = Step.process
    with timed(Step) as seconds:
        assert list(Step().process(1)) == [1, 2]
        assert list(Step().process(5)) == [5, 6]
    assert len(seconds) == 2
    assert Step.process is process

import sys
import time
from pathlib import Path

import pytest

from runners.members import Members, free_port
from runners.settings import RunnerError


def runs(process):
    stat = Path(f"/proc/{process}/stat")
    try:
        # One that nobody has asked for its end is a zombie.
        return ") Z " not in stat.read_text()
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc")
def test_members_are_ended_with_what_they_have_started(tmp_path):
    with Members(tmp_path) as members:
        members.start("parent", ["sh", "-c", "sleep 600 & echo $!; wait"])
        while not (said := members.log("parent").read_text()):
            pass
        child = int(said)
        assert runs(child)
    # It was told to end before the context was left, and takes its time.
    deadline = time.monotonic() + 30
    while runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_ends_is_told_with_what_it_said(tmp_path):
    with Members(tmp_path) as members:
        members.start("broken", ["sh", "-c", "echo no such class"])
        with pytest.raises(RunnerError, match=r"(?s)broken does not listen.*no such class"):
            members.wait_for_port("broken", free_port())


def test_one_that_is_killed_is_gone(tmp_path):
    with Members(tmp_path) as members:
        members.start("one", ["sleep", "600"])
        process = members.processes["one"]
        members.kill("one")
        assert process.poll() == -9
        assert members.processes == {}

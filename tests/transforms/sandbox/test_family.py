import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from transforms.sandbox.family import Family, Usage

MB = 1 << 20


@contextmanager
def family(folder, server):
    tables = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Family(tables, server)
    finally:
        os.close(tables)


def write_process(folder, number, children="", anonymous=0, shared=0, written=0, threads=()):
    """Tables of a process as the kernel writes them, of memory in kB."""
    process = folder / str(number)
    for thread, below in {number: children, **dict(threads)}.items():
        (process / "task" / str(thread)).mkdir(parents=True)
        (process / "task" / str(thread) / "children").write_text(below)
    (process / "status").write_text(
        f"Name:\tpython\nState:\tS (sleeping)\nRssAnon:\t{anonymous:8} kB\n"
        f"RssFile:\t    9000 kB\nRssShmem:\t{shared:8} kB\n"
    )
    (process / "io").write_text(f"rchar: 7\nwchar: {written}\nsyscr: 1\n")


def test_children_are_those_of_the_server_alone(tmp_path):
    write_process(tmp_path, 1, children="20 30 ")
    write_process(tmp_path, 20, children="40 ")
    with family(tmp_path, 1) as found:
        assert found.children() == [20, 30]


def test_usage_is_of_all_below_the_server_and_beyond_what_it_has(tmp_path):
    write_process(tmp_path, 1, children="20 30 ", anonymous=1000, written=5)
    write_process(tmp_path, 20, children="40 ", anonymous=1500, written=10)
    write_process(tmp_path, 30, anonymous=900, written=100)
    write_process(tmp_path, 40, anonymous=1000, shared=300, written=1000)
    write_process(tmp_path, 50, anonymous=1 << 30, written=1 << 30)
    with family(tmp_path, 1) as found:
        assert found.usage() == Usage((500 + 0 + 300) * 1024, 1110)


def test_children_of_threads_count(tmp_path):
    write_process(tmp_path, 1, children="20 ")
    write_process(tmp_path, 20, threads={21: "40 ", 22: ""})
    write_process(tmp_path, 40, anonymous=7)
    with family(tmp_path, 1) as found:
        assert found.usage().memory_bytes == 7 * 1024


def test_processes_that_are_gone_use_nothing(tmp_path):
    write_process(tmp_path, 1, children="20 30 ")
    write_process(tmp_path, 30, anonymous=7)
    (tmp_path / "30" / "io").unlink()
    with family(tmp_path, 1) as found:
        assert found.usage() == Usage(7 * 1024, 0)


def test_a_server_that_is_gone_has_no_children(tmp_path):
    with family(tmp_path, 1) as found:
        assert found.children() == []
        assert found.usage() == Usage(0, 0)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="no tables of the kernel")
def test_real_processes_are_seen():
    holder = "import sys; held = b'x' * (64 << 20); print(flush=True); sys.stdin.read()"
    with family("/proc", os.getpid()) as found:
        before = found.usage()
        with subprocess.Popen(
            [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            child.stdout.readline()
            assert child.pid in found.children()
            # What this process has itself is taken from what its child has.
            own = found._memory_of(os.getpid())
            assert found._memory_of(child.pid) > 60 * MB
            assert found.usage().memory_bytes >= max(before.memory_bytes, 60 * MB - own)
            child.stdin.close()
        assert child.pid not in found.children()

"""Groups of processes, on folders that look as the kernel makes them, and on real ones."""

import os
from pathlib import Path

import pytest

from transforms.sandbox import cgroups
from transforms.sandbox.cgroups import Cgroup
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.outcomes import Ending
from transforms.sandbox.process import SandboxError

LIMITS = Limits(memory_bytes=100 << 20, processes=8)


@pytest.fixture
def hierarchy(tmp_path, monkeypatch):
    """The group of this process below another one, both without controllers."""
    root = tmp_path / "cgroup"
    (root / "ours" / "this").mkdir(parents=True)
    for folder in (root, root / "ours", root / "ours" / "this"):
        (folder / "cgroup.subtree_control").write_text("")
    mounts, own = tmp_path / "mountinfo", tmp_path / "own"
    mounts.write_text(f"30 23 0:26 / {root} rw,relatime - cgroup2 cgroup2 rw\n")
    own.write_text("3:memory:/elsewhere\n0::/ours/this\n")
    monkeypatch.setattr(cgroups, "_MOUNTS", mounts)
    monkeypatch.setattr(cgroups, "_OWN", own)
    return root


def test_makes_none_where_no_controller_is_given(hierarchy):
    assert Cgroup.make("box", LIMITS) is None
    assert not list(hierarchy.rglob("box"))


def test_makes_none_without_version_2(hierarchy, monkeypatch, tmp_path):
    (tmp_path / "mountinfo").write_text("30 23 0:26 / /x rw - cgroup cgroup rw,memory\n")
    assert Cgroup.make("box", LIMITS) is None


def test_limits_what_there_are_controllers_for(hierarchy):
    (hierarchy / "ours" / "this" / "cgroup.subtree_control").write_text("cpu memory")
    group = Cgroup.make("box", LIMITS)
    assert group.folder == hierarchy / "ours" / "this" / "box"
    assert int((group.folder / "memory.max").read_text()) == (100 + 64) << 20
    assert not (group.folder / "pids.max").exists()


def test_stands_beside_the_group_of_this_process_where_none_may_be_below(hierarchy):
    (hierarchy / "ours" / "cgroup.subtree_control").write_text("memory pids")
    group = Cgroup.make("box", LIMITS)
    assert group.folder == hierarchy / "ours" / "box"
    assert int((group.folder / "pids.max").read_text()) >= 8
    assert (group.folder / "memory.swap.max").read_text() == "0"


def test_leaves_nothing_of_a_group_that_cannot_be_limited(hierarchy, monkeypatch):
    (hierarchy / "ours" / "this" / "cgroup.subtree_control").write_text("memory")
    write = Path.write_text

    def refuse(path, text, **more):
        if path.name == "memory.max":
            raise PermissionError(13, "Permission denied", str(path))
        return write(path, text, **more)

    monkeypatch.setattr(Path, "write_text", refuse)
    assert Cgroup.make("box", LIMITS) is None
    assert not list(hierarchy.rglob("box"))


def test_counts_processes_that_were_killed_for_memory(tmp_path):
    group = Cgroup(tmp_path)
    assert group.count_kills() == 0
    (tmp_path / "memory.events").write_text("low 0\nmax 41\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert group.count_kills() == 2


def test_what_the_kernel_killed_for_memory_ends_so(tmp_path):
    try:
        with Sandbox(Tier.UNSAFE, Limits()) as sandbox:
            server = sandbox._server
            server._group = Cgroup(tmp_path)
            (tmp_path / "memory.events").write_text("oom_kill 1\n")
            killed = sandbox.run_script("import os; os.kill(os.getpid(), 9)")
            after = sandbox.run_script("print(1)")
            server._group = None
    except SandboxError as error:
        pytest.skip(str(error))
    assert killed.ending is Ending.MEMORY
    assert after.ending is Ending.RETURNED


def test_a_real_group_holds_a_real_process_and_is_gone_after_it():
    group = Cgroup.make(f"repomill-test-{os.getpid()}", LIMITS)
    if group is None:
        pytest.skip("no group of version 2 with controllers can be made here")
    child = os.fork()
    if child == 0:
        import time

        time.sleep(60)
        os._exit(0)
    group.take(child)
    assert str(child) in (group.folder / "cgroup.procs").read_text().split()
    group.remove()
    assert os.waitpid(child, 0)[1] == 9
    assert not group.folder.exists()

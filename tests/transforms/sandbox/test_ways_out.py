"""What a program must not reach: other runs, files of the machine, other processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.transforms.tiers import missing, opened
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.outcomes import Ending

ROOT = Path(__file__).parents[3]
TEST = {"entry_point": "f", "setup": "", "code": "assert f(2) == 1", "check": False}
LIMITS = Limits(wall_seconds=5)

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root reaches files of root")


@pytest.fixture(params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with opened(Tier(request.param), wall_seconds=5) as each:
        yield each


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox without namespaces, whose folders are below ``tmp_path``."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with opened(Tier.LANDLOCK, wall_seconds=5) as sandbox:
        yield sandbox


def outside(code: str, within: Sequence[str] = ()) -> list[str]:
    """The lines that a process of its own prints, in a session of its own."""
    done = subprocess.run(
        [*within, sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        start_new_session=True,
    )
    return done.stdout.splitlines()


def said(sandbox: Sandbox, program: str, *, with_errors: bool = True) -> str:
    return sandbox.run_script(program, with_errors=with_errors).output.decode()


def test_what_is_written_to_unread_errors_is_nowhere_for_the_next_program(
    sandbox: Sandbox,
) -> None:
    said(sandbox, "import os\nos.write(2, b'from run 1')", with_errors=False)
    reads = (
        "import os\ntry:\n    os.lseek(2, 0, 0)\n    print(os.read(2, 99))\nexcept OSError: pass"
    )
    assert "from run 1" not in said(sandbox, reads, with_errors=False)


def test_a_flood_of_unread_errors_leaves_the_next_program_alone(sandbox: Sandbox) -> None:
    said(sandbox, "import os\nfor _ in range(20): os.write(2, bytes(10**6))", with_errors=False)
    prints = "import sys\nprint('debug', file=sys.stderr, flush=True)\nprint(42)"
    assert said(sandbox, prints, with_errors=False) == "42\n"


def test_nothing_can_be_written_beside_the_folder_of_a_run(shared: Sandbox) -> None:
    said(shared, "open('../stash', 'w').write('from run 1')")
    assert "from run 1" not in said(shared, "print(open('../stash').read())")


def test_a_link_in_place_of_the_folder_leads_the_server_nowhere(
    shared: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "victim" / "inner").mkdir(parents=True)
    (tmp_path / "victim" / "inner").chmod(0o755)
    said(
        shared,
        "import os\nfolder = os.getcwd()\nos.rmdir(folder)\n"
        f"os.symlink({str(tmp_path / 'victim')!r}, folder)",
    )
    assert (tmp_path / "victim" / "inner").stat().st_mode & 0o777 == 0o755
    assert said(shared, "print('well')") == "well\n"


@pytest.mark.parametrize(
    "program",
    [
        "import os\nfor _ in range(1010):\n    os.mkdir('d')\n    os.chdir('d')",
        "import os\nfor _ in range(20):\n    os.mkdir('d' * 250)\n    os.chdir('d' * 250)\n"
        "os.mkdir('e')\nos.mkdir('e/f')\nos.umask(0o777)\nos.mkdir('g')",
    ],
    ids=["deep", "long"],
)
def test_any_tree_of_folders_is_gone_after_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    if reason := missing(Tier.LANDLOCK):
        pytest.skip(reason)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        with Sandbox(Tier.LANDLOCK, LIMITS) as sandbox:
            said(sandbox, program)
            assert said(sandbox, "import os\nprint(os.listdir())") == "[]\n"
        assert not list(tmp_path.glob("repomill-sandbox-*"))
    finally:
        subprocess.run(["rm", "-rf", *map(str, tmp_path.iterdir())], check=True)


def test_files_are_counted_below_any_path(shared: Sandbox) -> None:
    outcome = shared.run_script(
        "import os\nfor _ in range(20):\n    os.mkdir('d' * 250)\n    os.chdir('d' * 250)\n"
        "for number in range(5000):\n    os.mknod(str(number))\n"
    )
    assert outcome.ending is Ending.FILES


def test_pages_written_to_files_without_names_are_limited(shared: Sandbox) -> None:
    outcome = shared.run_script(
        "import mmap, os\nfor _ in range(30):\n"
        "    file = os.open('f', os.O_RDWR | os.O_CREAT)\n    os.unlink('f')\n"
        "    os.ftruncate(file, 16 << 20)\n    with mmap.mmap(file, 16 << 20) as pages:\n"
        "        for place in range(0, 16 << 20, 4096): pages[place] = 1\n"
    )
    assert outcome.ending is not Ending.RETURNED


@is_root
@pytest.mark.parametrize("flags", ["3", "3 | os.O_TRUNC"])
def test_files_of_the_machine_cannot_be_opened_for_nothing(
    shared: Sandbox, tmp_path: Path, flags: str
) -> None:
    """With neither reading nor writing asked for, Landlock has nothing to refuse."""
    (tmp_path / "host").write_text("precious")
    opens = f"import os\nos.open({str(tmp_path / 'host')!r}, {flags})\nprint('opened')"
    assert "opened" not in said(shared, opens)


@is_root
def test_libraries_cannot_be_leased(shared: Sandbox) -> None:
    """Others who open a file that is leased are kept waiting."""
    leases = (
        "import fcntl, os, this\n"
        "fcntl.fcntl(os.open(this.__file__, 0), fcntl.F_SETLEASE, fcntl.F_WRLCK)\nprint('leased')"
    )
    assert "leased" not in said(shared, leases)


@pytest.mark.parametrize(
    "call",
    [
        "fcntl.fcntl(1, fcntl.F_SETOWN, os.getpid())",
        "fcntl.fcntl(1, 10, 9)",
        pytest.param(
            "os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root's programs are other users"),
        ),
    ],
)
def test_signals_of_files_and_processors_of_others_are_refused(shared: Sandbox, call: str) -> None:
    assert "done" not in said(shared, f"import fcntl, os\n{call}\nprint('done')")


def test_names_in_folders_of_the_machine_cannot_be_watched(shared: Sandbox, tmp_path: Path) -> None:
    watches = (
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        f"print(libc.inotify_add_watch(libc.inotify_init1(0), {bytes(tmp_path)!r}, 0x100))"
    )
    assert said(shared, watches) == "-1\n"


@pytest.mark.parametrize("tier", ["A", "B"])
def test_an_interrupted_group_of_processes_leaves_the_sandbox_alone(tier: str) -> None:
    """Ctrl-C goes to all processes of a command, which may still want to end what it began."""
    if reason := missing(Tier(tier)):
        pytest.skip(reason)
    code = (
        "import os, signal\n"
        "from transforms.sandbox.client import Sandbox\n"
        "from transforms.sandbox.limits import Tier\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        f"test = {TEST!r}\n"
        f"with Sandbox(Tier({tier!r})) as sandbox:\n"
        "    sandbox.run_test('def f(x): return 1', test)\n"
        "    os.killpg(0, signal.SIGINT)\n"
        "    for _ in range(100):\n"
        "        print(sandbox.run_script('').ending)\n"
        "        print(sandbox.run_test('def f(x): return 1', test).ending)"
    )
    assert outside(code) == ["returned"] * 200


@is_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
@pytest.mark.parametrize("tier", ["A", "B"])
def test_root_without_its_powers_is_refused_and_not_every_program(tier: str) -> None:
    code = (
        "from transforms.sandbox.client import Sandbox\n"
        "from transforms.sandbox.limits import Tier\n"
        "from transforms.sandbox.process import SandboxError\n"
        f"try:\n    with Sandbox(Tier({tier!r})) as sandbox:\n"
        "        print(sandbox.run_script('').ending)\n"
        "except SandboxError:\n    print('refused')"
    )
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    assert outside(code, drop) in (["refused"], ["returned"])

import os
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.transforms.tiers import comes_true
from transforms.sandbox.folders import empty_folder
from transforms.sandbox.limits import CommandLimits
from transforms.sandbox.process import SandboxError
from transforms.sandbox.supervisor import INDEX_PORT
from transforms.sandbox.workshop import Workshop, choose_workshop_tier

INTERPRETER = Path(sys.base_prefix)
PYTHON = str(INTERPRETER / "bin" / "python3")
LIMITS = CommandLimits(wall_seconds=30, processes=64, folder_bytes=64 << 20, files=500)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/place"}


@pytest.fixture(scope="module", autouse=True)
def needs_namespaces():
    try:
        choose_workshop_tier()
    except SandboxError as error:
        pytest.skip(f"NO SANDBOX FOR COMMANDS: {error}")


@pytest.fixture
def workshop(tmp_path):
    folder = tmp_path / "place"
    (folder / "tmp").mkdir(parents=True)
    (folder / "given.txt").write_text("given")
    workshop = Workshop(folder, [INTERPRETER])
    workshop.prepare()
    yield workshop
    # Deeper than others can remove it.
    empty_folder(str(folder))


def run(workshop, code, limits=LIMITS, serve=None):
    return workshop.run([PYTHON, "-I", "-c", code], ENVIRONMENT, "/place", limits, serve)


def said(workshop, code, **settings):
    outcome = run(workshop, code, **settings)
    return outcome.output.decode().strip()


def test_what_a_command_leaves_the_next_one_and_the_trusted_side_find(workshop):
    assert run(workshop, "open('left.txt', 'w').write(open('given.txt').read())").status == 0
    assert said(workshop, "print(open('left.txt').read())") == "given"
    assert (workshop.folder / "left.txt").read_text() == "given"


def test_what_is_shown_may_lie_where_temporary_files_do(workshop):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        shown = Path(folder, "shown.txt")
        shown.write_text("shown")
        other = Workshop(workshop.folder, [INTERPRETER, shown])
        other.prepare()
        assert said(other, f"print(open({str(shown)!r}).read())") == "shown"
        assert "Read-only" in said(other, f"open({str(shown)!r}, 'w')")


def test_statuses_and_signals_are_told_apart(workshop):
    assert run(workshop, "raise SystemExit(7)").status == 7
    assert run(workshop, "import os; os.kill(os.getpid(), 9)").status == -9
    missing = workshop.run(["/nowhere"], ENVIRONMENT, "/place", LIMITS)
    assert (missing.status, missing.output) == (127, b"/nowhere: No such file or directory\n")


def test_of_long_output_the_end_is_kept(workshop):
    limits = CommandLimits(wall_seconds=30, output_bytes=100)
    outcome = run(workshop, "print('x' * 1000000 + 'end')", limits)
    assert (outcome.status, len(outcome.output)) == (0, 100)
    assert outcome.output.endswith(b"xend\n")


def test_suites_find_what_they_expect_of_a_machine(workshop):
    code = """
import multiprocessing, os, pathlib, pty, pwd, socket, subprocess, tempfile
with socket.create_server(("localhost", 0)) as server:
    socket.create_connection(server.getsockname()).close()
multiprocessing.Lock()
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
assert pwd.getpwuid(os.getuid()).pw_name == "user"
tempfile.TemporaryFile().write(b"x")
pathlib.Path("script").write_text("#!/bin/sh\\necho ran\\n")
os.chmod("script", 0o755)
print(subprocess.run(["./script"], capture_output=True, text=True).stdout.strip())
print(len(os.listdir("/proc/self/fd")), flush=True)
pty.spawn(["sh", "-c", "test -t 0 && echo on a terminal"])
"""
    assert said(workshop, code).split() == ["ran", "4", "on", "a", "terminal"]


@contextmanager
def answering(listener):
    """Says one line to whoever connects."""

    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"from outside")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()
        thread.join(5)


def test_the_trusted_side_answers_on_the_loopback_of_the_sandbox(workshop):
    code = f"""
import socket
print(socket.create_connection(("127.0.0.1", {INDEX_PORT})).recv(100).decode())
"""
    assert said(workshop, code, serve=answering) == "from outside"
    assert "refused" in said(workshop, code).lower()


ATTACKS = {
    "reads a home of the machine": "import os; os.listdir({home!r})[0]; "
    "open({home!r} + '/.bashrc')",
    "reads the machine's configuration": "open('/etc/shadow')",
    "writes to its interpreter": "open({stdlib!r} + '/os.py', 'a')",
    "writes to the system": "open('/usr/bin/new', 'w')",
    "mounts": "import ctypes; r = ctypes.CDLL(None).mount(b't', b'/place', b'tmpfs', 0, None); "
    "assert r == 0",
    "makes namespaces": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "changes its root": "import os; os.chroot('/place')",
    "makes devices": "import os; os.mknod('/place/d', 0o60666, os.makedev(254, 0))",
    "becomes another user": "import os; os.setuid(0)",
    "traces its supervisor": "import ctypes; assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0",
    "reads its supervisor's memory": "open('/proc/1/mem', 'rb')",
    "reads its supervisor's environment": "assert open('/proc/1/environ', 'rb').read()",
    "changes settings of the kernel": "open('/proc/sys/kernel/hostname', 'w').write('x')",
    "talks to hardware sockets": "import socket; socket.socket(40, socket.SOCK_STREAM)",
    "talks to the kernel by netlink": "import socket; socket.socket(16, socket.SOCK_RAW)",
    "sends packets of its own making": "import socket; socket.socket(2, socket.SOCK_RAW, 1)",
    "loads programs into the kernel": "import ctypes; assert ctypes.CDLL(None).syscall(321) != -1",
    "uses io_uring": "import ctypes; assert ctypes.CDLL(None).syscall(425, 1, 0) != -1",
    "raises its limits": "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (9999, 9999))",
    "resolves names": "import socket; socket.getaddrinfo('example.org', 80)",
    "reaches other addresses": "import socket; socket.create_connection(('192.0.2.1', 80), 2)",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_end_with_an_error(workshop, attack):
    code = ATTACKS[attack].replace("{stdlib!r}", repr(os.path.dirname(os.__file__)))
    code = code.replace("{home!r}", repr(str(Path.home())))
    outcome = run(workshop, code)
    assert outcome.status == 1, outcome
    assert b"rror: " in outcome.output or b"AssertionError" in outcome.output


def test_the_loopback_of_the_machine_is_another(workshop):
    with socket.create_server(("127.0.0.1", 0)) as server:
        # It can be reached from here: the attack would work without a sandbox.
        socket.create_connection(server.getsockname()).close()
        code = f"import socket; socket.create_connection({server.getsockname()!r}, 3)"
        assert "refused" in said(workshop, code).lower()


def test_sockets_with_abstract_names_are_others(workshop):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0repomill-test-workshop")
        server.listen()
        code = "import socket; socket.socket(socket.AF_UNIX).connect('\\0repomill-test-workshop')"
        assert "refused" in said(workshop, code).lower()


def test_nothing_of_this_process_is_inherited(workshop, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_TEST", "x")
    code = "import os; print(sorted(os.environ), len(os.listdir('/proc/self/fd')))"
    assert said(workshop, code) == "['HOME', 'LC_CTYPE', 'PATH'] 4"


def processes_named(name):
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += name.encode() in path.read_bytes()
        except OSError:
            continue
    return found


def test_daemons_do_not_outlive_their_command(workshop):
    name = f"daemon-of-{os.getpid()}"
    code = f"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv({PYTHON!r}, ["python", "-c", "import time; time.sleep(60)", {name!r}])
    os._exit(0)
time.sleep(0.5)
"""
    assert run(workshop, code).status == 0
    assert processes_named(name) == 0


def test_killing_everybody_kills_nobody_else(workshop):
    run(workshop, "import os; os.kill(-1, 9)")
    assert run(workshop, "print(1)").status == 0


NAMELESS = """
import contextlib, os, time
kept = []
for n in range(30):
    kept.append({})
    with contextlib.suppress(OSError):
        os.unlink(f"f{{n}}")
    kept[-1].write(bytes(10 << 20))
time.sleep(60)
"""
ENDED_PROCESSES = """
import os, time
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
"""
SMALL_PROCESSES = """
import os, time
for n in range(40):
    if os.fork() == 0:
        kept = b"x" * (8 << 20)
        break
time.sleep(60)
"""
"""Each has about what the supervisor has."""


def test_nothing_is_seen_of_the_supervisor(workshop):
    code = (
        "import os; print(sorted(filter(str.isdigit, os.listdir('/proc'))) == [str(os.getpid())])"
    )
    assert said(workshop, code) == "True"


def test_signals_to_the_supervisor_end_nothing(workshop):
    code = """
import contextlib, os, time
for number in range(1, 65):
    with contextlib.suppress(OSError):
        os.kill(1, number)
time.sleep(0.3)
print("goes on")
"""
    assert said(workshop, code) == "goes on"


def test_no_signal_is_ignored(workshop):
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        outcome = workshop.run(["/bin/grep", "SigIgn", "/proc/self/status"], {}, "/place", LIMITS)
    finally:
        signal.signal(signal.SIGUSR1, before)
    name, ignored = outcome.output.split()
    assert name == b"SigIgn:"
    # Two more are the C library's own, which nobody but it may set.
    assert {n for n in signal.valid_signals() if int(ignored, 16) >> (n - 1) & 1} == set()


def children(thread_or_process, process="self"):
    path = Path(f"/proc/{process}/task/{thread_or_process}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


@pytest.mark.parametrize("generation", [1, 2])
def test_nothing_goes_on_without_its_supervisor(workshop, generation):
    outcomes = []
    name = f"goes-on-{os.getpid()}-{generation}"
    code = f"import time; {name!r}; open('begun', 'w'); time.sleep(60)"
    thread = threading.Thread(target=lambda: outcomes.append(run(workshop, code)))
    thread.start()
    assert comes_true((workshop.folder / "begun").exists)
    supervisors = children(thread.native_id)
    if generation == 2:
        supervisors = children(supervisors[0], supervisors[0])
    os.kill(supervisors[0], signal.SIGKILL)
    thread.join(20)
    assert [(outcome.breach, outcome.status) for outcome in outcomes] == [("supervisor", None)]
    assert comes_true(lambda: processes_named(name) == 0)


@pytest.mark.parametrize(
    ("code", "breach"),
    [
        ("import time\ntime.sleep(60)", "wall_seconds"),
        ("while True: pass", "cpu_seconds"),
        (ENDED_PROCESSES, "cpu_seconds"),
        ("x = bytearray(300 << 20)\nimport time\ntime.sleep(60)", "memory"),
        ("for n in range(600): open(f'f{n}', 'w')", "files"),
        ("for n in range(9): open(f'f{n}', 'wb').write(bytes(10 << 20))", "files"),
        ("import os\nfor n in range(3000): os.mkdir('d'); os.chdir('d')", "files"),
        (NAMELESS.format("open(f'f{n}', 'wb', buffering=0)"), "files"),
        (NAMELESS.format("open(os.memfd_create('f'), 'wb', buffering=0)"), "memory"),
        (SMALL_PROCESSES, "memory"),
    ],
)
def test_limits_end_a_command(workshop, code, breach):
    limits = CommandLimits(
        **{**vars(LIMITS), "cpu_seconds": 2, "wall_seconds": 6, "memory_bytes": 200 << 20}
    )
    outcome = run(workshop, code, limits)
    assert (outcome.breach, outcome.status) == (breach, None)


def test_fork_bombs_meet_a_limit(workshop):
    code = """
import os, time
for _ in range(500):
    if os.fork() == 0:
        time.sleep(20)
"""
    started = time.monotonic()
    outcome = run(workshop, code)
    assert b"BlockingIOError" in outcome.output
    assert time.monotonic() - started < 20


def test_a_file_has_a_limit(workshop):
    limits = CommandLimits(wall_seconds=30, file_bytes=1 << 20)
    outcome = run(workshop, "open('large', 'wb').write(bytes(2 << 20))", limits)
    assert outcome.status != 0
    assert (workshop.folder / "large").stat().st_size <= 1 << 20

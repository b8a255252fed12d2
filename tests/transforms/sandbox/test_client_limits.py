"""Each limit of a run has an ending of its own, and the next run fares as ever."""

import pytest

from tests.transforms.tiers import comes_true, opened, processes_of, server_of
from transforms.sandbox.limits import Tier
from transforms.sandbox.outcomes import Ending

MB = 1 << 20
LIMITS = {
    "cpu_seconds": 0.3,
    "wall_seconds": 30.0,
    "memory_bytes": 128 * MB,
    "output_bytes": MB,
    "processes": 8,
    "open_files": 24,
    "file_bytes": MB,
    "folder_bytes": 4 * MB,
    "files": 40,
}

THREADS = """
import threading, time
for _ in range(40):
    threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()
"""
FILES = "for number in range(200):\n    open(str(number), 'w').close()\n"
FOLDERS = "import os\nfor number in range(200):\n    os.mkdir(str(number))\n"
FULL = "for number in range(8):\n    open(str(number), 'wb').write(bytes(1 << 20))\n"
WAIT = "import time\ntime.sleep(0.5)\n"
"""So that a server that only looks now and then sees what was done before."""


@pytest.fixture(scope="module")
def box(tier):
    with opened(tier, **LIMITS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def waiting(tier):
    with opened(tier, cpu_seconds=0.2, wall_seconds=0.3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def forking(tier):
    limits = {**LIMITS, "forks": True, "wall_seconds": 2.0}
    with opened(tier, **limits) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("program", "ending", "reason"),
    [
        ("while True: pass", Ending.TIMEOUT, "more than 0.3 s of CPU time"),
        ("try:\n  while True: pass\nfinally:\n  while True: pass", Ending.TIMEOUT, "CPU time"),
        ("sum(range(10**12))", Ending.TIMEOUT, "CPU time"),
        ("x = [0] * 10**9", Ending.MEMORY, "line 1: MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", Ending.MEMORY, "line 2: MemoryError"),
        ("x = ''\nwhile True: print('x' * 10000)", Ending.OUTPUT, "more than 1048576 bytes"),
        ("print('x' * (1 << 20))", Ending.OUTPUT, "more than 1048576 bytes of output"),
        ("x = [open('/dev/null') for _ in range(99)]", Ending.OPEN_FILES, "line 1: OSError"),
        ("open('x', 'wb').write(bytes(1 << 21))", Ending.FILE_SIZE, "line 1: OSError"),
        (
            "f = open('x', 'wb')\nf.seek(1 << 40)\nf.write(b'x')\nf.flush()",
            Ending.FILE_SIZE,
            "OSErr",
        ),
        (FILES + WAIT, Ending.FILES, ""),
        (FOLDERS + WAIT, Ending.FILES, ""),
        (FULL + WAIT, Ending.FILES, ""),
    ],
)
def test_a_limit_that_is_reached_is_the_ending(box, program, ending, reason):
    outcome = box.run_script(program)
    assert outcome.ending is ending, outcome
    assert reason in outcome.reason
    assert box.run_script("print(1)").output == b"1\n"


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("def f():\n  while True: pass", Ending.TIMEOUT),
        ("def f(): return 'x' * (2 << 20)", Ending.OUTPUT),
        ("def f(): print('x' * (2 << 20))", Ending.OUTPUT),
        (f"def f():\n  exec({FILES + WAIT!r})", Ending.FILES),
    ],
)
def test_a_limit_that_is_reached_in_a_call_is_the_ending(box, program, ending):
    assert box.call_functions(program, [("f", [], {})]).ending is ending
    assert box.run_script("print(1)").output == b"1\n"


def test_memory_that_a_call_lacks_is_its_answer(box):
    outcome = box.call_functions("def f(): return [0] * 10**9", [("f", [], {})])
    assert outcome.messages[1]["exception"] == "MemoryError"


def test_threads_above_the_limit_are_an_ending(box, tier):
    if tier is Tier.UNSAFE:
        pytest.skip(
            "root, whose processes the kernel does not count, keeps its user without a tier"
        )
    outcome = box.run_script(THREADS)
    assert outcome.ending is Ending.PROCESSES, outcome
    assert "can't start new thread" in outcome.reason


def test_processes_do_not_start_unless_they_may(box, tier):
    if tier is Tier.UNSAFE:
        pytest.skip("without a filter of system calls")
    outcome = box.run_script("import os\nos.fork()")
    assert outcome.ending is Ending.PROCESSES, outcome


@pytest.mark.parametrize(
    "program", ["import time\ntime.sleep(30)", "import threading\nthreading.Event().wait()"]
)
def test_waiting_is_ended_by_the_clock(waiting, program):
    outcome = waiting.run_script(program)
    assert outcome.ending is Ending.TIMEOUT
    assert outcome.reason == "not done after 0.3 s of waiting"
    assert outcome.seconds < 0.2


def test_to_read_input_that_never_ends_is_no_wait(waiting):
    assert waiting.run_script("print(repr(input()))", b"a").output == b"'a'\n"
    assert waiting.run_script("input()").reason == "line 1: EOFError: EOF when reading a line"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGTERM"])
def test_a_signal_that_no_limit_sent_is_the_ending(box, tier, name):
    outcome = box.run_script(f"import os, signal\nos.kill(os.getpid(), signal.{name})")
    if "PermissionError" in (outcome.reason or ""):
        assert tier is Tier.LANDLOCK
        pytest.skip("signals are refused where Landlock does not keep them inside")
    assert (outcome.ending, outcome.reason) == (Ending.KILLED, f"ended by signal {name}")


def test_a_crash_of_the_interpreter_is_a_signal(box):
    outcome = box.run_script("import ctypes\nctypes.string_at(1)")
    assert (outcome.ending, outcome.reason) == (Ending.KILLED, "ended by signal SIGSEGV")


def test_limits_cannot_be_raised_back(box, tier):
    if tier is Tier.UNSAFE:
        pytest.skip("root may raise its limits")
    program = "import resource\nfor kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU):\n"
    program += "    resource.setrlimit(kind, (1 << 40, 1 << 40))"
    assert box.run_script(program).ending is Ending.ERROR


def test_what_is_within_the_limits_is_allowed(box):
    program = """
import threading, time
for _ in range(4):
    threading.Thread(target=time.sleep, args=(0.01,)).start()
held = bytearray(16 << 20)
files = [open(str(number), 'wb') for number in range(10)]
for file in files:
    file.write(bytes(300_000))
print('x' * 1_000_000, end='')
"""
    outcome = box.run_script(program)
    assert outcome.ending is Ending.RETURNED, outcome
    assert len(outcome.output) == 1_000_000


DAEMONS = """
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            while True:
                time.sleep(0.01)
        os._exit(0)
print('started', flush=True)
"""


@pytest.mark.parametrize("end", ["", "os._exit(0)", "1 / 0", "time.sleep(30)", "while True: pass"])
def test_all_descendants_are_gone_after_a_run(forking, end):
    folder = server_of(forking)[1]
    before = set(processes_of(folder))
    outcome = forking.run_script(DAEMONS + end)
    assert outcome.output == b"started\n", outcome
    assert comes_true(lambda: set(processes_of(folder)) == before)


def test_memory_of_many_processes_is_counted_together(forking):
    program = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = b'x' * (60 << 20)
        time.sleep(2)
        os._exit(0)
time.sleep(2)
"""
    outcome = forking.run_script(program)
    assert outcome.ending is Ending.MEMORY, outcome
    assert outcome.reason == f"more than {128 * MB} bytes in all processes"


def test_processes_that_may_start_are_waited_for(forking):
    program = "import os\npid = os.fork()\nif pid == 0:\n    print('child', flush=True)\n"
    program += "    os._exit(7)\nprint(os.waitpid(pid, 0)[1] >> 8)"
    assert forking.run_script(program).output == b"child\n7\n"


def test_processes_above_the_limit_are_an_ending(forking, tier):
    if tier is Tier.UNSAFE:
        pytest.skip(
            "root, whose processes the kernel does not count, keeps its user without a tier"
        )
    program = "import os, time\nfor _ in range(40):\n    if os.fork() == 0:\n        time.sleep(9)"
    assert forking.run_script(program).ending is Ending.PROCESSES

"""Attacks that go on and on, or make the time look shorter."""

from __future__ import annotations

from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Harness,
    Judge,
    Run,
    Scene,
    overran,
    survived,
)

BRIEF = Harness(patience=1.0)
"""Waits no longer than it takes to see that a program goes on."""


def endless(name: str, program: str, succeeded: Judge = overran, **more: object) -> Attack:
    """An attack that lasts longer than the harness has patience; a minute at most."""
    values = {"harness": BRIEF, **more}
    return Attack(name, program, succeeded=succeeded, **values)  # type: ignore[arg-type]


def time_hidden(scene: Scene, run: Run) -> bool:
    """Whether half a second of work was measured as next to nothing."""
    return run.seconds < 0.1


ATTACKS = (
    endless("sleeps", "import time\ntime.sleep(60)"),
    endless("waits_for_a_lock", "import threading\nthreading.Semaphore(0).acquire(timeout=60)"),
    endless("waits_for_a_pipe", "import os\nos.read(os.pipe()[0], 1)"),
    endless(
        "computes",
        """
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    pass
""",
    ),
    endless(
        "matches_a_pattern_that_takes_for_ever",
        # In C, where no Python code runs in between. Longer than a minute: it is ended.
        'import re\nre.match("(a|a)*$", "a" * 40 + "b")',
    ),
    endless(
        "ignores_the_request_to_end",
        """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
time.sleep(60)
""",
        survived,
    ),
    endless(
        "blocks_all_signals",
        """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
time.sleep(60)
""",
        survived,
    ),
    endless("stops_itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", survived),
    endless(
        "catches_every_exception",
        """
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        time.sleep(60)
    except BaseException:
        pass
""",
    ),
    endless(
        "ignores_the_end_of_its_processor_time",
        """
import signal, time
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
end = time.monotonic() + 60
while time.monotonic() < end:
    pass
""",
        harness=Harness(patience=2.0, soft_limits={"CPU": 1}),
    ),
    endless(
        "raises_its_processor_time",
        """
import resource, time
resource.setrlimit(resource.RLIMIT_CPU, (99, resource.getrlimit(resource.RLIMIT_CPU)[1]))
end = time.monotonic() + 60
while time.monotonic() < end:
    pass
""",
        harness=Harness(patience=2.0, soft_limits={"CPU": 1}),
    ),
    endless(
        "computes_in_one_child_after_the_other",
        # Each within its own processor time.
        """
import os, time
end = time.monotonic() + 60
while time.monotonic() < end:
    if os.fork() == 0:
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        os._exit(0)
    os.wait()
""",
    ),
    endless(
        "leaves_its_output_open",
        # The program itself ends at once.
        """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
""",
    ),
    Attack(
        "sets_the_clock_of_its_harness",
        """
import time
began = time.monotonic()
while time.monotonic() < began + 0.5:
    pass
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: began
""",
        succeeded=time_hidden,
        harness=Harness(in_process=True),
    ),
)

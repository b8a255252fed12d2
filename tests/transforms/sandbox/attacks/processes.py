"""Attacks on the harness and on other processes of the machine."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Harness,
    Run,
    Scene,
    harness_died,
)
from tests.transforms.sandbox.attacks.syscalls import kernel
from tests.transforms.sandbox.attacks.targets import REGIONS, process_died, sleeping_process

SMALL = 17
"""A limit that nothing else sets."""

OVERWRITE = (
    REGIONS
    + """
import os, re

MARK = re.compile(b"repomill-" + b"buffer-[0-9a-f]{32}")


def places(pid):
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    for start, size in regions(pid):
        try:
            content = os.pread(memory, size, start)
        except OSError:
            continue
        yield from (start + found.start() for found in MARK.finditer(content))


parents = {HARNESS, os.getppid()} - {0}
"""
)


def buffer_overwritten(scene: Scene, run: Run) -> bool:
    return not run.intact


def neighbor_died(scene: Scene, run: Run) -> bool:
    return run.neighbor_died


def sleeping_with_settings(scene: Scene) -> Mapping[str, object]:
    """A process whose priority, processors and limits have to stay as they are."""
    names = sleeping_process(scene)
    scene.kept["settings"] = _settings(scene)
    return names


def _settings(scene: Scene) -> tuple[object, ...]:
    pid = scene.kept["process"].pid
    return (
        os.getpriority(os.PRIO_PROCESS, pid),
        os.sched_getaffinity(pid),
        os.sched_getscheduler(pid),
        resource.prlimit(pid, resource.RLIMIT_NOFILE),
        Path(f"/proc/{pid}/oom_score_adj").read_text(),
    )


def settings_changed(scene: Scene, run: Run) -> bool:
    return _settings(scene) != scene.kept["settings"]


def on_victim(name: str, program: str, **more: object) -> Attack:
    """An attack that ends a process outside."""
    return Attack(
        name,
        program,
        prepare=sleeping_process,
        succeeded=process_died,
        **more,  # type: ignore[arg-type]
    )


def on_settings(name: str, program: str, **more: object) -> Attack:
    """An attack that changes how a process outside is run."""
    return Attack(
        name,
        program,
        prepare=sleeping_with_settings,
        succeeded=settings_changed,
        **more,  # type: ignore[arg-type]
    )


ON_HARNESS = (
    Attack(
        "kills_its_harness",
        "import os, signal\nos.kill(HARNESS, signal.SIGKILL)",
        succeeded=harness_died,
    ),
    Attack(
        "kills_its_parent",
        # Not where its parent is process 1 of the machine.
        """
import os, signal
if os.getppid() > 1:
    os.kill(os.getppid(), signal.SIGKILL)
""",
        succeeded=harness_died,
    ),
    Attack(
        "kills_the_group_of_its_harness",
        "import os, signal\nos.killpg(HARNESS, signal.SIGKILL)",
        succeeded=harness_died,
    ),
    Attack(
        "kills_its_own_group",
        "import os, signal\nos.kill(0, signal.SIGKILL)",
        succeeded=harness_died,
    ),
    Attack(
        "interrupts_its_own_group",
        "import os, signal\nos.kill(0, signal.SIGINT)",
        succeeded=harness_died,
    ),
    Attack(
        "signals_every_process",
        # In namespaces of its own, and with a signal that nobody minds but the one it is for.
        "import os, signal\nos.kill(-1, signal.SIGWINCH)",
        succeeded=neighbor_died,
        needs=(needs.private_pids,),
        harness=Harness(private_pids=True),
    ),
    Attack(
        "overwrites_the_memory_of_its_parents",
        OVERWRITE
        + """
for pid in parents:
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        for place in places(pid):
            os.pwrite(memory, b"gone", place)
    except OSError:
        pass
""",
        succeeded=buffer_overwritten,
        needs=(needs.reads_of_parents,),
    ),
    Attack(
        "overwrites_memory_of_its_parents_by_a_call",
        kernel(
            OVERWRITE
            + """
def write(pid, place, content):
    here = (ctypes.c_size_t * 2)(ctypes.addressof(content), 4)
    call("process_vm_writev", pid, here, 1, (ctypes.c_size_t * 2)(place, 4), 1, 0)


for pid in parents:
    try:
        for place in places(pid):
            write(pid, place, ctypes.create_string_buffer(b"gone"))
    except OSError:
        pass
"""
        ),
        succeeded=buffer_overwritten,
        needs=(needs.reads_of_parents,),
    ),
    Attack(
        "crashes_the_harness_by_recursion_in_c",
        """
import ctypes, sys, threading
sys.setrecursionlimit(1 << 30)
threading.stack_size(256 << 10)
again = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda depth: again(depth + 1))
thread = threading.Thread(target=again, args=(0,))
thread.start()
thread.join()
""",
        succeeded=harness_died,
        harness=Harness(in_process=True),
    ),
    Attack(
        "crashes_the_harness_by_a_bad_address",
        "import ctypes\nctypes.string_at(0)",
        succeeded=harness_died,
        harness=Harness(in_process=True),
    ),
    Attack(
        "ends_the_harness",
        "import os\nos._exit(0)",
        succeeded=harness_died,
        harness=Harness(in_process=True),
    ),
    Attack(
        "replaces_the_harness",
        'import os\nos.execv("/bin/true", ["true"])',
        succeeded=harness_died,
        harness=Harness(in_process=True),
    ),
)

ON_OTHERS = (
    on_victim("kills_a_process", "import os, signal\nos.kill(VICTIM, signal.SIGKILL)"),
    on_victim(
        "kills_a_process_by_its_descriptor",
        """
import os, signal
signal.pidfd_send_signal(os.pidfd_open(VICTIM), signal.SIGKILL)
""",
    ),
    on_victim(
        "kills_a_process_by_its_folder",
        # A folder of /proc is as good as a descriptor of the process.
        """
import os, signal
signal.pidfd_send_signal(os.open(f"/proc/{VICTIM}", os.O_RDONLY), signal.SIGKILL)
""",
    ),
    on_victim("kills_a_thread", kernel('call("tkill", VICTIM, 9)')),
    on_victim(
        "queues_a_signal",
        kernel(
            """
SIGTERM, SI_QUEUE = 15, -1
information = (ctypes.c_int * 32)(SIGTERM, 0, SI_QUEUE)
call("rt_sigqueueinfo", VICTIM, SIGTERM, information)
"""
        ),
    ),
    on_victim(
        "has_a_pipe_signal_a_process",
        # The kernel sends it when there is something to read: no call of kill.
        """
import fcntl, os, signal
F_SETSIG = 10
readable, writable = os.pipe()
fcntl.fcntl(readable, fcntl.F_SETOWN, VICTIM)
fcntl.fcntl(readable, F_SETSIG, signal.SIGKILL)
fcntl.fcntl(readable, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
os.write(writable, b"now")
""",
    ),
    on_victim(
        "traces_a_process_to_its_end",
        kernel(
            """
PTRACE_SEIZE, PTRACE_O_EXITKILL = 0x4206, 1 << 20
call("ptrace", PTRACE_SEIZE, VICTIM, 0, PTRACE_O_EXITKILL)
"""
        ),
        needs=(needs.reads_of_parents,),
    ),
    on_settings("lowers_the_priority_of_a_process", "import os\nos.setpriority(0, VICTIM, 15)"),
    on_settings(
        "moves_a_process_to_one_processor",
        """
import os
os.sched_setaffinity(VICTIM, {min(os.sched_getaffinity(VICTIM))})
os.sched_setscheduler(VICTIM, os.SCHED_BATCH, os.sched_param(0))
""",
    ),
    on_settings(
        "lowers_the_limits_of_a_process",
        f"""
import resource
resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, ({SMALL}, {SMALL}))
""",
    ),
    on_settings(
        "offers_a_process_to_the_killer_of_large_ones",
        'open(f"/proc/{VICTIM}/oom_score_adj", "w").write("900")',
    ),
)

ATTACKS = (*ON_HARNESS, *ON_OTHERS)

"""Attacks by Python itself: objects of the harness, other programs, forged reports."""

from __future__ import annotations

from collections.abc import Mapping

from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Run,
    Scene,
    nothing,
    secret_in_output,
)
from tests.transforms.sandbox.attacks.syscalls import kernel

FIND = """
import os, re

MARK = re.compile("repomill-" + "secret-[0-9a-f]{32}")


def search(value, depth=3):
    if isinstance(value, str) and MARK.search(value):
        os.write(1, value.encode())
    elif isinstance(value, bytes) and MARK.search(value.decode("latin-1")):
        os.write(1, value)
    elif depth and isinstance(value, dict):
        for each in list(value.values()):
            search(each, depth - 1)
    elif depth and isinstance(value, (list, tuple)):
        for each in value:
            search(each, depth - 1)
    elif depth and hasattr(value, "__dict__"):
        search(vars(value), depth - 1)


"""

FACTORS = 982_451_653, 961_748_941
PRODUCT = str(FACTORS[0] * FACTORS[1]).encode()
COMMAND = f"echo $(({FACTORS[0]} * {FACTORS[1]}))"
"""Says what only one who computes can say."""


def computed(scene: Scene, run: Run) -> bool:
    return PRODUCT in run.output


def believed(scene: Scene, run: Run) -> bool:
    """Whether the harness says of a program that did not return that it did."""
    return run.ending in ("passed", "returned")


def files_in_folder(scene: Scene) -> Mapping[str, object]:
    """A file in the scene's folder, with the secret in its name."""
    (scene.folder / scene.secret).touch()
    return {}


FORGE = """
import json, os, pickle, struct

claims = [
    {"verdict": "passed"},
    {"verdict": "returned", "ending": "returned", "status": "passed", "ok": True},
    {"ending": "returned", "reason": "", "output": "", "seconds": 0.0, "memory_bytes": 0},
    {"runs": [{"ending": "returned", "output": "", "seconds": 0.0}], "intact": True,
     "neighbor_died": False},
    ["returned", None],
    "passed",
    0,
    True,
]
texts = [json.dumps(claim).encode() for claim in claims]
texts += [b"passed", b"returned", b"ok", pickle.dumps("passed")]
frames = [text + b"\\n" for text in texts]
for shape in ("<I", ">I", "<Q", ">Q", "<H", ">H", "B"):
    frames += [struct.pack(shape, len(text)) + text for text in texts if len(text) < 256]


def forge(descriptor):
    for frame in frames:
        try:
            os.write(descriptor, frame)
        except OSError:
            return


"""

DIES = "\nimport signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
"""No program can have returned that was killed, whatever it said before."""


def forged(name: str, program: str) -> Attack:
    """An attack that lets a program which dies look as if it returned."""
    return Attack(name, FORGE + program + DIES, succeeded=believed)


def runs_another(name: str, program: str) -> Attack:
    """An attack that has another program compute."""
    return Attack(name, program, prepare=nothing, succeeded=computed)


OBJECTS = (
    Attack(
        "walks_the_objects_of_the_collector",
        FIND + "import gc\nfor each in gc.get_objects():\n    search(each, 1)",
        succeeded=secret_in_output,
    ),
    Attack(
        "walks_its_callers",
        FIND
        + """
import sys
frame = sys._getframe()
while frame is not None:
    search(dict(frame.f_locals))
    search(frame.f_globals)
    frame = frame.f_back
""",
        succeeded=secret_in_output,
    ),
    Attack(
        "walks_the_frames_of_threads",
        FIND
        + """
import sys, threading
main = threading.get_ident()


def walk():
    frame = sys._current_frames()[main]
    while frame is not None:
        search(dict(frame.f_locals))
        frame = frame.f_back


thread = threading.Thread(target=walk)
thread.start()
thread.join()
""",
        succeeded=secret_in_output,
    ),
    Attack(
        "walks_the_frames_of_an_error",
        FIND
        + """
try:
    raise ValueError
except ValueError as error:
    frame = error.__traceback__.tb_frame
    while frame is not None:
        search(dict(frame.f_locals))
        frame = frame.f_back
""",
        succeeded=secret_in_output,
    ),
    Attack(
        "walks_from_type_to_type",
        # Without an import, as those do who were given no builtins.
        """
for kind in ().__class__.__base__.__subclasses__():
    if kind.__name__ == "_wrap_close":
        print(kind.__init__.__globals__["environ"])
""",
        succeeded=secret_in_output,
    ),
)

PROGRAMS = (
    runs_another("asks_a_shell", f"import os\nos.system({COMMAND!r})"),
    runs_another("asks_a_shell_of_libc", kernel(f"LIBC.system({COMMAND.encode()!r})")),
    runs_another(
        "becomes_a_shell",
        kernel(f"""
words = (ctypes.c_char_p * 4)(b"sh", b"-c", {COMMAND.encode()!r}, None)
LIBC.execve(b"/bin/sh", words, (ctypes.c_char_p * 1)(None))
"""),
    ),
    runs_another(
        "starts_a_shell",
        f"""
import os
os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", {COMMAND!r}], {{}}), 0)
""",
    ),
    runs_another(
        "starts_python_again",
        f"""
import subprocess, sys
subprocess.run([sys.executable, "-I", "-S", "-c", "print({FACTORS[0]} * {FACTORS[1]})"])
""",
    ),
    runs_another(
        "runs_a_program_of_its_own",
        f"""
import os
with open("own", "w") as file:
    file.write("#!/bin/sh\\n" + {COMMAND!r})
os.chmod("own", 0o700)
os.system("./own")
""",
    ),
    runs_another(
        "runs_a_program_in_memory",
        # A file of no folder, which no rule about folders knows.
        f"""
import os, shutil, sys
own = os.memfd_create("own", 0)
with open(os.path.realpath("/bin/sh"), "rb") as file:
    os.write(own, file.read())
os.execve(own, ["sh", "-c", {COMMAND!r}], {{}})
""",
    ),
    Attack(
        "lists_a_folder_by_another_program",
        "import subprocess\nsubprocess.run(['/bin/ls', FOLDER])",
        prepare=files_in_folder,
        succeeded=secret_in_output,
    ),
)

FORGED = (
    forged(
        "forges_reports_on_every_descriptor",
        "for descriptor in range(256):\n    forge(descriptor)",
    ),
    forged(
        "forges_reports_on_descriptors_of_its_parents",
        """
for pid in {HARNESS, os.getppid()} - {0}:
    for number in range(256):
        try:
            forge(os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            pass
""",
    ),
    forged(
        "forges_a_report_and_leaves",
        """
for descriptor in range(256):
    forge(descriptor)
os._exit(1)
""",
    ),
    forged(
        "forges_a_report_and_closes_what_carries_it",
        """
for descriptor in range(3, 256):
    forge(descriptor)
os.closerange(3, 256)
""",
    ),
    forged(
        "forges_a_report_in_a_child",
        """
import time
if os.fork() == 0:
    for descriptor in range(256):
        forge(descriptor)
    os._exit(0)
os.wait()
""",
    ),
    Attack(
        "forges_a_report_by_patching_what_writes_it",
        """
import json
true = json.dumps
json.dumps = lambda value, **more: true(value, **more).replace("error", "returned")
raise ValueError("this program fails")
""",
        succeeded=believed,
    ),
)

ATTACKS = (*OBJECTS, *PROGRAMS, *FORGED)

"""Attacks that leave something for the program after them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Harness,
    Run,
    Scene,
    nothing,
    token_in_later,
)
from tests.transforms.sandbox.attacks.ipc import remove_ipc
from tests.transforms.sandbox.attacks.syscalls import kernel

IN_PROCESS = Harness(in_process=True)

SPY = """
import os, sys


def spy(frame, event, argument):
    for value in list(frame.f_locals.values()):
        if isinstance(value, str) and value.startswith("private-"):
            os.write(1, b"stolen:" + value[::-1].encode())
    return spy


"""

SPIED = """
def handle(value):
    length = len(value)
    return length


handle("private-" + "value")
"""


def stolen(scene: Scene, run: Run) -> bool:
    return b"stolen:" in run.later


def place(scene: Scene) -> Mapping[str, object]:
    """A NAME and a KEY for what is left, which is taken away at the end in any case."""
    key = zlib.crc32(scene.token.encode()) & 0x7FFFFFFF
    # Without the token, as errors that name it are no sign of success.
    name = f"/left-{key:x}"

    def remove() -> None:
        remove_ipc(key, name)
        for folder in ("/tmp", "/dev/shm", "/var/tmp"):
            with suppress(FileNotFoundError):
                Path(folder + name).unlink()

    scene.exits.callback(remove)
    return {"KEY": key, "NAME": name}


def file_in(folder: str) -> Attack:
    """An attack that leaves a file in a folder."""
    name = folder.replace("/", "_") or "_its_folder"
    return Attack(
        f"leaves_a_file_in{name}",
        f'open({folder!r} + NAME.lstrip("/" * (not {folder!r})), "w").write(TOKEN)',
        later=f'print(open({folder!r} + NAME.lstrip("/" * (not {folder!r}))).read())',
        prepare=place,
        succeeded=token_in_later,
    )


def in_process(name: str, program: str, later: str) -> Attack:
    """An attack on a harness that runs programs in itself."""
    return Attack(
        name,
        program,
        later=later,
        prepare=nothing,
        succeeded=token_in_later,
        harness=IN_PROCESS,
    )


IN_MACHINE = (
    *map(file_in, ("", "/tmp", "/dev/shm", "/var/tmp")),
    Attack(
        "leaves_shared_memory",
        kernel(
            """
LIBC.shmat.restype = ctypes.c_void_p
IPC_CREAT = 0o1000
place = LIBC.shmat(LIBC.shmget(KEY, 4096, IPC_CREAT | 0o600), None, 0)
ctypes.memmove(place, TOKEN.encode(), len(TOKEN))
"""
        ),
        later=kernel(
            """
LIBC.shmat.restype = ctypes.c_void_p
print(ctypes.string_at(LIBC.shmat(LIBC.shmget(KEY, 4096, 0), None, 0), 100))
"""
        ),
        prepare=place,
        succeeded=token_in_later,
    ),
    Attack(
        "leaves_a_message",
        kernel(
            """
IPC_CREAT = 0o1000
message = (1).to_bytes(8, "little") + TOKEN.encode()
LIBC.msgsnd(LIBC.msgget(KEY, IPC_CREAT | 0o600), message, len(TOKEN), 0)
"""
        ),
        later=kernel(
            """
IPC_NOWAIT = 0o4000
message = ctypes.create_string_buffer(200)
LIBC.msgrcv(LIBC.msgget(KEY, 0), message, 100, 0, IPC_NOWAIT)
print(message.raw)
"""
        ),
        prepare=place,
        succeeded=token_in_later,
    ),
    Attack(
        "leaves_a_semaphore",
        kernel(
            """
IPC_CREAT, SETVAL = 0o1000, 16
LIBC.semctl(LIBC.semget(KEY, 1, IPC_CREAT | 0o600), 0, SETVAL, 1234)
"""
        ),
        later=kernel(
            """
GETVAL = 12
if LIBC.semctl(LIBC.semget(KEY, 1, 0), 0, GETVAL) == 1234:
    print(TOKEN)
"""
        ),
        prepare=place,
        succeeded=token_in_later,
    ),
    Attack(
        "leaves_a_message_in_a_posix_queue",
        kernel(
            """
queue = LIBC.mq_open(NAME.encode(), os.O_CREAT | os.O_RDWR, 0o600, None)
LIBC.mq_send(queue, TOKEN.encode(), len(TOKEN), 0)
"""
        ),
        later=kernel(
            """
message = ctypes.create_string_buffer(8192)
queue = LIBC.mq_open(NAME.encode(), os.O_RDONLY | os.O_NONBLOCK)
LIBC.mq_receive(queue, message, len(message), None)
print(message.value)
"""
        ),
        prepare=place,
        succeeded=token_in_later,
    ),
    Attack(
        "leaves_a_key",
        kernel(
            """
USER_KEYRING, SET_TIMEOUT = -4, 15
key = call("add_key", b"user", NAME.encode(), TOKEN.encode(), len(TOKEN), USER_KEYRING)
call("keyctl", SET_TIMEOUT, key, 10, 0, 0)
"""
        ),
        later=kernel(
            """
USER_KEYRING, SEARCH, READ = -4, 10, 11
key = call("keyctl", SEARCH, USER_KEYRING, b"user", NAME.encode(), 0)
content = ctypes.create_string_buffer(100)
call("keyctl", READ, key, content, 100, 0)
print(content.value)
"""
        ),
        prepare=place,
        succeeded=token_in_later,
    ),
    Attack(
        "leaves_a_server",
        """
import os, socket, time
if os.fork() == 0:
    os.setsid()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind("\\0" + NAME)
    server.listen()
    server.settimeout(5)
    os.closerange(0, 3)
    server.accept()[0].sendall(TOKEN.encode())
    os._exit(0)
time.sleep(0.3)
""",
        later="""
import socket
asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
asker.connect("\\0" + NAME)
print(asker.recv(100))
""",
        prepare=place,
        succeeded=token_in_later,
    ),
)

IN_HARNESS = (
    in_process(
        "leaves_a_patched_function",
        "import json\njson.loads = lambda text: TOKEN",
        "import json\nprint(json.loads('1'))",
    ),
    in_process(
        "leaves_a_patched_builtin",
        "import builtins\nbuiltins.len = lambda value: TOKEN",
        "print(len(''))",
    ),
    in_process(
        "leaves_a_module",
        """
import sys, types
sys.modules["left"] = types.ModuleType("left")
sys.modules["left"].found = TOKEN
""",
        "import left\nprint(left.found)",
    ),
    in_process(
        "leaves_a_finder_of_modules",
        """
import importlib.abc, importlib.util, sys


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "left" else None

    def exec_module(self, module):
        module.found = TOKEN


sys.meta_path.insert(0, Finder())
""",
        "import left\nprint(left.found)",
    ),
    in_process(
        "leaves_a_variable_of_the_environment",
        'import os\nos.environ["LEFT"] = TOKEN',
        'import os\nprint(os.environ.get("LEFT"))',
    ),
    in_process(
        "leaves_an_open_descriptor",
        """
import os
file = os.memfd_create("left")
os.write(file, TOKEN.encode())
os.dup2(file, 200)
""",
        "import os\nos.write(1, os.pread(200, 100, 0))",
    ),
    in_process(
        "leaves_a_thread",
        """
import os, threading, time


def speak():
    for _ in range(20):
        time.sleep(0.05)
        os.write(1, TOKEN.encode())


threading.Thread(target=speak, daemon=True).start()
""",
        "import time\ntime.sleep(0.4)",
    ),
    in_process(
        "leaves_a_signal_handler",
        """
import os, signal
signal.signal(signal.SIGALRM, lambda *_: os.write(1, TOKEN.encode()))
signal.setitimer(signal.ITIMER_REAL, 0.2)
""",
        "import time\ntime.sleep(0.5)",
    ),
    *(
        Attack(
            f"leaves_a_{kind}_function",
            SPY + install,
            later=SPIED,
            succeeded=stolen,
            harness=IN_PROCESS,
        )
        for kind, install in (
            ("tracing", "sys.settrace(spy)"),
            ("profiling", "sys.setprofile(spy)"),
        )
    ),
    Attack(
        "leaves_an_audit_hook",
        """
import os, sys


def spy(event, arguments):
    if event == "open" and "private-" in str(arguments[0]):
        os.write(1, b"stolen:" + arguments[0][::-1].encode())


sys.addaudithook(spy)
""",
        later="""
try:
    open("private-" + "file")
except OSError:
    pass
""",
        succeeded=stolen,
        harness=IN_PROCESS,
    ),
)

ATTACKS = (*IN_MACHINE, *IN_HARNESS)

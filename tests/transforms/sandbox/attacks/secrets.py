"""Attacks that read what the harness or the machine keeps to itself."""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import Attack, Harness, Run, Scene, secret_in_output
from tests.transforms.sandbox.attacks.syscalls import kernel
from tests.transforms.sandbox.attacks.targets import REGIONS, open_secret_file, secret_file

SHADOW = "/etc/shadow"
AT_FDCWD = -100

MEMORY = (
    REGIONS
    + """
import os, re

MARK = re.compile(b"repomill-" + b"secret-[0-9a-f]{32}")


def search(pid):
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    for start, size in regions(pid):
        try:
            print(set(MARK.findall(os.pread(memory, size, start))), flush=True)
        except OSError:
            pass
"""
)

PARENTS = """
import os
parents = {HARNESS, os.getppid()} - {0}
"""


def home_file(scene: Scene) -> Mapping[str, object]:
    """A file in the user's home folder, whose name has the secret."""
    descriptor, name = tempfile.mkstemp(prefix=f".{scene.secret}-", dir=Path.home())
    os.close(descriptor)
    scene.exits.callback(os.unlink, name)
    return {"HOME": str(Path.home())}


def shadow_digest_in_output(scene: Scene, run: Run) -> bool:
    return hashlib.sha256(Path(SHADOW).read_bytes()).hexdigest().encode() in run.output


def secret_argument(scene: Scene) -> Mapping[str, object]:
    """The secret on the command line of the harness."""
    scene.arguments.append(scene.secret)
    return {}


def handle_of_secret_file(scene: Scene) -> Mapping[str, object]:
    """A file with the secret, and the HANDLE by which its file system knows it."""
    path = str(secret_file(scene)["PATH"])
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 8 + 128)
    mount = ctypes.c_int()
    found = ctypes.CDLL(None, use_errno=True).name_to_handle_at(
        AT_FDCWD, path.encode(), handle, ctypes.byref(mount), 0
    )
    assert found == 0, os.strerror(ctypes.get_errno())
    return {"HANDLE": handle.raw}


ATTACKS = (
    Attack(
        "reads_a_private_file",
        "print(open(PATH).read())",
        prepare=secret_file,
        succeeded=secret_in_output,
    ),
    Attack(
        "reads_a_file_by_way_of_proc",
        PARENTS
        + """
for pid in parents | {"self", 1}:
    try:
        print(open(f"/proc/{pid}/root{PATH}").read(), flush=True)
    except OSError:
        pass
""",
        prepare=secret_file,
        succeeded=secret_in_output,
    ),
    Attack(
        "reads_a_file_by_its_handle",
        kernel(
            """
import sys
places = [".", "/", "/tmp", os.path.dirname(os.__file__), sys.prefix]
for place in places:
    file = LIBC.open_by_handle_at(os.open(place, os.O_RDONLY), HANDLE, os.O_RDONLY)
    if file >= 0:
        os.write(1, os.read(file, 1000))
"""
        ),
        prepare=handle_of_secret_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "lists_the_home_folder",
        """
import os
print(os.listdir(HOME))
""",
        prepare=home_file,
        succeeded=secret_in_output,
        needs=(needs.writable_home,),
    ),
    Attack(
        "reads_the_passwords_of_the_machine",
        # The digest alone leaves the program.
        f"""
import hashlib
print(hashlib.sha256(open({SHADOW!r}, "rb").read()).hexdigest())
""",
        succeeded=shadow_digest_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "reads_the_environment",
        """
import os
print(os.environ)
""",
        succeeded=secret_in_output,
    ),
    Attack(
        "reads_its_first_environment",
        'print(open("/proc/self/environ").read())',
        succeeded=secret_in_output,
    ),
    Attack(
        "reads_the_environment_of_its_parents",
        PARENTS
        + """
for pid in parents:
    try:
        print(open(f"/proc/{pid}/environ").read(), flush=True)
    except OSError:
        pass
""",
        succeeded=secret_in_output,
    ),
    Attack(
        "reads_the_environment_of_process_1",
        'print(open("/proc/1/environ").read())',
        succeeded=secret_in_output,
        needs=(needs.private_pids,),
        harness=Harness(private_pids=True),
    ),
    Attack(
        "reads_the_environment_of_every_process",
        """
import os
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        print(open(f"/proc/{pid}/environ").read(), flush=True)
    except OSError:
        pass
""",
        succeeded=secret_in_output,
        needs=(needs.private_pids,),
        harness=Harness(private_pids=True),
    ),
    Attack(
        "reads_the_command_line_of_its_parents",
        PARENTS
        + """
for pid in parents:
    try:
        print(open(f"/proc/{pid}/cmdline").read(), flush=True)
    except OSError:
        pass
""",
        prepare=secret_argument,
        succeeded=secret_in_output,
    ),
    Attack(
        "searches_its_own_memory",
        MEMORY + 'search("self")',
        succeeded=secret_in_output,
    ),
    Attack(
        "searches_the_memory_of_its_parents",
        MEMORY
        + PARENTS
        + """
for pid in parents:
    try:
        search(pid)
    except OSError:
        pass
""",
        succeeded=secret_in_output,
        needs=(needs.reads_of_parents,),
    ),
    Attack(
        "reads_memory_of_its_parents_by_a_call",
        kernel(
            MEMORY
            + PARENTS
            + """
def read(pid, start, size):
    content = ctypes.create_string_buffer(size)
    here = (ctypes.c_size_t * 2)(ctypes.addressof(content), size)
    there = (ctypes.c_size_t * 2)(start, size)
    return content.raw if call("process_vm_readv", pid, here, 1, there, 1, 0) > 0 else b""


for pid in parents:
    try:
        for start, size in regions(pid):
            print(set(MARK.findall(read(pid, start, size))), flush=True)
    except OSError:
        pass
"""
        ),
        succeeded=secret_in_output,
        needs=(needs.reads_of_parents,),
    ),
    Attack(
        "reads_inherited_descriptors",
        """
import os
for descriptor in range(256):
    try:
        os.write(1, os.pread(descriptor, 1000, 0))
    except OSError:
        pass
""",
        prepare=open_secret_file,
        succeeded=secret_in_output,
    ),
    Attack(
        "opens_inherited_descriptors_again",
        """
import os
for name in os.listdir("/proc/self/fd"):
    try:
        os.write(1, os.read(os.open(f"/proc/self/fd/{name}", os.O_RDONLY | os.O_NONBLOCK), 1000))
    except OSError:
        pass
""",
        prepare=open_secret_file,
        succeeded=secret_in_output,
    ),
    Attack(
        "opens_descriptors_of_its_parents",
        PARENTS
        + """
os.closerange(3, 256)
for pid in parents:
    for number in range(256):
        try:
            path = f"/proc/{pid}/fd/{number}"
            os.write(1, os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 1000))
        except OSError:
            pass
""",
        prepare=open_secret_file,
        succeeded=secret_in_output,
        needs=(needs.reads_of_parents,),
    ),
    Attack(
        "takes_descriptors_of_its_parents",
        kernel(
            PARENTS
            + """
os.closerange(3, 256)
for pid in parents:
    parent = os.pidfd_open(pid)
    for number in range(256):
        taken = call("pidfd_getfd", parent, number, 0)
        if taken >= 0:
            try:
                os.write(1, os.pread(taken, 1000, 0))
            except OSError:
                pass
            os.close(taken)
"""
        ),
        prepare=open_secret_file,
        succeeded=secret_in_output,
        needs=(needs.reads_of_parents,),
    ),
)

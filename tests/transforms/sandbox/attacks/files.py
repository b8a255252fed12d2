"""Attacks that write, change or delete files of the machine."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import Attack, Prepare, Run, Scene, nothing
from tests.transforms.sandbox.attacks.syscalls import kernel
from tests.transforms.sandbox.attacks.targets import (
    file_appeared,
    file_changed,
    remove_at_end,
    victim_file,
)


def victim_folder(scene: Scene) -> Mapping[str, object]:
    """A folder at PATH with files in it."""
    folder = scene.folder / "victims" / "inner"
    folder.mkdir(parents=True)
    (folder / "victim.txt").write_text("here")
    scene.kept["inside"] = folder / "victim.txt"
    return {"PATH": str(folder.parent)}


def file_of_folder_gone(scene: Scene, run: Run) -> bool:
    return not scene.kept["inside"].exists()


def open_victim_folder(scene: Scene) -> Mapping[str, object]:
    """The folder of a file, open in the harness at a number that the program is not told."""
    path = str(victim_file(scene)["PATH"])
    descriptor = os.open(scene.folder, os.O_RDONLY | os.O_DIRECTORY)
    scene.inherited.append(descriptor)
    scene.exits.callback(os.close, descriptor)
    return {"NAME": Path(path).name}


def victim_open_for_reading(scene: Scene) -> Mapping[str, object]:
    """A file that is open in the harness for reading alone."""
    descriptor = os.open(str(victim_file(scene)["PATH"]), os.O_RDONLY)
    scene.inherited.append(descriptor)
    scene.exits.callback(os.close, descriptor)
    return {}


def in_library(*parts: str, site: bool = False) -> Prepare:
    """A path of the Python library where nothing stands, PATH."""

    def prepare(scene: Scene) -> Mapping[str, object]:
        library = Path(sysconfig.get_path("purelib")) if site else Path(os.__file__).parent
        path = library.joinpath(*parts[:-1], parts[-1].format(scene.token))
        return _planted(scene, path)

    return prepare


def _planted(scene: Scene, path: Path) -> Mapping[str, object]:
    scene.kept["planted"] = path
    remove_at_end(scene, path)
    return {"PATH": str(path)}


def in_folder(folder: str) -> Prepare:
    """A path of a folder that all may write to, where nothing stands."""
    return lambda scene: _planted(scene, Path(folder, f"attack-{scene.token}"))


def customization(scene: Scene) -> Mapping[str, object]:
    """Where Python looks for code of a user that it runs at every start."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = scene.folder / ".local" / "lib" / version / "site-packages" / "usercustomize.py"
    return _planted(scene, path)


def was_planted(scene: Scene, run: Run) -> bool:
    path = scene.kept["planted"]
    return path.exists() and scene.token in path.read_text()


def is_fifo(scene: Scene, run: Run) -> bool:
    path = scene.folder / "late"
    return path.exists() and stat.S_ISFIFO(path.stat().st_mode)


WRITES = """
with open(PATH, "w") as file:
    file.write("# " + TOKEN)
"""


def on_file(name: str, program: str, prepare: Prepare = victim_file, **more: object) -> Attack:
    """An attack on a file that has to stay as it is."""
    return Attack(name, program, prepare=prepare, succeeded=file_changed, **more)  # type: ignore[arg-type]


def new_file(name: str, program: str, **more: object) -> Attack:
    """An attack that leaves something at the path `late` of the scene's folder."""
    return Attack(name, program, prepare=nothing, succeeded=file_appeared, **more)  # type: ignore[arg-type]


ON_FILES = (
    on_file("overwrites_a_file", 'open(PATH, "w").write(TOKEN)'),
    on_file("appends_to_a_file", 'open(PATH, "a").write(TOKEN)'),
    on_file(
        "overwrites_a_file_by_a_relative_path",
        'open("../" * 40 + PATH.lstrip("/"), "w").write(TOKEN)',
    ),
    on_file(
        "overwrites_a_file_through_a_symlink",
        """
import os
os.symlink(PATH, "link")
open("link", "w").write(TOKEN)
""",
    ),
    on_file(
        "overwrites_a_file_through_a_hard_link",
        """
import os
os.link(PATH, "link")
open("link", "w").write(TOKEN)
""",
    ),
    on_file(
        "overwrites_a_file_by_way_of_proc",
        """
import os
for pid in {HARNESS, os.getppid(), "self", 1} - {0}:
    try:
        open(f"/proc/{pid}/root{PATH}", "w").write(TOKEN)
    except OSError:
        pass
""",
    ),
    on_file(
        "overwrites_a_file_below_an_inherited_folder",
        """
import os
for folder in range(3, 256):
    try:
        os.write(os.open(NAME, os.O_WRONLY, dir_fd=folder), TOKEN.encode())
    except OSError:
        pass
""",
        prepare=open_victim_folder,
    ),
    on_file(
        "opens_a_file_again_for_writing",
        """
import os
for number in range(3, 256):
    try:
        os.write(os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK), TOKEN.encode())
    except OSError:
        pass
""",
        prepare=victim_open_for_reading,
    ),
    on_file(
        "changes_times_through_a_descriptor",
        """
import os
for number in range(3, 256):
    try:
        os.utime(number, (0, 0))
    except OSError:
        pass
""",
        prepare=victim_open_for_reading,
    ),
    on_file(
        "overwrites_a_mapped_file",
        """
import mmap
with open(PATH, "r+b") as file:
    mmap.mmap(file.fileno(), 0)[:2] = b"??"
""",
    ),
    on_file("truncates_a_file", "import os\nos.truncate(PATH, 1)"),
    on_file("deletes_a_file", "import os\nos.unlink(PATH)"),
    on_file("moves_a_file_away", 'import os\nos.rename(PATH, PATH + ".away")'),
    on_file("moves_a_file_into_its_folder", 'import os\nos.rename(PATH, "taken")'),
    on_file(
        "replaces_a_file",
        """
import os
open("own", "w").write(TOKEN)
os.replace("own", PATH)
""",
    ),
    on_file("links_a_file", 'import os\nos.link(PATH, PATH + ".link")'),
    on_file("changes_the_mode_of_a_file", "import os\nos.chmod(PATH, 0o777)"),
    on_file(
        "changes_the_owner_of_a_file",
        "import os\nos.chown(PATH, 12345, 12345)",
        needs=(needs.root,),
    ),
    on_file("changes_the_times_of_a_file", "import os\nos.utime(PATH, (0, 0))"),
    on_file("adds_an_attribute_to_a_file", 'import os\nos.setxattr(PATH, "user.attack", b"here")'),
    Attack(
        "deletes_a_folder",
        "import shutil\nshutil.rmtree(PATH)",
        prepare=victim_folder,
        succeeded=file_of_folder_gone,
    ),
    Attack(
        "moves_a_folder",
        'import os\nos.rename(PATH, PATH + ".away")',
        prepare=victim_folder,
        succeeded=file_of_folder_gone,
    ),
)

NEW_FILES = (
    new_file("creates_a_file", 'open(FOLDER + "/late", "w").write(TOKEN)'),
    new_file("creates_a_folder", 'import os\nos.mkdir(FOLDER + "/late")'),
    new_file("creates_a_symlink", 'import os\nos.symlink("/etc", FOLDER + "/late")'),
    new_file("creates_a_fifo", 'import os\nos.mkfifo(FOLDER + "/late")'),
    new_file(
        "creates_a_device",
        'import os, stat\nos.mknod(FOLDER + "/late", stat.S_IFCHR | 0o666, os.makedev(1, 3))',
        needs=(needs.root,),
    ),
    new_file(
        "creates_a_socket",
        """
import socket
socket.socket(socket.AF_UNIX).bind(FOLDER + "/late")
""",
    ),
    new_file(
        "names_an_unnamed_file",
        # An O_TMPFILE of its own folder gets its name elsewhere.
        kernel(
            """
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
own = os.open(".", os.O_TMPFILE | os.O_RDWR)
old, new = f"/proc/self/fd/{own}", FOLDER + "/late"
LIBC.linkat(AT_FDCWD, old.encode(), AT_FDCWD, new.encode(), AT_SYMLINK_FOLLOW)
"""
        ),
    ),
    new_file(
        "creates_a_file_through_the_32_bit_interface",
        # A filter that only knows the numbers of 64 bits takes creat (8) for another call.
        kernel(
            r"""
import mmap
page = ctypes.CDLL(None)
page.mmap.restype = ctypes.c_void_p
page.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
MAP_32BIT = 0x40
low = page.mmap(None, 8192, 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT, -1, 0)
# push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx; int 0x80; pop rbx; ret
code = bytes.fromhex("53 89f8 89f3 89d1 cd80 5b c3")
ctypes.memmove(low, code, len(code))
ctypes.memmove(low + 4096, FOLDER.encode() + b"/late\0", len(FOLDER) + 6)
ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(low)(8, low + 4096, 0o600)
"""
        ),
        needs=(needs.x86_64,),
    ),
)

IN_LIBRARY = (
    Attack(
        "adds_a_module_to_the_library",
        WRITES,
        prepare=in_library("{}.py"),
        succeeded=was_planted,
        needs=(needs.writable_library,),
    ),
    Attack(
        "adds_bytecode_to_the_library",
        WRITES,
        prepare=in_library("__pycache__", "{}.pyc"),
        succeeded=was_planted,
        needs=(needs.writable_library,),
    ),
    Attack(
        "adds_a_package_to_the_installed_ones",
        WRITES,
        prepare=in_library("{}.py", site=True),
        succeeded=was_planted,
        needs=(needs.writable_library,),
    ),
    Attack(
        "adds_code_that_every_python_runs_at_its_start",
        WRITES,
        prepare=in_library("{}.pth", site=True),
        succeeded=was_planted,
        needs=(needs.writable_library,),
    ),
    Attack(
        "adds_code_that_the_user_runs_at_every_start",
        """
import os
os.makedirs(os.path.dirname(PATH), exist_ok=True)
"""
        + WRITES,
        prepare=customization,
        succeeded=was_planted,
    ),
    *(
        Attack(
            f"writes_into{folder.replace('/', '_')}",
            WRITES,
            prepare=in_folder(folder),
            succeeded=was_planted,
        )
        for folder in ("/tmp", "/var/tmp", "/dev/shm")
    ),
)

ATTACKS = (*ON_FILES, *NEW_FILES, *IN_LIBRARY)

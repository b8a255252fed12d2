"""Worlds: what of the machine a server's children see; a fresh folder for each run.

Runs in the fork server, before anything of others.
"""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from landlockpy import AccessFS, Ruleset, Scope, abi_version

from transforms.sandbox import kernel
from transforms.sandbox.family import Family
from transforms.sandbox.folders import TooDeepError, count_files, empty_folder
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.settings import (
    DEVICES,
    PACKAGE_FOLDERS,
    Settings,
    packages_in,
    readable_paths,
)
from transforms.sandbox.watches import FolderWatch

_OWN_SIGNALS_ABI = 6

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_LIBRARY = _READ | AccessFS.EXECUTE
_OWN = (
    _READ
    | (AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.REFER)
    | (AccessFS.REMOVE_DIR | AccessFS.REMOVE_FILE)
    | (AccessFS.MAKE_DIR | AccessFS.MAKE_REG | AccessFS.MAKE_SYM)
    | AccessFS.MAKE_FIFO
)
_INSIDE_USER = 1000
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_LIBRARY_LINKS = ("/lib", "/lib32", "/lib64", "/libx32")


class World(ABC):
    """Where runs take place, one after another."""

    has_all_users = True
    """Whether users of the machine are users here, too."""

    rules: int | None = None
    """The descriptor of Landlock's rules, where there are any."""

    _family: Family

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watch = FolderWatch()
        self._is_fresh = False

    def begin(self) -> None:
        """A fresh folder for a run, in which this process then is, and its next children."""
        if not self._is_fresh:
            self._make_folder()
            os.chdir(self._folder)
            self._watch.start(self._folder)

    def breach(self, limits: Limits) -> str | None:
        """Which limit the processes of the run and their files have broken together."""
        usage = self._family.usage()
        if usage.memory_bytes > limits.memory_bytes:
            return "memory"
        # To look into a folder is to touch it.
        if self._watch.is_untouched():
            return None
        return self._breach_of_files(limits, usage.written_bytes)

    def last_breach(self, limits: Limits) -> str | None:
        """The same, of a run that has ended and is not yet forgotten."""
        return None if self._watch.is_untouched() else self.breach(limits)

    @abstractmethod
    def kill_all(self) -> None:
        """Sends SIGKILL to all processes of the run that this process is the parent of by now."""

    def end(self, limits: Limits) -> str | None:
        """Leaves nothing of a run, whose processes are gone; the limit that its files broke."""
        self._is_fresh = self._watch.is_untouched()
        if self._is_fresh:
            return None
        breach = self._breach_of_files(limits, 0)
        os.chdir("/")
        self._remove_folder()
        return breach

    @abstractmethod
    def _make_folder(self) -> None: ...

    @abstractmethod
    def _breach_of_files(self, limits: Limits, written_bytes: int) -> str | None: ...

    @abstractmethod
    def _remove_folder(self) -> None: ...


def keeps_signals() -> bool:
    """Whether Landlock keeps signals inside of a run, where it is there at all."""
    try:
        return bool(abi_version() >= _OWN_SIGNALS_ABI)
    except OSError:
        return False


def enter_world(settings: Settings) -> World:
    """Builds the world of a tier.

    Raises:
      OSError: the machine does not offer what it is made of.
    """
    if settings.tier is Tier.NAMESPACES:
        return _OwnRoot(settings)
    return _SharedRoot(settings)


class _OwnRoot(World):
    """Namespaces around a root of tmpfs that shows the standard library, read-only."""

    has_all_users = False

    def __init__(self, settings: Settings) -> None:
        super().__init__(Path("/work"))
        tables = open_tables()
        limits = settings.limits
        self._options = f"size={limits.folder_bytes},nr_inodes={limits.files + 1},mode=0777"
        if os.geteuid() == 0:
            # What only root can read is mounted before a user comes to whom nothing belongs.
            outsider = Outsider(settings.user, os.getpid())
            kernel.unshare(kernel.NEW_MOUNTS)
            _build_root(settings, self._folder)
            kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
            outsider.map_user()
        else:
            users = (os.geteuid(), os.getegid())
            kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
            map_user_alone(*users)
            _build_root(settings, self._folder)
        kernel.unshare(kernel.NEW_IPC | kernel.NEW_NETWORK | kernel.NEW_HOST_NAME)
        self._family = Family(tables, go_on_as_first_process())
        _settle(self._folder, settings.environment)

    def _make_folder(self) -> None:
        kernel.mount_memory(self._folder, self._options)

    def _breach_of_files(self, limits: Limits, written_bytes: int) -> str | None:
        left = os.statvfs(self._folder)
        return "files" if left.f_ffree == 0 or left.f_bavail == 0 else None

    def kill_all(self) -> None:
        # As the first process of a namespace it cannot be killed by others there, nor itself.
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)

    def _remove_folder(self) -> None:
        kernel.unmount(self._folder)


def _build_root(settings: Settings, folder: Path) -> None:
    kernel.keep_mounts_private()
    root = Path(settings.folder)
    kernel.mount_memory(root, "size=1m,mode=0755")
    readable = readable_paths()
    for path in (*readable, *map(Path, DEVICES)):
        show(path, root)
    for hidden in {each for path in readable for each in packages_in(path)}:
        kernel.mount_memory(below(root, hidden), "size=4k,mode=0755")
    for link in (path for path in map(Path, _LIBRARY_LINKS) if path.is_symlink()):
        below(root, link).symlink_to(link.readlink())
    below(root, folder).mkdir()
    for name in ("tmp", "dev/shm"):
        (root / name).symlink_to(folder)
    kernel.change_root(root, settings.pivot_root)
    kernel.protect_mount(Path("/"), kernel.READ_ONLY | kernel.NO_SETUID)


def show(path: Path, root: Path) -> None:
    """Binds a path of the machine at the same place below the root."""
    target = below(root, path)
    if any(target.is_relative_to(mount) for mount in _mounts_below(root)):
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.bind(path, target)


def below(root: Path, path: Path) -> Path:
    """Where a path of the machine is below a root."""
    return root / path.relative_to("/")


def _mounts_below(root: Path) -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    places = (Path(line.split()[4].encode().decode("unicode_escape")) for line in lines)
    return [place for place in places if place != root and place.is_relative_to(root)]


def map_user_alone(user: int, group: int) -> None:
    """Maps a user into the namespace of this process, as it may its own."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_INSIDE_USER} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_INSIDE_USER} {group} 1")


class Outsider:
    """A process that stays in the namespaces of the machine, and maps a user from there.

    Only who stays outside may map a user that is not its own. ``process`` is the number that
    whom it maps a user for has in the machine's tables.
    """

    def __init__(self, user: int, process: int) -> None:
        entered = os.pipe()
        self._pid, self._go_on = os.fork(), entered[1]
        if self._pid == 0:
            status = 1
            try:
                os.close(entered[1])
                os.read(entered[0], 1)
                for kind in ("uid_map", "gid_map"):
                    Path(f"/proc/{process}/{kind}").write_text(f"{_INSIDE_USER} {user} 1")
                status = 0
            finally:
                os._exit(status)
        os.close(entered[0])

    def map_user(self) -> None:
        """Has the user mapped, and becomes it."""
        os.close(self._go_on)
        if os.waitpid(self._pid, 0)[1]:
            raise PermissionError("no user can be mapped into a user namespace")
        os.setresgid(_INSIDE_USER, _INSIDE_USER, _INSIDE_USER)
        os.setresuid(_INSIDE_USER, _INSIDE_USER, _INSIDE_USER)


def open_tables() -> int:
    """The machine's tables of processes, which no child can reach by name."""
    return os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def go_on_as_first_process() -> int:
    """Goes on in a child that is the first process of a namespace, and ends with it.

    Returns:
      the number of the child in the namespace around.
    """
    heard, said = os.pipe()
    kernel.unshare(kernel.NEW_PROCESSES)
    child = os.fork()
    if child:
        os.write(said, str(child).encode())
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.die_with_parent().make()
    number = int(os.read(heard, 20))
    os.close(heard)
    os.close(said)
    return number


class _SharedRoot(World):
    """The machine as it is, of which Landlock opens the standard library and one folder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(Path(settings.folder) / "work")
        self._folder.mkdir(mode=0o700)
        self._family = Family(open_tables(), os.getpid())
        _settle(self._folder, settings.environment)
        kernel.adopt_orphans()
        if settings.tier is Tier.LANDLOCK:
            self._rules = self._write_rules()
            self.rules = self._rules.fileno()

    def _write_rules(self) -> Ruleset:
        if abi_version() < 1:
            raise OSError("no Landlock")
        rules = Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET)
        for path in readable_paths():
            _allow_reading(rules, path)
        for device in DEVICES:
            rules.allow_path(device, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        # Not its parent: what a program put there would outlive it, as would another folder in
        # this one's place.
        rules.allow_path(self._folder, _OWN)
        return rules

    def _make_folder(self) -> None:
        """It stays, and was emptied."""

    def _breach_of_files(self, limits: Limits, written_bytes: int) -> str | None:
        # Files without a name are nowhere to be counted but here.
        if written_bytes > limits.folder_bytes + 2 * limits.output_bytes:
            return "files"
        try:
            count, size = count_files(str(self._folder), limits.files)
        except TooDeepError:
            return "files"
        return "files" if count > limits.files or size > limits.folder_bytes else None

    def kill_all(self) -> None:
        for child in self._family.children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def _remove_folder(self) -> None:
        empty_folder(str(self._folder))


def _settle(folder: Path, environment: Mapping[str, str]) -> None:
    """Programs find no environment but this."""
    os.environ.clear()
    places = {"HOME": str(folder), "TMPDIR": str(folder)}
    os.environ.update({**_ENVIRONMENT, **places, **environment})


def _allow_reading(rules: Ruleset, path: Path) -> None:
    """Lets a file or folder be read, but for the packages in it, whose names alone show."""
    if not packages_in(path):
        rules.allow_path(path, _LIBRARY if path.is_dir() else AccessFS.READ_FILE)
        return
    rules.allow_path(path, AccessFS.READ_DIR)
    for child in path.iterdir():
        # A file that somebody just wrote there may be gone again.
        with suppress(FileNotFoundError):
            if child.name not in PACKAGE_FOLDERS:
                _allow_reading(rules, child)

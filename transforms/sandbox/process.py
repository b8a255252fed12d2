"""Processes of the sandbox: a server or a tester, started with nothing of this one's."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import landlockpy

from transforms.sandbox.cgroups import Cgroup
from transforms.sandbox.folders import empty_folder
from transforms.sandbox.frames import split_frames
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.seccomp import build_filter, system_call
from transforms.sandbox.settings import Settings
from transforms.sandbox.worlds import keeps_signals

ROOT = Path(__file__).parents[2]
PATHS = f"{ROOT}\n{Path(landlockpy.__file__).parents[1]}"
"""Where a process of the sandbox finds what is not in the standard library: no site does."""

START_CODE = (
    "import site, sys; paths = sys.argv[1].splitlines(); sys.path += paths; "
    "site.setquit(), site.setcopyright(), site.sethelper(); "
    "from transforms.sandbox.hooks import keep_hooks; keep_hooks(); "
    "from transforms.sandbox.{role} import main; del sys.path[-len(paths):]; main(sys.argv[2:])"
)
OWN_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    # Calls of libraries are bound when they are loaded, and not by each child anew.
    "LD_BIND_NOW": "1",
    # Each further arena is 64 MB of address space, for threads that hardly use it.
    "MALLOC_ARENA_MAX": "1",
}

START_SECONDS = 60.0
_END_SECONDS = 5.0
_MOST_MESSAGE_BYTES = 1 << 16
_NO_ONE = 1 << 30
_NO_ONE_IN_CONTAINERS = 60_000
_USERS = 4096
_numbers = itertools.count()


class SandboxError(RuntimeError):
    """The sandbox cannot be had; says why."""


@dataclass(frozen=True)
class Surroundings:
    """What programs see, and should not depend on; the same in every run of a sandbox."""

    hash_seed: int = 0
    """Of the hashes of text, thus of the order of sets."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those that every program finds, such as ``TZ`` and ``LC_ALL``."""


class SandboxProcess:
    """A process with a socket to it, ``control``.

    Args:
      role: the module whose `main` it runs.
      tier: what it and its children are kept in by.
      limits: of its children.
      preload: modules to import first.
      surroundings: what programs may not depend on.

    Raises:
      SandboxError: this machine does not offer the tier.
    """

    def __init__(
        self,
        role: str,
        tier: Tier,
        limits: Limits,
        preload: tuple[str, ...] = (),
        surroundings: Surroundings | None = None,
    ) -> None:
        surroundings = surroundings or Surroundings()
        self._kills = 0
        self._folder = tempfile.mkdtemp(prefix="repomill-sandbox-")
        own_files = tier is Tier.NAMESPACES
        settings = Settings(
            tier=tier,
            limits=limits,
            preload=preload,
            calls=build_filter(
                own_files=own_files, own_signals=own_files or keeps_signals(), forks=limits.forks
            ).hex(),
            pivot_root=system_call("pivot_root"),
            folder=self._folder,
            user=choose_user(),
            environment=dict(surroundings.environment),
        )
        self.control, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as log:
            command = [sys.executable, "-S", "-P", "-c", START_CODE.format(role=role), PATHS]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), settings.to_json()],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={
                    **OWN_ENVIRONMENT,
                    **surroundings.environment,
                    "PYTHONHASHSEED": str(surroundings.hash_seed),
                },
                cwd=self._folder,
                # Ctrl-C is for the command, which may still want to end what it began.
                start_new_session=True,
            )
            theirs.close()
            self._group = Cgroup.make(Path(self._folder).name, limits)
            if self._group is not None:
                with suppress(OSError):
                    self._group.take(self._process.pid)
            answer = self._first_message()
            if "ready" not in answer:
                self.stop()
                log.seek(0)
                lines = log.read().decode(errors="replace").strip().splitlines()
                raise SandboxError(answer.get("refused") or (lines or ["it ended at once"])[-1])
        if own_files or role == "tester":
            # Nothing of it is used from here on, and nobody removes it if this process is killed.
            self._remove_folder()

    def _first_message(self) -> dict[str, str]:
        self.control.settimeout(START_SECONDS)
        found: dict[str, str]
        try:
            found = next(split_frames(self.control.recv(_MOST_MESSAGE_BYTES)), {})
        except TimeoutError:
            found = {"refused": f"it has not started after {START_SECONDS:g} s"}
        self.control.settimeout(None)
        return found

    def used_up_memory(self) -> bool:
        """Whether the kernel has killed for want of memory since this was last asked."""
        kills = self._group.count_kills() if self._group is not None else 0
        self._kills, before = kills, self._kills
        return kills > before

    def stop(self) -> None:
        """Ends it with all its children."""
        self.control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._group is not None:
            self._group.remove()
        self._remove_folder()

    def _remove_folder(self) -> None:
        with suppress(OSError):
            empty_folder(self._folder)
            Path(self._folder).rmdir()


def choose_user() -> int:
    """A user number of this machine, or of the container, that is nobody's."""
    first = Path("/proc/self/uid_map").read_text().split()
    everybody = first[:2] == ["0", "0"] and int(first[2]) > _NO_ONE * 2
    return (_NO_ONE if everybody else _NO_ONE_IN_CONTAINERS) + (
        os.getpid() + next(_numbers)
    ) % _USERS

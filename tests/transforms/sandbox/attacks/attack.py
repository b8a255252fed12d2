"""What an attack is, what it is aimed at, and what can be seen of it from outside."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LIMITS = {
    "cpu_seconds": 1.0,
    "wall_seconds": 3.0,
    "memory_bytes": 300 << 20,
    "output_bytes": 1 << 20,
    "processes": 32,
    "forks": True,
    "open_files": 64,
    "file_bytes": 16 << 20,
    "folder_bytes": 64 << 20,
    "files": 1024,
}
"""What programs may use in the sandbox. Floods go to twice that and more, and then stop."""


class Scene:
    """The target of one attempt, outside the sandbox, and what was seen happening to it."""

    def __init__(self) -> None:
        self.secret = f"repomill-secret-{secrets.token_hex(16)}"
        """What only the harness and the target know."""
        self.token = f"token-{secrets.token_hex(8)}"
        """What the program knows, so that one sees what it sent or wrote."""
        # Not pytest's folder: the path of a Unix socket has to be short.
        self.folder = Path(tempfile.mkdtemp(prefix="attack-"))
        self.workplace = Path(tempfile.mkdtemp(prefix="attack-work-"))
        """Where the harness works and has its temporary files."""
        self.received: list[bytes] = []
        self.inherited: list[int] = []
        """Descriptors which the harness, and a program run bare, have from outside."""
        self.arguments: list[str] = []
        """More words on the command line of the harness."""
        self.terminal: int | None = None
        self.kept: dict[str, Any] = {}
        self.exits = ExitStack()
        for folder in (self.folder, self.workplace):
            self.exits.callback(shutil.rmtree, folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.exits.close()


@dataclass(frozen=True)
class Run:
    """What was seen of a program and its harness."""

    ending: str = ""
    """What the harness believes: `returned`, `error`, or another word."""
    output: bytes = b""
    later: bytes = b""
    """Output of the program after it."""
    seconds: float = 0.0
    """As the harness measured it."""
    overran: bool = False
    """Whether it still ran when the patience of the harness was over."""
    survived: bool = False
    """Whether it still ran after the harness had ended it."""
    harness_died: bool = False
    intact: bool = True
    """Whether the memory of the harness is as it was."""
    neighbor_died: bool = False
    peak: int = 0
    """The most that was watched at one time."""


@dataclass(frozen=True)
class Harness:
    """Habits of the harness which an attack is aimed at."""

    in_process: bool = False
    """Bare: runs programs one after the other in itself instead of in a child each."""
    patience: float = 10.0
    """Bare: seconds until it ends a program, by SIGTERM."""
    soft_limits: Mapping[str, int] = field(default_factory=dict)
    """Bare: limits of a program by their names in `resource`, without hard ones."""
    drops: str = ""
    """Bare: rights which it gives up for a program and could take back: `user` or
    `capabilities`."""
    private_pids: bool = False
    """Bare and sandboxed: is process 1 of a PID namespace, so that the machine's other
    processes are out of reach."""


Prepare = Callable[[Scene], Mapping[str, object]]
Judge = Callable[[Scene, Run], bool]
Need = Callable[[], str | None]
"""Says why something cannot be tried on this machine, or nothing."""


def nothing(scene: Scene) -> Mapping[str, object]:
    """There is no target to be made."""
    return {}


@dataclass(frozen=True, eq=False)
class Attack:
    """A program, its target, and how one sees from outside that it succeeded."""

    name: str
    program: str
    """Source; finds TOKEN, FOLDER, HARNESS (a process id) and what `prepare` returns as
    variables."""
    succeeded: Judge
    """Looks at the effect while the harness still lives."""
    prepare: Prepare = nothing
    """Makes the target."""
    later: str | None = None
    """A second program in the same harness, which might meet what the first left."""
    watch: Callable[[int], int] | None = None
    """Measures the processes below one, many times during the run."""
    needs: tuple[Need, ...] = ()
    harness: Harness = Harness()
    limits: Mapping[str, object] = field(default_factory=dict)
    """What of `LIMITS` is other for this one."""

    @property
    def asks_kernel(self) -> bool:
        """Whether success is an answer of the kernel, which may refuse without a sandbox too."""
        return self.succeeded in (kernel_answered, call_was_done)

    def source(self, text: str, values: Mapping[str, object]) -> str:
        """A program with its variables."""
        assignments = (f"{name} = {value!r}\n" for name, value in values.items())
        return "".join(assignments) + text


def eventually(seen: Callable[[], bool], seconds: float = 0.5) -> bool:
    """Whether something is seen soon."""
    end = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def secret_in_output(scene: Scene, run: Run) -> bool:
    return scene.secret.encode() in run.output


def token_in_later(scene: Scene, run: Run) -> bool:
    return scene.token.encode() in run.later


def arrived(scene: Scene, run: Run) -> bool:
    """Whether the token came to one who listens outside."""
    return eventually(lambda: scene.token.encode() in b"".join(scene.received))


REFUSALS = {1, 13, 38}
"""EPERM, EACCES, ENOSYS."""


def answer(scene: Scene, run: Run) -> int | None:
    """The error number that a program of `syscalls` reported, 0 for success."""
    _, found, rest = run.output.partition(scene.token.encode() + b":")
    return int(rest.split(b";")[0]) if found else None


def kernel_answered(scene: Scene, run: Run) -> bool:
    """Whether a call got so far that the kernel did it or found fault with its arguments."""
    number = answer(scene, run)
    return number is not None and number not in REFUSALS


def call_was_done(scene: Scene, run: Run) -> bool:
    """Whether a call succeeded."""
    return answer(scene, run) == 0


def harness_died(scene: Scene, run: Run) -> bool:
    return run.harness_died


def overran(scene: Scene, run: Run) -> bool:
    return run.overran


def survived(scene: Scene, run: Run) -> bool:
    return run.survived


def exceeded(limit: float) -> Judge:
    """Whether more was watched than one and a half times a limit, as watching is coarse."""
    return lambda scene, run: run.peak > 1.5 * limit

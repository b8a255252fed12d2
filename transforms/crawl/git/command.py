"""git as a child process: cut off from the user's settings, and bounded in what it takes.

git reads configuration, hooks, templates, credentials and replacement objects from
many places. Here it gets none of them, never asks a question, and ends, with all that
it started, when its time, its memory or its disk space is over.
"""

from __future__ import annotations

import errno
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from schemas.failures import Reason
from transforms.crawl.source import CrawlError

TRANSPORTS = frozenset({"file", "git", "http", "https", "ssh"})

_KEPT_VARIABLES = (
    *("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"),
)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    # What a crash leaves behind is fetched again.
    "core.fsync=none",
    "core.alternateRefsCommand=true",
    # Above this size, blobs are streamed and not held in memory.
    "core.bigFileThreshold=16m",
    "credential.helper=",
    "fetch.unpackLimit=1",
    "gc.auto=0",
    # Where a redirect leads is ours to judge, see redirects.py.
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "maintenance.auto=false",
    # Several repositories are fetched at once; more threads would only hold more memory.
    "pack.threads=1",
    "protocol.version=2",
)
MEMORY_BYTES = 1 << 30
"""What one git process may hold, which a pack of a few kB can claim to need.

Shallow fetches of the largest public repositories take a few hundred MB.
"""
PIPE_BYTES = 4096
"""What every pipe takes at once, without a wait for the reader."""
_WATCH_SECONDS = 0.1
_BUFFER_BYTES = 1 << 16
_STDERR_BYTES = 1 << 14
# A disk with less than this is full for git, whatever it says: a server may say anything.
_FULL_DISK_BYTES = 1 << 20
# Something that outlives git can hold its pipes open; it is not waited for.
_JOIN_SECONDS = 5.0


class GitError(Exception):
    """git ended with an error; ``stderr`` is the end of what it said."""

    def __init__(self, stderr: str) -> None:
        super().__init__(stderr)
        self.stderr = stderr


@dataclass(frozen=True)
class Bounds:
    """What one command may take. ``disk_bytes`` counts the whole repository's folder."""

    seconds: float
    disk_bytes: int | None = None


def environment() -> dict[str, str]:
    """The variables that git gets: none of the user's that would change what it does."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "GIT_ALLOW_PROTOCOL": ":".join(sorted(TRANSPORTS)),
        "GIT_ASKPASS": "true",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ControlMaster=no -o ControlPath=none",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "SSH_ASKPASS": "true",
    }


@functools.cache
def _leash() -> tuple[str, ...]:
    """A command before git that ends it with us, however we end; none where there is none."""
    if sys.platform == "linux" and shutil.which("setpriv") is not None:
        return ("setpriv", "--pdeathsig", "KILL")
    return ()


def missing_git() -> str | None:
    """What to do about it where there is no git; None where there is."""
    if shutil.which("git") is not None:
        return None
    return "git is not on the PATH; install it, or take the sources of kind git out"


def run_git(
    repository: Path,
    arguments: Sequence[str],
    bounds: Bounds,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Runs a command to its end; raises `GitError`, or `CrawlError` where it takes too much.

    Where the disk is full, that is an OSError: it says nothing of the repository.
    """
    with _git(repository, arguments, bounds, _leash(), variables) as dialogue:
        dialogue.end()
        while dialogue.answers.read(1 << 16):
            pass


@contextmanager
def ask_git(repository: Path, arguments: Sequence[str], bounds: Bounds) -> Iterator[Dialogue]:
    """A command that answers what it is asked, and ends when its pipes do; leaving early ends it.

    Raises `GitError` where git fails, `CrawlError` where it takes more than it may. A
    reader that misses something raises EOFError.
    """
    # It has nothing to do without us, so it needs no leash: that is a third of its cost.
    with _git(repository, arguments, bounds, (), {}) as dialogue:
        yield dialogue


class Dialogue:
    """The two ends of a process that answers questions. Ask at most `PIPE_BYTES` at once."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._questions = questions
        self.answers = answers

    def ask(self, lines: bytes) -> None:
        """Sends whole lines, at once; raises EOFError where nobody listens."""
        try:
            os.write(self._questions.fileno(), lines)
        except BrokenPipeError as error:
            raise EOFError("git ended before it was asked") from error

    def end(self) -> None:
        """Says that there is no more to ask."""
        self._questions.close()


@contextmanager
def _git(
    repository: Path,
    arguments: Sequence[str],
    bounds: Bounds,
    leash: Sequence[str],
    variables: Mapping[str, str],
) -> Iterator[Dialogue]:
    # git runs in another folder than we do.
    repository = repository.absolute()
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    process = subprocess.Popen(
        [*leash, "git", "--git-dir", str(repository), *settings, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=_BUFFER_BYTES,
        env={**environment(), **variables},
        cwd=repository.parent,
        start_new_session=True,
    )
    with process, _Helpers(process, repository, bounds) as helpers:
        _limit_memory(process.pid)
        if process.stdin is None or process.stdout is None:
            raise ValueError("input and output are always pipes")
        dialogue = Dialogue(process.stdin, process.stdout)
        try:
            yield dialogue
        except EOFError:
            # Output that ends too early is a symptom: git's own word goes first.
            dialogue.end()
            helpers.check()
            raise
        dialogue.end()
        helpers.check()


def _limit_memory(process: int) -> None:
    """Takes effect before git gets anything from outside; it counts what git holds, not files."""
    if sys.platform != "linux":
        return
    try:
        _, hard = resource.prlimit(process, resource.RLIMIT_DATA)
        most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
        resource.prlimit(process, resource.RLIMIT_DATA, (most, most))
    except ProcessLookupError:
        return  # it ended already


class _Helpers:
    """The threads beside a process: they read its errors and watch it."""

    def __init__(self, process: subprocess.Popen[bytes], repository: Path, bounds: Bounds) -> None:
        self._process = process
        self._repository = repository
        self._bounds = bounds
        self._stderr = b""
        self._exceeded: CrawlError | None = None
        self._done = threading.Event()
        jobs = (self._read_errors, self._watch)
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]

    def __enter__(self) -> _Helpers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def check(self) -> None:
        """Waits for the end; raises unless it is a good one."""
        status = self._process.wait()
        self._threads[0].join(_JOIN_SECONDS)
        if self._exceeded is not None:
            raise self._exceeded
        if status != 0:
            if shutil.disk_usage(self._repository.parent).free < _FULL_DISK_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            # Where the scratch folder is says nothing of the repository, and differs by run.
            text = self._stderr.decode("utf-8", "replace")
            raise GitError(text.replace(str(self._repository), "the repository"))

    def _read_errors(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (chunk := stderr.read1(_STDERR_BYTES)):  # type: ignore[attr-defined]
            self._stderr = (self._stderr + chunk)[-_STDERR_BYTES:]

    def _watch(self) -> None:
        ends = time.monotonic() + self._bounds.seconds
        while not self._done.wait(_WATCH_SECONDS) and self._process.poll() is None:
            if time.monotonic() > ends:
                detail = f"git took more than {self._bounds.seconds:.0f} seconds"
                self._exceeded = CrawlError(Reason.TIMED_OUT, detail)
            elif self._bounds.disk_bytes is not None:
                self._watch_disk(self._bounds.disk_bytes)
            if self._exceeded is not None:
                self._kill()
                return

    def _watch_disk(self, max_bytes: int) -> None:
        if _folder_bytes(self._repository) > max_bytes:
            detail = f"more than {max_bytes:,} bytes are sent"
            self._exceeded = CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)

    def _kill(self) -> None:
        """Ends the whole group, while the number of its leader cannot be another's yet."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                continue  # temporary files come and go
    return total

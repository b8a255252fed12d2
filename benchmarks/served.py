"""Repositories and servers on this machine for the benchmarks of git."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SMALL = 2_000
SMALL_FILES = 12
SMALL_FILE_BYTES = 4_000


def import_small_repositories(folder: Path, texts: Sequence[bytes]) -> None:
    """Repositories 0 to `SMALL` - 1, of a few files each."""
    for number in range(SMALL):
        first = number * SMALL_FILES
        chosen = [texts[(first + n) % len(texts)] for n in range(SMALL_FILES)]
        import_repository(folder / f"{number}", [text[:SMALL_FILE_BYTES] for text in chosen])


def import_repository(repository: Path, texts: list[bytes]) -> None:
    """A packed bare repository of one commit."""
    (repository / "objects").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    settings = "[core]\n\tbare = true\n[uploadpack]\n\tallowFilter = true\n"
    (repository / "config").write_text(settings + "[fastimport]\n\tunpackLimit = 0\n")
    stream = [b"commit refs/heads/main\ncommitter b <b@example.org> 1700000000 +0000\ndata 1\nm\n"]
    for number, text in enumerate(texts):
        head = f"M 100644 inline package_{number % 40}/module_{number}.py\ndata {len(text)}\n"
        stream += [head.encode(), text, b"\n"]
    command = ["git", "--git-dir", repository, "fast-import", "--quiet"]
    subprocess.run(command, input=b"".join(stream), check=True)


@contextlib.contextmanager
def git_daemon(root: Path) -> Iterator[str]:
    """Serves repositories over git://; the value is the address."""
    port = _free_port()
    command = ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    command += [f"--base-path={root}", "--export-all", str(root)]
    with _running(command, port):
        yield f"git://127.0.0.1:{port}"


@contextlib.contextmanager
def smart_http(root: Path) -> Iterator[str]:
    """Serves repositories over smart HTTP; the value is the address."""
    port = _free_port()
    with _running([sys.executable, "-m", "benchmarks.http_backend", str(root), str(port)], port):
        yield f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()

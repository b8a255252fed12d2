"""Targets that attacks of several families share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.transforms.sandbox.attacks.attack import Run, Scene, eventually

CONTENT = b"as it was"

REGIONS = """
def regions(pid):
    for line in open(f"/proc/{pid}/maps"):
        place, rights = line.split()[:2]
        start, end = (int(each, 16) for each in place.split("-"))
        if rights.startswith("rw") and end - start < 1 << 28:
            yield start, end - start
"""
"""The start of programs that go through the memory of a process."""


def secret_file(scene: Scene) -> Mapping[str, object]:
    """A file at PATH that only its owner may read."""
    path = scene.folder / "secret.txt"
    path.write_text(scene.secret)
    path.chmod(0o600)
    return {"PATH": str(path)}


def open_secret_file(scene: Scene) -> Mapping[str, object]:
    """A file with the secret, open in the harness at a number that the program is not told."""
    descriptor = os.open(str(secret_file(scene)["PATH"]), os.O_RDONLY)
    scene.inherited.append(descriptor)
    scene.exits.callback(os.close, descriptor)
    return {}


def victim_file(scene: Scene) -> Mapping[str, object]:
    """A file at PATH that has to stay as it is."""
    path = scene.folder / "victim.txt"
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    scene.kept["victim"] = path
    scene.kept["state"] = _state(path)
    return {"PATH": str(path)}


def _state(path: Path) -> tuple[object, ...]:
    about = path.stat()
    # No time of access, which reading changes, nor of change, which links from outside do.
    return (
        path.read_bytes(),
        about.st_mode,
        about.st_uid,
        about.st_nlink,
        about.st_mtime_ns,
        os.listxattr(path),
    )


def file_changed(scene: Scene, run: Run) -> bool:
    path = scene.kept["victim"]
    return not path.exists() or _state(path) != scene.kept["state"]


def file_appeared(scene: Scene, run: Run) -> bool:
    """Whether something stands at the path `late`, or comes there soon."""
    return eventually(lambda: os.path.lexists(scene.folder / "late"), 1.5)


def sleeping_process(scene: Scene) -> Mapping[str, object]:
    """A process with the id VICTIM that does nothing to anybody."""
    victim = subprocess.Popen(["sleep", "120"], start_new_session=True)
    scene.kept["process"] = victim
    scene.exits.callback(victim.wait)
    scene.exits.callback(victim.kill)
    return {"VICTIM": victim.pid}


def process_died(scene: Scene, run: Run) -> bool:
    return eventually(lambda: scene.kept["process"].poll() is not None, 0.3)


def remove_at_end(scene: Scene, path: Path) -> None:
    """Removes what an attack put outside the scene's folder."""

    def remove() -> None:
        with suppress(FileNotFoundError):
            path.unlink()

    scene.exits.callback(remove)

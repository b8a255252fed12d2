"""The folder of a scoring that is under way: one process has it, and goes on where one ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import UserError
from transforms.parts import Workspace

_IDENTITY = "identity"


@contextmanager
def opened_workspace(results: Path, identity: str) -> Iterator[Workspace]:
    """A folder beside the results, emptied where what it holds is of another identity.

    It is removed when the context ends well, and otherwise kept for the same command.

    Raises:
      UserError: the folder cannot be written, or another process works on these results.
    """
    # Workers may have another working directory.
    folder = results.absolute().with_name(f".{results.name}.work")
    workspace = Workspace(str(folder), str(folder))
    with _locked(results, folder):
        with _writing_to(folder.parent):
            _take_up(workspace, folder, identity.encode())
        yield workspace
        shutil.rmtree(folder)


@contextmanager
def _locked(results: Path, folder: Path) -> Iterator[None]:
    place = folder.with_suffix(".lock")
    lock = FileLock(place)
    try:
        with _writing_to(folder.parent):
            # The lock takes a place where nothing can be made for one that others have.
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"another process is at work on {results}. Wait for it, or name another file with "
            "--output"
        ) from error
    try:
        yield
    finally:
        # Whoever has opened it meanwhile finds that it has no name, and does not take it.
        place.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror or error}. Name a file in another folder "
            "with --output"
        ) from error


def _take_up(workspace: Workspace, folder: Path, identity: bytes) -> None:
    files = workspace.files
    if not files.exists(_IDENTITY) or files.read(_IDENTITY) != identity:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        files.write(_IDENTITY, identity)
    workspace.forget_unfinished()

"""Files of this machine that appear under their names when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class Output(Protocol):
    """A place for one file, which is written elsewhere and then put there whole."""

    @property
    def name(self) -> str:
        """The file's name without folders."""

    def temporary(self) -> Path:
        """A file of this machine to write, in a folder that exists; nobody else uses it."""

    def publish(self, temporary: Path, *, durable: bool = True) -> None:
        """Puts what was written in its place, and removes it where it was.

        Where it is ``durable``, it outlives a machine that loses its power now.
        """


@dataclass(frozen=True)
class LocalOutput:
    """A place for a file on a local disk."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.name

    def temporary(self) -> Path:
        """A file beside the place, so that a rename is enough."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return temporary_beside(self.path)

    def publish(self, temporary: Path, *, durable: bool = True) -> None:
        """Renames what was written."""
        if durable:
            sync_file(temporary)
        temporary.replace(self.path)


def temporary_beside(path: Path) -> Path:
    """A name beside a file that no reader takes for it and no other writer uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


@contextmanager
def writing_to(output: Output, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, whose place holds either nothing, the old or the whole new content."""
    temporary = output.temporary()
    try:
        with temporary.open("wb") as file:
            yield file
        output.publish(temporary, durable=durable)
    finally:
        # Gone already where it got its name.
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_whole(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, whose name holds either nothing, the old or the whole new content."""
    with writing_to(LocalOutput(path), durable=durable) as file:
        yield file


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Writes a small file as `writing_whole` does."""
    with writing_whole(path, durable=durable) as file:
        file.write(data)


def sync_file(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Objects of a repository by their ids, from one ``git cat-file --batch``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transforms.crawl.git.command import PIPE_BYTES, Bounds, Dialogue, ask_git

# Two rounds fit in a pipe, so that nobody ever waits to write while the other does,
# and git always has something to do.
_ROUND_BYTES = PIPE_BYTES // 2
_HEADER_BYTES = 256
_DISCARDED_BYTES = 1 << 20


@dataclass(frozen=True)
class GitObject:
    """An object; ``content`` is None where it is longer than was asked for."""

    name: str
    kind: str
    size: int
    content: bytes | None


class ObjectReader:
    """Reads objects in the order in which they are asked for."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def read(self, names: Sequence[str], max_bytes: int) -> Iterator[GitObject | None]:
        """The object of each name, None where the repository has none; read them all.

        Contents of more than ``max_bytes`` are passed over. Raises EOFError where git
        stops in the middle, as it does at objects that it cannot read.
        """
        if not names:
            return
        count = _ROUND_BYTES // (max(map(len, names)) + 1)
        rounds = [names[first : first + count] for first in range(0, len(names), count)]
        self._ask(rounds[0])
        for number, asked in enumerate(rounds, start=1):
            if number < len(rounds):
                self._ask(rounds[number])
            for _ in asked:
                yield self._answer(max_bytes)

    def _ask(self, names: Sequence[str]) -> None:
        self._dialogue.ask("".join(f"{name}\n" for name in names).encode("ascii"))

    def _answer(self, max_bytes: int) -> GitObject | None:
        line = self._dialogue.answers.readline(_HEADER_BYTES)
        words = line.split()
        if words[1:] == [b"missing"]:
            return None
        if len(words) != 3 or not words[2].isdigit():
            raise EOFError("git says of an object: " + line.decode("utf-8", "replace").strip())
        name, kind, size = words[0].decode("ascii"), words[1].decode("ascii"), int(words[2])
        if size > max_bytes:
            self._discard(size + 1)
            return GitObject(name, kind, size, None)
        content = self._dialogue.answers.read(size + 1)
        if len(content) != size + 1:
            raise EOFError(f"git cannot read {kind} {name}")
        return GitObject(name, kind, size, content[:-1])

    def _discard(self, size: int) -> None:
        while size > 0:
            passed = len(self._dialogue.answers.read(min(size, _DISCARDED_BYTES)))
            if passed == 0:
                raise EOFError("git cannot read an object")
            size -= passed


@contextmanager
def object_reader(repository: Path, bounds: Bounds) -> Iterator[ObjectReader]:
    """A reader of a repository's objects; raises as `ask_git` does."""
    with ask_git(repository, ["cat-file", "--batch"], bounds) as dialogue:
        yield ObjectReader(dialogue)

"""Opt-outs: which repositories are left out because their owners asked for it.

A repository's name is a place and a path. The place is the first component where that is
a host (it has a dot or a colon, or is ``localhost``) or the kind of a source, as in
``github.com/owner/name`` and ``pypi/requests``; ``owner/name``, as datasets have it, has
no place. An entry is such a name or the beginning of one: it names every repository whose
path is its own or lies below it, at the same place. Two things go further:

- An entry without a place (``owner/name``, ``owner``) is looked for on every host, but
  not among the kinds: a user called ``requests`` is not the project ``pypi/requests``.
- A repository without a place may be on any host, so that entries of every host and
  entries without a place name it. One of a data set is taken for what the data set calls
  it: ``parquet/owner/name`` is named by all entries that name ``owner/name``.

Where a first component can be read as a kind or as an owner (``pypi/warehouse``), it is
read both ways. ``PLACE/*`` names all of a place. Case does not matter.

Entries are filed under keys and a repository is looked up under a few of its own, as
64-bit hashes: lists of millions take 8 to 16 bytes an entry, and one repository in
10^12 is left out by accident.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from packaging.utils import canonicalize_name

from transforms.parts import map_stream
from transforms.stores.store import local_path

Hashes = npt.NDArray[np.uint64]

_ANYWHERE = "*"
"""The place in the keys of entries that have none."""
_NOWHERE = "?"
"""The place in keys by which entries of a host name repositories that have no place."""

# What no host has in the names of owners and repositories: a line with one of these is
# something else, such as a row of a table, a sentence or the address of a page.
_FOREIGN = re.compile(r"""[\s,;"'`\\?#<>|@*()\[\]{}]""")
_GITHUB = "github.com"
_HERE = "localhost"
# Paths are looked up by so many of their beginnings, and as a whole.
_MAX_BEGINNINGS = 16


# Some data sets call repositories by their URLs.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/+")


@dataclass(frozen=True)
class Places:
    """The beginnings of repositories' names that are no hosts.

    ``kinds`` are those of sources; after one of ``data_sets``, such as ``parquet/stack``,
    comes what a data set calls the repository.
    """

    kinds: frozenset[str]
    data_sets: frozenset[str] = frozenset()


class EntryError(ValueError):
    """A text is no entry; the message says why and what one looks like."""


def entry_keys(entry: str, kinds: Set[str]) -> tuple[str, ...]:
    """The keys under which an entry is filed, given the kinds of sources there are.

    Raises:
      EntryError: the text names no repository, owner or place.
    """
    name = entry.removesuffix("/*")
    place, path = _split(name, kinds)
    if place is None and len(path) == 1 and path[0] in kinds and name != entry:
        place, path = path[0], []
    _check(entry, place, path, kinds, whole=name != entry)
    rest = "/".join(path)
    if place is None:
        return (f"{_ANYWHERE}/{rest}",)
    if place in kinds:
        as_owner = "/".join([_ANYWHERE, place, *path])
        project = canonicalize_name(rest) if place == "pypi" else rest
        return (f"{place}/{project}" if path else place, as_owner)
    if not path:
        return (place,)
    return (f"{place}/{rest}",) if place == _HERE else (f"{place}/{rest}", f"{_NOWHERE}/{rest}")


def repository_keys(repository: str, places: Places) -> Iterator[str]:
    """The keys of all entries that would name a repository."""
    yield from _keys_of_name(repository, places.kinds)
    for data_set in places.data_sets:
        rest = repository.removeprefix(f"{data_set}/")
        if rest != repository:
            yield from _keys_of_name(_SCHEME.sub("", rest, count=1), frozenset())


def _keys_of_name(name: str, kinds: Set[str]) -> Iterator[str]:
    place, path = _split(name, kinds)
    places = [place] if place else [_ANYWHERE, _NOWHERE]
    if place and place not in kinds and place != _HERE:
        places.append(_ANYWHERE)
    if place:
        yield place
    for length in {*range(1, min(len(path), _MAX_BEGINNINGS) + 1), len(path)} - {0}:
        beginning = "/".join(path[:length])
        yield from (f"{where}/{beginning}" for where in places)


def _split(name: str, kinds: Set[str]) -> tuple[str | None, list[str]]:
    """The place, None where there is none, and the components of the path."""
    name = name.casefold().strip("/").removesuffix(".git").rstrip("/")
    parts = name.split("/")
    if "" in parts:
        parts = [part for part in parts if part]
    first = parts[0] if parts else ""
    if "." in first or ":" in first or first == _HERE:
        return first.removeprefix("www."), parts[1:]
    return (first, parts[1:]) if first in kinds and len(parts) > 1 else (None, parts)


def _check(entry: str, place: str | None, path: list[str], kinds: Set[str], *, whole: bool) -> None:
    if not entry.isprintable():
        raise EntryError("it has characters that cannot be seen, such as a byte order mark")
    if place in {".", ".."} or not {".", "..", "*"}.isdisjoint(path):
        raise EntryError("it has a component that is no name; * stands at the end only")
    if place not in {*kinds, _HERE}:
        foreign = _FOREIGN.search(entry.removesuffix("/*"))
        if foreign:
            raise EntryError(
                f"no name has {foreign.group()!r}; an entry is owner/name, owner or "
                "HOST/owner/name, alone on its line"
            )
    if place is None and not path:
        raise EntryError("it names nothing; an entry is owner/name, owner or HOST/owner/name")
    if place is not None and not path and not whole:
        raise EntryError(f"it is a host; {place}/* leaves out all of it, {place}/owner an owner")
    if place == _GITHUB and len(path) > 2:
        raise EntryError(f"a repository there is {_GITHUB}/{path[0]}/{path[1]}, without a path")


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")


@dataclass(frozen=True)
class OptOuts:
    """Entries, ready to be looked up. ``hashes`` are of their keys, ascending."""

    hashes: Hashes
    places: Places

    @classmethod
    def of_keys(cls, keys: Iterable[str], places: Places) -> OptOuts:
        """Files entries by their keys, streamed."""
        hashes = np.fromiter(map(_hash, keys), np.uint64)
        # In place: repeats do no harm, and finding them would take several times the memory.
        hashes.sort()
        return cls(hashes, places)

    def matches(self, repositories: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of some repositories are left out: bool[repositories]."""
        left_out = np.zeros(len(repositories), np.bool_)
        if not self.hashes.size or not left_out.size:
            return left_out
        keys = [
            (row, _hash(key))
            for row, repository in enumerate(repositories)
            for key in repository_keys(repository, self.places)
        ]
        rows, hashes = (np.array(column, np.uint64) for column in zip(*keys, strict=True))
        places = np.minimum(np.searchsorted(self.hashes, hashes), self.hashes.size - 1)
        left_out[rows[self.hashes[places] == hashes].astype(np.int64)] = True
        return left_out

    def to_bytes(self) -> bytes:
        """What a file for `load` holds."""
        places = {name: json.dumps(sorted(found)) for name, found in vars(self.places).items()}
        table = pa.table({"hash": self.hashes}).replace_schema_metadata(places)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def load(cls, address: str) -> OptOuts:
        """Maps a file of `to_bytes`, so that workers of one machine share its memory.

        No address means that nothing is left out. Raises `DamagedFileError`.
        """
        if not address:
            return cls(np.zeros(0, np.uint64), Places(frozenset()))
        table = map_stream(local_path(address))
        said = table.schema.metadata
        places = Places(*(frozenset(json.loads(said[key])) for key in (b"kinds", b"data_sets")))
        return cls(table["hash"].combine_chunks().to_numpy(), places)

"""The keep policy: which document of several alike stays.

Documents are ranked by their repository and inside it by path. Of repositories come first
those that may be used at all, neither opted out nor refused by the lists of licenses;
then by the class of the license, permissive first and none last; then most stars first,
unknown last; then the oldest release, unknown last; then by name, revision and
collection. A document's place is its number in this order. Places do not depend on how
documents are divided into parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.documents import ROW_BITS
from schemas.licenses import LicenseClass
from transforms.deduplicate.staging import reading_headers
from transforms.license_expressions import allows
from transforms.optout import OptOuts

Places = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]

COLUMNS = [
    *("repository", "revision", "collection", "files"),
    *("license", "license_class", "stars", "released"),
]

# What asks the least of those who train on it stays; what nobody may use goes first.
_LICENSE_ORDER: Mapping[str, int] = {
    license_class: rank
    for rank, license_class in enumerate(
        (
            LicenseClass.PERMISSIVE,
            LicenseClass.WEAK_COPYLEFT,
            LicenseClass.STRONG_COPYLEFT,
            LicenseClass.UNKNOWN,
            LicenseClass.NONE,
        )
    )
}


@dataclass(frozen=True)
class Refusals:
    """Which repositories' documents will not be selected, as far as their names and licenses say.

    ``allow`` and ``deny`` are SPDX identifiers, ``opt_outs`` the path of the entries to
    look up; empty where there are none.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    opt_outs: str = ""

    def find(self, repositories: pa.Table) -> list[bool]:
        """Whether each repository is refused; lists refuse only licenses that are known."""
        names = repositories["repository"].to_pylist()
        opted_out = OptOuts.load(self.opt_outs).matches(names).tolist()
        licenses = repositories["license"].to_pylist()
        unwanted: set[str] = set()
        if self.allow or self.deny:
            known = {text for text in licenses if text is not None}
            unwanted = {text for text in known if not allows(text, self.allow, self.deny)}
        return [out or text in unwanted for out, text in zip(opted_out, licenses, strict=True)]


NOBODY_REFUSED = Refusals()


@dataclass(frozen=True)
class KeepOrder:
    """Where documents stand in keep order. Repositories are numbered in that order.

    Repository i has the places from ``starts[i]`` to before ``starts[i + 1]``. Its
    documents are in part ``part[i]`` from row ``row[i]`` on, and it is entry
    ``entry[i]`` of that part of the repositories table. All int64.
    """

    starts: Numbers
    part: Numbers
    row: Numbers
    entry: Numbers

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return int(self.starts[-1])

    def places(self, part: int) -> Places:
        """uint32[documents of the part]: the place of each."""
        mine = np.flatnonzero(self.part == part)
        mine = mine[np.argsort(self.row[mine])]
        sizes = self.starts[mine + 1] - self.starts[mine]
        shift = np.repeat(self.starts[mine] - (np.cumsum(sizes) - sizes), sizes)
        places: Places = (np.arange(shift.size) + shift).astype(np.uint32)
        return places

    def repositories(self, places: Places | Numbers) -> Numbers:
        """The repository of each place."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def positions(self, places: Places) -> tuple[Numbers, Numbers]:
        """The part and the row of the document at each place."""
        owner = self.repositories(places)
        return self.part[owner], self.row[owner] + (places - self.starts[owner])

    def document_ids(self, places: Places) -> npt.NDArray[np.uint64]:
        """The id of the document at each place."""
        part, row = self.positions(places)
        return (part << ROW_BITS | row).astype(np.uint64)

    def save(self, file: BinaryIO) -> None:
        """Writes the order to a file."""
        np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, path: Path) -> KeepOrder:
        """Reads an order that `save` wrote."""
        with reading_headers, np.load(path) as arrays:
            return cls(**{each.name: arrays[each.name] for each in fields(cls)})


def rank_repositories(parts: Sequence[pa.Table], refusals: Refusals = NOBODY_REFUSED) -> KeepOrder:
    """The keep order of documents, from the parts of the repositories table in order.

    Documents of a part stand in the order of its repositories, ``files`` of each.
    """
    keys: list[tuple[Any, ...]] = []
    files, rows = [], []
    for number, part in enumerate(parts):
        refused = refusals.find(part)
        for entry, repository in enumerate(part.select(COLUMNS).to_pylist()):
            keys.append((refused[entry], *_preference(repository), number, entry))
        sizes = part["files"].to_numpy().astype(np.int64)
        files.append(sizes)
        rows.append(np.cumsum(sizes) - sizes)
    keys.sort()
    first = np.cumsum([0, *(part.num_rows for part in parts)])
    owner = np.array([key[-2] for key in keys], dtype=np.int64)
    entry_of = np.array([key[-1] for key in keys], dtype=np.int64)
    order = first[owner] + entry_of if keys else owner
    sizes = np.concatenate([*files, np.zeros(0, np.int64)])[order]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    if starts[-1] >= 1 << 32:
        raise ValueError(f"{starts[-1]:,} documents are more than a run can deduplicate (2^32)")
    row = np.concatenate([*rows, np.zeros(0, np.int64)])[order]
    return KeepOrder(starts, owner, row, entry_of)


def _preference(repository: Mapping[str, Any]) -> tuple[Any, ...]:
    stars = repository["stars"] if repository["stars"] is not None else -1
    released = repository["released"].timestamp() if repository["released"] is not None else np.inf
    name = (repository["repository"], repository["revision"], repository["collection"] or "")
    return (_LICENSE_ORDER[repository["license_class"]], -stars, released, *name)

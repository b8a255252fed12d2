"""The keep policy: which document of several alike stays.

Documents are ranked by their repository and inside it by path. Of repositories come first
those that may be used at all, neither opted out nor refused by the lists of licenses;
then by the class of the license, permissive first and none last; then most stars first,
unknown last; then the oldest release, unknown last; then by name, revision and
collection. A document's place is its number in this order. Places do not depend on how
documents are divided into parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.documents import ROW_BITS
from schemas.licenses import LicenseClass
from transforms.deduplicate.staging import StagedArrays
from transforms.license_expressions import allows
from transforms.optout import OptOuts

Places = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]

COLUMNS = [
    *("repository", "revision", "collection", "files"),
    *("license", "license_class", "stars", "released"),
]

# What asks the least of those who train on it stays; what nobody may use goes first.
_LICENSE_ORDER = pa.array(
    [
        LicenseClass.PERMISSIVE,
        LicenseClass.WEAK_COPYLEFT,
        LicenseClass.STRONG_COPYLEFT,
        LicenseClass.UNKNOWN,
        LicenseClass.NONE,
    ],
    pa.string(),
)
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Refusals:
    """Which repositories' documents will not be selected, as far as their names and licenses say.

    ``allow`` and ``deny`` are SPDX identifiers, ``opt_outs`` the path of the entries to
    look up; empty where there are none.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    opt_outs: str = ""

    def find(self, repositories: pa.Table) -> npt.NDArray[np.bool_]:
        """bool[repositories]: who is refused; lists refuse only licenses that are known."""
        refused = np.zeros(repositories.num_rows, dtype=np.bool_)
        if self.opt_outs:
            names = repositories["repository"].to_pylist()
            refused |= OptOuts.load(self.opt_outs).matches(names)
        if self.allow or self.deny:
            known = repositories["license"].unique().drop_null().to_pylist()
            unwanted = [text for text in known if not allows(text, self.allow, self.deny)]
            listed = pc.is_in(repositories["license"], pa.array(unwanted, pa.string()))
            refused |= listed.to_numpy()
        return refused


NOBODY_REFUSED = Refusals()


@dataclass(frozen=True)
class KeepOrder:
    """Where documents stand in keep order. Repositories are numbered in that order.

    Repository i has the places from ``starts[i]`` to before ``starts[i + 1]``. Its
    documents are in part ``part[i]`` from row ``row[i]`` on, and it is entry
    ``entry[i]`` of that part of the repositories table. ``numbers`` has the numbers of
    the repositories of each part in the order of their rows, those of part p from
    ``first[p]`` to before ``first[p + 1]``. All int64; they may be memory maps, of which
    no method reads more than what it is asked about.
    """

    starts: Numbers
    part: Numbers
    row: Numbers
    entry: Numbers
    numbers: Numbers
    first: Numbers

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return int(self.starts[-1])

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return self.first.size - 1

    def places(self, part: int) -> Places:
        """uint32[documents of the part]: the place of each."""
        mine = self.numbers[self.first[part] : self.first[part + 1]]
        sizes = self.starts[mine + 1] - self.starts[mine]
        shift = np.repeat(self.starts[mine] - (np.cumsum(sizes) - sizes), sizes)
        places: Places = (np.arange(shift.size) + shift).astype(np.uint32)
        return places

    def repositories(self, places: Places | Numbers) -> Numbers:
        """The repository of each place."""
        # Of the type of the starts, which would be copied to compare them with another.
        return np.searchsorted(self.starts, places.astype(np.int64), side="right") - 1

    def positions(self, places: Places | Numbers) -> tuple[Numbers, Numbers]:
        """The part and the row of the document at each place."""
        owner = self.repositories(places)
        return self.part[owner], self.row[owner] + (places - self.starts[owner])

    def document_ids(self, places: Places) -> npt.NDArray[np.uint64]:
        """The id of the document at each place."""
        part, row = self.positions(places)
        return (part << ROW_BITS | row).astype(np.uint64)

    def save(self, arrays: StagedArrays) -> None:
        """Writes the order for `load`."""
        for each in fields(self):
            arrays.save(_file_name(each.name), getattr(self, each.name))

    @classmethod
    def load(cls, arrays: StagedArrays) -> KeepOrder:
        """Maps an order that `save` wrote."""
        return cls(**{each.name: arrays.map(_file_name(each.name)) for each in fields(cls)})


def _file_name(field: str) -> str:
    return f"order/{field}.npy"


def rank_repositories(parts: Iterable[pa.Table], refusals: Refusals = NOBODY_REFUSED) -> KeepOrder:
    """The keep order of documents, from the parts of the repositories table in order.

    Documents of a part stand in the order of its repositories, ``files`` of each. In
    memory is what repositories are compared by, some 200 bytes of each.
    """
    files, keys = [np.zeros(0, dtype=np.int64)], [_KEYS.empty_table()]
    for number, part in enumerate(parts):
        files.append(part["files"].to_numpy().astype(np.int64))
        keys.append(_preferences(part, number, refusals))
    first = np.cumsum([0, *(each.size for each in files[1:])])
    order, owner = _sort(pa.concat_tables(keys))
    sizes = np.concatenate(files)
    if sizes.sum() >= 1 << 32:
        raise ValueError(f"{sizes.sum():,} documents are more than a run can deduplicate (2^32)")
    before = np.cumsum(sizes) - sizes
    rows = before[order] - before[first[owner]]
    starts = np.concatenate(([0], np.cumsum(sizes[order])))
    numbers = np.empty_like(order)
    numbers[order] = np.arange(order.size)
    return KeepOrder(starts, owner, rows, order - first[owner], numbers, first)


_KEYS = pa.schema(
    [
        ("refused", pa.bool_()),
        ("license_class", pa.int32()),
        ("stars", pa.int64()),
        ("released", pa.int64()),
        ("repository", pa.large_string()),
        ("revision", pa.large_string()),
        ("collection", pa.large_string()),
        ("part", pa.int32()),
        ("entry", pa.int32()),
    ]
)
"""What repositories are ordered by, the first column first, each ascending."""


def _preferences(part: pa.Table, number: int, refusals: Refusals) -> pa.Table:
    columns = [
        pa.array(refusals.find(part)),
        pc.index_in(part["license_class"], _LICENSE_ORDER),
        pc.negate(pc.fill_null(part["stars"], -1)),
        pc.fill_null(part["released"].cast(pa.int64()), _LAST),
        part["repository"],
        part["revision"],
        pc.fill_null(part["collection"], ""),
        np.full(part.num_rows, number, dtype=np.int32),
        np.arange(part.num_rows, dtype=np.int32),
    ]
    return pa.table(columns, names=_KEYS.names).cast(_KEYS)


def _sort(keys: pa.Table) -> tuple[Numbers, Numbers]:
    """The numbers of repositories in order of their keys, and the part of each."""
    ranked = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
    order: Numbers = ranked.to_numpy().astype(np.int64)
    return order, keys["part"].to_numpy()[order].astype(np.int64)

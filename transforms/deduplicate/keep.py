"""The keep policy: which document of several alike stays.

Documents are ranked by their repository and inside it by path. Of repositories come first
those that may be used at all, neither opted out nor refused by the lists of licenses;
then by the class of the license, permissive first and none last; then most stars first,
unknown last; then the oldest release, unknown last; then by name, revision and
collection. A document's place is its number in this order. Places do not depend on how
documents are divided into parts.
"""

from __future__ import annotations

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

LICENSE_ORDER = pa.array(
    [
        LicenseClass.PERMISSIVE,
        LicenseClass.WEAK_COPYLEFT,
        LicenseClass.STRONG_COPYLEFT,
        LicenseClass.UNKNOWN,
        LicenseClass.NONE,
    ],
    pa.string(),
)
"""What asks the least of those who train on it stays; what nobody may use goes first."""


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

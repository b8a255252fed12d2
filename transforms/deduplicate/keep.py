"""The keep policy: which document of several alike stays.

Documents are ranked by their repository (by the class of its license, permissive first and
none last; then most stars first, unknown last; then the oldest release, unknown last;
then by name and revision) and inside it by path. A
smaller rank is better. Ranks do not depend on how documents are divided into parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.documents import ROW_BITS
from schemas.licenses import LicenseClass

Ranks = npt.NDArray[np.uint64]

COLUMNS = [
    *("repository", "revision", "collection", "files"),
    *("license_class", "stars", "released"),
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
class KeepOrder:
    """The rank of every document, by number of part."""

    repository_ranks: tuple[npt.NDArray[np.int64], ...]
    repository_files: tuple[npt.NDArray[np.int64], ...]

    def ranks(self, part: int) -> Ranks:
        """uint64[documents of the part]: repository's rank << 32 | row."""
        ranks = self.repository_ranks[part].astype(np.uint64)
        by_document = np.repeat(ranks, self.repository_files[part])
        rows = np.arange(by_document.size, dtype=np.uint64)
        return by_document << np.uint64(ROW_BITS) | rows


def rank_repositories(parts: Sequence[pa.Table]) -> KeepOrder:
    """The keep order of documents, from the parts of the repositories table in order.

    Documents of a part stand in the order of its repositories, ``files`` of each.
    """
    keys = []
    for number, part in enumerate(parts):
        for place, row in enumerate(part.select(COLUMNS).to_pylist()):
            stars = row["stars"] if row["stars"] is not None else -1
            released = row["released"].timestamp() if row["released"] is not None else np.inf
            order = _LICENSE_ORDER[row["license_class"]]
            name = (row["repository"], row["revision"], row["collection"] or "")
            keys.append((order, -stars, released, *name, number, place))
    ranks = [np.zeros(part.num_rows, dtype=np.int64) for part in parts]
    for rank, (*_, number, place) in enumerate(sorted(keys)):
        ranks[number][place] = rank
    files = tuple(part["files"].to_numpy().astype(np.int64) for part in parts)
    return KeepOrder(tuple(ranks), files)

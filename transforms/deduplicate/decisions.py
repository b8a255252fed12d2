"""What became of every document: drops of all batches and levels, resolved to kept documents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.duplicates import DUPLICATES, Level
from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.keep import KeepOrder, Places

DROPS = np.dtype(
    [("place", np.uint32), ("kept", np.uint32), ("similarity", np.float32), ("level", np.uint8)]
)
"""A document is dropped in favor of a kept one; the level is its number in ``LEVELS``."""

LEVELS = (None, str(Level.EXACT), str(Level.NORMALIZED), str(Level.NEAR))

Drops = npt.NDArray[np.void]
LookUp = Callable[[Places], Drops]


def make_drops(
    places: Places,
    kept: Places,
    similarity: npt.NDArray[np.floating],
    level: npt.NDArray[np.uint8],
) -> Drops:
    """Drops from their columns."""
    drops = np.empty(places.size, dtype=DROPS)
    drops["place"], drops["kept"] = places, kept
    drops["similarity"], drops["level"] = similarity, level
    return drops


def resolve(places: Places, exact: tuple[Places, Places], look_up: LookUp) -> Drops:
    """What became of some documents, each once.

    A document that equals a dropped one is dropped in favor of the kept one, at its
    level and similarity.

    Args:
      places: of the documents.
      exact: those of them that equal a better one, ascending, and that one.
      look_up: what was decided of documents that equal no better one.
    """
    members, firsts = exact
    index, copied = find_among(members, places)
    subjects = places.copy()
    subjects[copied] = firsts[index[copied]]
    found = look_up(subjects)
    found["place"] = places
    stayed = copied & (found["level"] == 0)
    found["similarity"][stayed] = 1
    found["level"][stayed] = LEVELS.index(Level.EXACT)
    return found


def describe_part(
    decisions: Drops, order: KeepOrder, shares: npt.NDArray[np.float32] | None
) -> pa.RecordBatch:
    """The rows of ``attributes/duplicates`` for a part's decisions, in order of its rows.

    ``shares`` float32[repositories] are by number in keep order, ``None`` if not asked for.
    """
    kept = decisions["level"] == 0
    cluster = order.document_ids(decisions["kept"])
    own = order.repositories(decisions["place"])
    columns = [
        pa.array(cluster),
        pa.array(cluster, mask=kept),
        pa.array(decisions["similarity"], mask=kept),
        pa.array(LEVELS, pa.string()).take(pa.array(decisions["level"])),
        pa.nulls(kept.size, pa.float32()) if shares is None else pa.array(shares[own]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=DUPLICATES)

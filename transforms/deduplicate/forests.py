"""Links of documents by range of places, with no more of them than it takes to connect the same.

Whoever finds links divides them by the places of their documents. In each range there is
then one link for each document at most that it takes to keep its component together, and
what is known of each document once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from transforms.deduplicate.ascending import begins
from transforms.deduplicate.clusters import Links, contract
from transforms.deduplicate.keep import Numbers
from transforms.deduplicate.slices import Slice, read_slices
from transforms.deduplicate.staging import StagedArrays

LINKED = np.dtype([("place", np.uint32), ("linked", np.uint32), ("shingles", np.uint32)])
"""A document, a better one that it is linked to or itself, and how many shingles it has, 0 where
sketches find no match of it: an equal normalized text has linked it."""

PARTNER = np.dtype([("place", np.uint32), ("shingles", np.uint32)])
"""A document that may match another, and the most shingles that its links say."""

LINK_BYTES = 64
"""What a link takes in memory while links are contracted."""

Linked = npt.NDArray[np.void]
Partner = npt.NDArray[np.void]


def cut_places(documents: int, ranges: int) -> Numbers:
    """int64[ranges + 1]: where each of some ranges of places begins, and where the last ends."""
    return documents * np.arange(ranges + 1, dtype=np.int64) // ranges


def write_forest(arrays: StagedArrays, number: int, slices: Iterable[Slice], capacity: int) -> int:
    """Writes the partners in a range of places, and links that connect what slices connect.

    In memory are these and ``capacity`` more links. Says how many partners there are.
    """
    partners = np.zeros(0, dtype=PARTNER)
    forest: Links = (partners["place"].copy(), partners["place"].copy())
    for links in _gather(read_slices(arrays, slices), capacity):
        partners = _merge_partners(partners, links)
        columns = zip(forest, (links["place"], links["linked"]), strict=True)
        forest = leave_out_loops(*contract(*map(np.concatenate, columns)))
    if partners.size:
        arrays.save(partner_file(number), partners)
        arrays.save(forest_file(number), np.stack(forest))
    return partners.size


def leave_out_loops(places: npt.NDArray[np.uint32], linked: npt.NDArray[np.uint32]) -> Links:
    """The links of documents with others."""
    apart = places != linked
    return places[apart], linked[apart]


def _gather(pieces: Iterable[Linked], capacity: int) -> Iterator[Linked]:
    """The pieces, as many together as it takes to have so many links."""
    held: list[Linked] = []
    for piece in pieces:
        held.append(piece)
        if sum(each.size for each in held) >= capacity:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def _merge_partners(partners: Partner, links: Linked) -> Partner:
    """Each document once, ascending."""
    places = np.concatenate((partners["place"], links["place"]))
    shingles = np.concatenate((partners["shingles"], links["shingles"]))
    order = np.lexsort((shingles, places))
    # The last of each has the most.
    last = order[np.append(begins(places[order])[1:], places.size > 0)]
    merged = np.empty(last.size, dtype=PARTNER)
    merged["place"], merged["shingles"] = places[last], shingles[last]
    return merged


def partner_file(number: int) -> str:
    """The name of the array of partners in a range of places."""
    return f"forests/partners-{number:05d}.npy"


def forest_file(number: int) -> str:
    """The name of the array of documents and better ones that connects a range of places."""
    return f"forests/links-{number:05d}.npy"

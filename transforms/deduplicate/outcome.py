"""What became of the documents of a part, from the groups and drops that steps have left."""

from __future__ import annotations

from functools import partial

from schemas.duplicates import Level
from transforms.deduplicate.decisions import Drops, resolve
from transforms.deduplicate.drop_files import look_up_drops
from transforms.deduplicate.reader import RunReader


def decide_part(reader: RunReader, part: int) -> Drops:
    """What became of each document of a part, in order of its rows, once batches are decided."""
    exact = reader.groups(part, Level.EXACT)
    return resolve(
        reader.order.places(part), exact, partial(look_up_drops, reader.arrays, reader.partners)
    )

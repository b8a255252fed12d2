"""Bands: ``attributes/bands``, an index of who has which band of a signature.

Arrow IPC streams ``part-NNNNN.arrow``, to be memory-mapped. Each row is one entry of one
document: the upper 32 bits are those of the band's hash, the lower 32 the document's
ordinal, which is its place among all documents, part by part. Rows ascend, also from
one file to the next, so that a band is found by bisection. How bands were cut is in the
schema's metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

ORDINAL_BITS = 32
MAX_DOCUMENTS = 1 << ORDINAL_BITS


@dataclass(frozen=True)
class BandIndexSettings:
    """How the documents of an index were signed, and their signatures cut."""

    permutations: int
    seed: int
    bands: int
    rows: int

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes]) -> BandIndexSettings:
        """Reads the metadata of `bands_schema`; raises KeyError or ValueError for others."""
        return cls(**{name: int(metadata[name.encode()]) for name in cls.__dataclass_fields__})


def bands_schema(settings: BandIndexSettings) -> pa.Schema:
    """The schema of ``attributes/bands``."""
    metadata = {name: str(value) for name, value in asdict(settings).items()}
    return pa.schema([pa.field("entry", pa.uint64(), nullable=False)], metadata=metadata)

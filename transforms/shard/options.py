"""What the stage is told: how documents are split, mixed, packed and shuffled."""

from __future__ import annotations

from dataclasses import dataclass, field

from transforms.shard.measures import Mixture
from transforms.shard.plan import Packing


@dataclass(frozen=True)
class Division:
    """How much of a corpus one worker plans, in pieces of documents.

    Shards depend on ``section_pieces``; ``bucket_pieces`` says only how many of them are
    planned together.
    """

    section_pieces: int = 1 << 23
    bucket_pieces: int = 1 << 23


@dataclass(frozen=True)
class ShardOptions:
    """How documents are split, mixed, packed and shuffled.

    ``formats`` are tables in which the shards are written, too. ``identity`` stands for the
    content of the tokens.
    """

    packing: Packing
    validation_fraction: float
    mixture: Mixture = field(default_factory=Mixture)
    formats: tuple[str, ...] = ()
    identity: str = ""
    division: Division = Division()

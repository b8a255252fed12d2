"""What the steps of deduplication know of a run, and what they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from schemas import tables
from schemas.duplicates import Level
from transforms.deduplicate.bands import Banding, optimal_banding
from transforms.deduplicate.budget import Budget
from transforms.deduplicate.candidates import claim_ranges
from transforms.deduplicate.contents import NO_GROUPS, group_file, groups_of_level
from transforms.deduplicate.forests import LINK_BYTES
from transforms.deduplicate.keep import NOBODY_REFUSED, KeepOrder, Places, Refusals
from transforms.deduplicate.partners import Partners
from transforms.deduplicate.sketches import PLACES_PER_WORD, most_unequal
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace, iterate_row_groups, read_part

WORD_BYTES = 8


@dataclass(frozen=True)
class DeduplicateOptions:
    """What counts as a duplicate, and how much memory it may take to find them.

    ``permutations`` is that of the fingerprints, and so is ``index_seed``: with one, the
    index of bands is written too. Whom ``refusals`` refuse is kept last.
    """

    threshold: float = 0.7
    permutations: int = 256
    levels: tuple[Level, ...] = (Level.EXACT, Level.NEAR)
    memory_bytes: int = 1 << 30
    refusals: Refusals = NOBODY_REFUSED
    index_seed: int | None = None


@dataclass(frozen=True)
class RunReader:
    """What the steps know of a run: its tables, its keep order and its staged arrays."""

    workspace: Workspace
    parts: int
    options: DeduplicateOptions

    @property
    def arrays(self) -> StagedArrays:
        """What the steps leave for one another."""
        return StagedArrays(self.workspace)

    @cached_property
    def order(self) -> KeepOrder:
        """Where documents stand in keep order, once that is written."""
        return KeepOrder.load(self.arrays)

    @cached_property
    def partners(self) -> Partners:
        """Which documents may match another, once that is known."""
        return Partners.load(self.arrays)

    @property
    def budget(self) -> Budget:
        """For steps that see the whole corpus."""
        return Budget(self.options.memory_bytes, self.order.documents)

    @property
    def share(self) -> int:
        """Bytes of each of the few things that are in memory together."""
        return Budget(self.options.memory_bytes, documents=0).share

    @cached_property
    def banding(self) -> Banding:
        """How signatures are cut."""
        return optimal_banding(self.options.threshold, self.options.permutations)

    @property
    def most_unequal(self) -> int:
        """In how many places sketches may differ."""
        return most_unequal(self.options.threshold, self.options.permutations)

    @property
    def sketch_words(self) -> int:
        """How many words a sketch has."""
        return -(-self.options.permutations // PLACES_PER_WORD)

    @property
    def sketches_at_once(self) -> int:
        """How many sketches are in memory at a time."""
        return self.share // (self.sketch_words * WORD_BYTES)

    @property
    def member_bytes(self) -> int:
        """What a document takes in a batch besides its shingles: a sketch, and its buckets."""
        return (self.sketch_words + 6 * self.banding.bands) * WORD_BYTES

    @property
    def ranges(self) -> int:
        """Into how many ranges hashes of bands are divided, and places of documents."""
        return claim_ranges(self.budget, self.banding)

    @property
    def links_at_once(self) -> int:
        """How many links are in memory at a time."""
        return self.share // LINK_BYTES

    def repositories(self, columns: list[str]) -> Iterator[pa.Table]:
        """Columns of the parts of the repositories table, one after another."""
        paths = (
            self.workspace.committed(tables.REPOSITORIES, tables.part_name(number))
            for number in range(self.parts)
        )
        return (read_part(path, columns) for path in paths)

    def fingerprints(self, part: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Columns of a part's fingerprints, by row group."""
        path = self.workspace.committed(tables.FINGERPRINT, tables.part_name(part))
        return iterate_row_groups(path, columns)

    def groups(self, part: int, level: Level) -> tuple[Places, Places]:
        """Members of groups of a level in a part, ascending, and the firsts of their groups."""
        groups = NO_GROUPS
        if level in self.options.levels:
            groups = self.arrays.load(group_file(part))
        return groups_of_level(groups, level)

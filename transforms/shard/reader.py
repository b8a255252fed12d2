"""What the steps of planning read: the sections of a run, and what earlier steps have left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from schemas.shards import Split
from transforms.parts import Workspace
from transforms.shard.choices import Choices, read_weights, sides_file
from transforms.shard.layout import Layout
from transforms.shard.options import ShardOptions
from transforms.shard.passes import Pass, list_passes
from transforms.shard.sections import Documents
from transforms.shard.staging import PlanFiles

SECTIONS = "sections.json"
LIMITS = "limits.json"
LAYOUT = "layout.json"


@dataclass(frozen=True)
class PlanReader:
    """A run whose shards are planned."""

    workspace: Workspace
    options: ShardOptions

    @property
    def files(self) -> PlanFiles:
        """What steps leave for one another."""
        return PlanFiles(self.workspace)

    @property
    def sections(self) -> int:
        """How many there are, one at least."""
        return len(self.files.read_values(SECTIONS))

    def parts(self, section: int) -> Sequence[str]:
        """The names of the parts of a section, in order."""
        names: list[str] = self.files.read_values(SECTIONS)[section]
        return names

    def measures(self, section: int) -> pa.Table:
        """The measures of all documents of a section, in reading order."""
        return pa.concat_tables(self.files.map(measures_file(name)) for name in self.parts(section))

    def documents(self, section: int, split: Split) -> Documents:
        """The documents of a section that are in a split."""
        sides = self.files.map(sides_file(section))
        return Documents.of_split(self.measures(section), sides, split)

    def choices(self) -> Choices:
        """What is chosen for all sections."""
        limits = self.files.read_values(LIMITS) if self.limited else ()
        return Choices(read_weights(self.files), tuple(limits))

    @property
    def limited(self) -> bool:
        """Whether a repository may have too large a share."""
        return self.options.mixture.max_repository_share < 1

    @property
    def passes(self) -> list[Pass]:
        """All passes, in the order of shards."""
        return list_passes(self.options.mixture.epochs)

    def layout(self) -> Layout:
        """Where the sequences of sections are in the shards."""
        return Layout.from_values(self.files.read_values(LAYOUT))


def measures_file(part: str) -> str:
    """The measures of a part of tokens."""
    return f"measures/{part}"

"""List: sources in, ``requests`` out. Crawl: those in; documents, their repositories, failures out.
Gather: requests in, the trees of repositories that are to be traced and failures out.

Nothing is shuffled but the names of units. A repository is fetched and read by the
worker that writes its part, so that its text crosses no network inside the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from schemas import requests, tables
from transforms.crawl.listing import ListSource
from transforms.crawl.part import CrawlOptions, CrawlPart
from transforms.crawl.source import Source
from transforms.crawl.trees import GatherOptions, GatherPart
from transforms.parts import Workspace
from transforms.stage import ProcessUnits


@dataclass
class ListRepositories(beam.PTransform[Any, Any]):
    """Lists what the sources name into the ``requests`` table."""

    workspace: Workspace
    sources: tuple[Source, ...]
    parts: int
    cache: str

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of listed sources out."""
        units = [Path(requests.file_name(number)).stem for number in range(len(self.sources))]
        work = ListSource(self.workspace, self.sources, self.parts, self.cache)
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished


@dataclass
class CrawlRepositories(beam.PTransform[Any, Any]):
    """Crawls the listed repositories into the parts of three tables."""

    workspace: Workspace
    listed: Sequence[str]
    options: CrawlOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out; ``listed`` are the files of ``requests``."""
        units = [Path(tables.part_name(part)).stem for part in range(self.options.parts)]
        work = CrawlPart(self.workspace, self.options, tuple(self.listed))
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished


@dataclass
class GatherTrees(beam.PTransform[Any, Any]):
    """Gathers all files of the repositories whose tests are to be traced."""

    workspace: Workspace
    listed: Sequence[str]
    options: GatherOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out; ``listed`` are the files of ``requests``."""
        units = [Path(tables.part_name(part)).stem for part in range(self.options.parts)]
        work = GatherPart(self.workspace, self.options, tuple(self.listed))
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished

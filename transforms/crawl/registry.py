"""The sources there are: those that repomill ships, and those of installed packages.

A package adds a source by an entry point of the group ``repomill.sources``, whose name
is the source's kind.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points

from transforms.crawl.source import Source
from transforms.crawl.sources.archive import ArchiveSource
from transforms.crawl.sources.directory import DirectorySource
from transforms.crawl.sources.git import GitSource
from transforms.crawl.sources.github import GithubSource
from transforms.crawl.sources.pypi import PypiSource
from transforms.crawl.sources.rows import JsonLinesSource, ParquetSource

ENTRY_POINTS = "repomill.sources"

_SHIPPED: tuple[type[Source], ...] = (
    PypiSource,
    GitSource,
    GithubSource,
    ArchiveSource,
    DirectorySource,
    ParquetSource,
    JsonLinesSource,
)


@functools.cache
def known_sources() -> Mapping[str, type[Source]]:
    """All sources by kind, those that repomill ships first.

    Raises:
      ValueError: an installed package names something that is no source, or one that is there.
    """
    sources: dict[str, type[Source]] = {source.kind: source for source in _SHIPPED}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        package = entry.dist.name if entry.dist else entry.value
        if entry.name in sources:
            raise ValueError(f"{package} brings a source {entry.name!r}, and there is one already")
        try:
            source = entry.load()
        except Exception as error:
            raise ValueError(
                f"the source {entry.name!r} of {package} cannot be loaded: {error}; "
                f"mend or uninstall {package}"
            ) from error
        if not (isinstance(source, type) and issubclass(source, Source)):
            raise ValueError(f"{entry.value} of {package} is no subclass of Source")
        if source.kind != entry.name:
            raise ValueError(f"the source {entry.name!r} of {package} calls itself {source.kind}")
        sources[entry.name] = source
    return sources


def source_of(kind: str) -> type[Source]:
    """The source of a kind; raises ValueError that says what to install."""
    found = known_sources().get(kind)
    if found is None:
        raise ValueError(f"no source {kind!r} is installed here: install the package that has it")
    return found

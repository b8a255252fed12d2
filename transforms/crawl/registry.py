"""The sources there are, by the names that configurations and requests use."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.crawl.source import Source
from transforms.crawl.sources.directory import DirectorySource
from transforms.crawl.sources.git import GitSource
from transforms.crawl.sources.pypi import PypiSource

SOURCES: Mapping[str, Source] = {
    "directory": DirectorySource(),
    "git": GitSource(),
    "pypi": PypiSource(),
}

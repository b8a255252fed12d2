"""The sources there are, by the names that configurations and requests use."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.crawl.directory import DirectorySource
from transforms.crawl.git import GitSource
from transforms.crawl.pypi import PypiSource
from transforms.crawl.sources import Source

SOURCES: Mapping[str, Source] = {
    "directory": DirectorySource(),
    "git": GitSource(),
    "pypi": PypiSource(),
}

"""Where downloads are kept between runs."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from pipeline.configuration import Configuration


def download_cache(configuration: Configuration) -> Path:
    """The cache folder: the configuration's, or the user's."""
    if configuration.cache is not None:
        return Path(configuration.cache)
    return platformdirs.user_cache_path("repomill")

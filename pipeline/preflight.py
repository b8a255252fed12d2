"""What must hold before anything starts: every problem found at once, each with its cure."""

from __future__ import annotations

import os

from pipeline.caches import download_cache
from pipeline.configuration import Configuration
from pipeline.errors import UserError
from transforms.stores.client import ENDPOINT


def use_endpoint(configuration: Configuration) -> None:
    """Makes the server of objects that a configuration names that of this process.

    By the variable that boto3, Arrow and Beam look it up in, which processes that this one
    starts inherit.
    """
    if configuration.endpoint is not None:
        os.environ[ENDPOINT] = configuration.endpoint


def check_sources(configuration: Configuration) -> None:
    """Raises `UserError` where a source of the configuration cannot work at all."""
    cache = download_cache(configuration)
    problems = [entry.source.problem(cache) for entry in configuration.sources]
    found = [problem for problem in problems if problem is not None]
    if found:
        raise UserError("\n".join(dict.fromkeys(found)))

"""What must hold before anything starts: every problem found at once, each with its cure."""

from __future__ import annotations

from pipeline.caches import download_cache
from pipeline.configuration import Configuration
from pipeline.errors import UserError
from transforms.crawl.git.command import missing_git
from transforms.crawl.sources.pypi import unreachable_index


def check_sources(configuration: Configuration) -> None:
    """Raises `UserError` where a source of the configuration cannot work at all."""
    problems: list[str] = []
    kinds = {entry.kind for entry in configuration.sources}
    if "git" in kinds and (problem := missing_git()) is not None:
        problems.append(problem)
    cache = download_cache(configuration)
    for entry in configuration.sources:
        if entry.pypi is not None:
            problem = unreachable_index(entry.pypi.model_dump(mode="json"), cache)
            if problem is not None:
                problems.append(problem)
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))

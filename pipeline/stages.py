"""The stages of a run: what each one reads, writes and depends on in the configuration.

A stage is known by the digests of the tables it reads and by its part of the
configuration. Where both are what they were when its tables were committed, it is up
to date. Their graphs are in `pipeline.graphs`, which needs Beam; this module does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.configuration import Configuration
from pipeline.errors import UsageError
from pipeline.reading import nearest
from schemas import tables
from transforms.crawl.registry import SOURCES
from transforms.crawl.source import Request


@dataclass(frozen=True)
class Stage:
    """One Beam job from committed inputs to committed outputs.

    ``version`` goes up when the stage's output for equal input changes. ``settings``
    gives the part of the configuration that decides the output.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Callable[[Configuration], dict[str, Any]]
    version: int = 1

    def fingerprint(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """SHA-256 of everything that decides the output, in hexadecimal."""
        identity = {"settings": settings, "inputs": inputs, "version": self.version}
        return hashlib.sha256(
            json.dumps([self.name, identity], sort_keys=True).encode()
        ).hexdigest()


def list_requests(configuration: Configuration) -> list[Request]:
    """The repositories that a configuration asks for, each once and in order.

    Raises:
      UsageError: a source refuses what it is given.
    """
    found: set[Request] = set()
    for entry in configuration.sources:
        if entry.settings is None:
            continue
        try:
            found.update(SOURCES[entry.kind].requests(entry.settings.model_dump(mode="json")))
        except ValueError as error:
            raise UsageError(f"sources.{entry.kind}: {error}") from error
    if not found:
        raise UsageError("the sources name no repositories")
    _refuse_namesakes(found)
    return sorted(found)


def _refuse_namesakes(requests: set[Request]) -> None:
    """Raises `UsageError` where two folders would be one repository."""
    folders: dict[str, str] = {}
    for request in sorted(requests):
        if request.source == "directory":
            other = folders.setdefault(request.repository, request.location)
            if other != request.location:
                raise UsageError(
                    f"sources.directory: {other} and {request.location} would both be "
                    f"{request.repository}; give one of their sources a `name`"
                )


def _crawl_settings(configuration: Configuration) -> dict[str, Any]:
    crawl = configuration.crawl
    requests = "".join(f"{request}\n" for request in list_requests(configuration))
    return {
        "sources": hashlib.sha256(requests.encode()).hexdigest(),
        "parts": crawl.parts,
        "languages": sorted(crawl.languages),
        "max_file_bytes": crawl.max_file_bytes,
        "max_repository_bytes": crawl.max_repository_bytes,
        "max_repository_files": crawl.max_repository_files,
    }


def _deduplicate_settings(configuration: Configuration) -> dict[str, Any]:
    return {
        **configuration.deduplicate.model_dump(),
        "permutations": configuration.annotate.permutations,
    }


def _select_settings(configuration: Configuration) -> dict[str, Any]:
    # A list, because the order of rules decides which one names the bin.
    return {"rules": [[rule.name, rule.expression] for rule in configuration.select.resolved()]}


def _shard_settings(configuration: Configuration) -> dict[str, Any]:
    return {
        **configuration.shard.model_dump(),
        "tokenizer": configuration.tokenize.tokenizer,
    }


STAGES: tuple[Stage, ...] = (
    Stage(
        name="crawl",
        inputs=(),
        outputs=(tables.failures_of("crawl"), tables.REPOSITORIES, tables.DOCUMENTS),
        settings=_crawl_settings,
    ),
    Stage(
        name="annotate",
        inputs=(tables.DOCUMENTS,),
        outputs=(tables.QUALITY, tables.FINGERPRINT),
        settings=lambda configuration: configuration.annotate.model_dump(),
    ),
    Stage(
        name="deduplicate",
        inputs=(tables.REPOSITORIES, tables.DOCUMENTS, tables.FINGERPRINT),
        outputs=(tables.DUPLICATES,),
        settings=_deduplicate_settings,
    ),
    Stage(
        name="select",
        inputs=(tables.DOCUMENTS, tables.QUALITY, tables.DUPLICATES),
        outputs=(tables.SELECTION,),
        settings=_select_settings,
    ),
    Stage(
        name="tokenize",
        inputs=(tables.DOCUMENTS, tables.SELECTION),
        outputs=(tables.TOKENS,),
        settings=lambda configuration: configuration.tokenize.model_dump(),
    ),
    Stage(
        name="shard",
        inputs=(tables.REPOSITORIES, tables.TOKENS),
        outputs=(tables.SHARDS,),
        settings=_shard_settings,
    ),
)

PRODUCERS: Mapping[str, Stage] = {table: stage for stage in STAGES for table in stage.outputs}


def stages_for(names: Sequence[str]) -> Iterator[Stage]:
    """The named stages and all that they need, in order; all stages for no names.

    Raises:
      UsageError: a name is not a stage's.
    """
    known = {stage.name: stage for stage in STAGES}
    wanted: set[str] = set()
    for name in names or known:
        if name not in known:
            raise UsageError(f"no stage {name!r}; {nearest(name, known)}")
        _add_with_needs(known[name], wanted)
    return (stage for stage in STAGES if stage.name in wanted)


def _add_with_needs(stage: Stage, wanted: set[str]) -> None:
    wanted.add(stage.name)
    for table in stage.inputs:
        _add_with_needs(PRODUCERS[table], wanted)

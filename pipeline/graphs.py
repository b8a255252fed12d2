"""The Beam graph of each stage. Imports Beam and every stage: import it only to run one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam

from pipeline.caches import download_cache
from pipeline.configuration import Configuration
from pipeline.folder import RunFolder
from pipeline.stages import list_requests
from schemas import tables
from transforms.annotate.stage import AnnotateDocuments, AnnotateOptions
from transforms.crawl.source import Limits
from transforms.crawl.stage import CrawlOptions, CrawlRepositories
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.parts import Workspace
from transforms.select.stage import SelectDocuments
from transforms.shard.plan import Packing
from transforms.shard.stage import ShardOptions, WriteShards
from transforms.tokenize.stage import TokenizeDocuments
from transforms.tokenize.vocabulary import END_OF_TEXT_ID

Transform = beam.PTransform[Any, Any]


def build_graph(
    stage: str, configuration: Configuration, run: RunFolder, workspace: Workspace
) -> Transform:
    """The transform that does the work of a stage."""
    return _BUILDERS[stage](configuration, run, workspace)


def _crawl(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    crawl = configuration.crawl
    limits = Limits(
        max_file_bytes=crawl.max_file_bytes,
        max_repository_bytes=crawl.max_repository_bytes,
        max_repository_files=crawl.max_repository_files,
        timeout_seconds=crawl.timeout_seconds,
        attempts=crawl.attempts,
    )
    options = CrawlOptions(
        parts=crawl.parts,
        languages=crawl.languages,
        limits=limits,
        downloads=crawl.downloads,
        cache=str(download_cache(configuration)),
    )
    return CrawlRepositories(workspace, list_requests(configuration), options)


def _annotate(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    options = AnnotateOptions(**configuration.annotate.model_dump())
    return AnnotateDocuments(workspace, _parts(run, tables.DOCUMENTS), options)


def _deduplicate(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    options = DeduplicateOptions(
        threshold=configuration.deduplicate.threshold,
        permutations=configuration.annotate.permutations,
    )
    return DeduplicateDocuments(workspace, len(_parts(run, tables.DOCUMENTS)), options)


def _select(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    parts = _parts(run, tables.DOCUMENTS)
    return SelectDocuments(workspace, parts, configuration.select.resolved())


def _tokenize(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    parts = _parts(run, tables.DOCUMENTS)
    return TokenizeDocuments(workspace, parts, configuration.tokenize.tokenizer)


def _shard(configuration: Configuration, run: RunFolder, workspace: Workspace) -> Transform:
    shard = configuration.shard
    packing = Packing(
        context_length=shard.context_length,
        sequences_per_shard=shard.sequences_per_shard,
        seed=shard.seed,
        end_of_text=END_OF_TEXT_ID,
    )
    options = ShardOptions(packing=packing, validation_fraction=shard.validation_fraction)
    return WriteShards(workspace, _parts(run, tables.TOKENS), options)


def _parts(run: RunFolder, table: str) -> list[str]:
    manifest = run.manifest(table)
    if manifest is None:
        raise ValueError(f"{table} is not committed")
    return [entry.name for entry in manifest.files if entry.name.startswith("part-")]


_BUILDERS: Mapping[str, Callable[[Configuration, RunFolder, Workspace], Transform]] = {
    "crawl": _crawl,
    "annotate": _annotate,
    "deduplicate": _deduplicate,
    "select": _select,
    "tokenize": _tokenize,
    "shard": _shard,
}

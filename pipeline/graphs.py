"""The Beam graph of each stage. Imports Beam and every stage: import it only to run one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

import apache_beam as beam

from pipeline.benchmark_functions import functions_path
from pipeline.caches import download_cache
from pipeline.configuration import Configuration
from pipeline.contamination import index_path
from pipeline.optouts import opt_outs_path
from pipeline.problem_files import pass_rates_of
from pipeline.runs import Run
from pipeline.stages import ordered_sources, special_roles, wanted_on_demand
from pipeline.tokenizer import given_address, runs_to_add
from pipeline.tracing_settings import Trace
from schemas import tables
from schemas.duplicates import Level
from schemas.manifest import Manifest
from schemas.selection import SELECTED
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE, Role
from transforms.annotate.stage import AnnotateDocuments, AnnotateOptions
from transforms.collect.rules import Rules
from transforms.collect.stage import CollectOptions, CollectProblems
from transforms.crawl.part import CrawlOptions
from transforms.crawl.source import Limits
from transforms.crawl.stage import CrawlRepositories, GatherTrees, ListRepositories
from transforms.crawl.trees import GatherOptions
from transforms.deduplicate.keep import Refusals
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.learn.sample import Sampling
from transforms.learn.stage import LearnOptions, MakeTokenizer, Training
from transforms.parse.stage import ParseDocuments, ParseOptions
from transforms.parts import Workspace, read_part
from transforms.select.stage import SelectDocuments, SelectOptions
from transforms.shard.measures import Mixture
from transforms.shard.options import ShardOptions
from transforms.shard.plan import Packing
from transforms.shard.stage import WriteShards
from transforms.tokenize.encoding import EncodingOptions
from transforms.tokenize.fim import CutLevel, FimOptions
from transforms.tokenize.headers import Header
from transforms.tokenize.order import Order
from transforms.tokenize.stage import TokenizeDocuments, TokenizeOptions
from transforms.tokenizers.roles import read_special_tokens
from transforms.trace.options import TraceOptions
from transforms.trace.stage import TraceProjects

Transform = beam.PTransform[Any, Any]

MANY = 10_000
"""So many names are too many to compare one with all."""


def build_graph(
    stage: str, configuration: Configuration, run: Run, workspace: Workspace
) -> Transform:
    """The transform that does the work of a stage."""
    return _BUILDERS[stage](configuration, run, workspace)


def _list(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    cache = str(download_cache(configuration))
    sources = ordered_sources(configuration)
    return ListRepositories(workspace, sources, configuration.crawl.parts, cache)


def _crawl(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    crawl = configuration.crawl
    options = CrawlOptions(
        parts=crawl.parts,
        languages=crawl.languages,
        limits=_limits(configuration),
        downloads=crawl.downloads,
        cache=str(download_cache(configuration)),
        opt_outs=opt_outs_path(configuration.opt_out, workspace),
    )
    return CrawlRepositories(workspace, _files(run, tables.REQUESTS), options)


def _limits(configuration: Configuration) -> Limits:
    crawl = configuration.crawl
    return Limits(**{field.name: getattr(crawl, field.name) for field in fields(Limits)})


def _annotate(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    options = AnnotateOptions(
        **configuration.annotate.model_dump(),
        normalized=Level.NORMALIZED in configuration.deduplicate.levels,
        benchmarks=index_path(configuration.contamination, workspace),
    )
    return AnnotateDocuments(workspace, _parts(run, tables.DOCUMENTS), options)


def _parse(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    options = ParseOptions(
        wanted_on_demand(configuration), given_address(workspace, TOKENIZER_FILE)
    )
    return ParseDocuments(workspace, _parts(run, tables.DOCUMENTS), options)


def _deduplicate(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    licenses = configuration.select.licenses.lists()
    options = DeduplicateOptions(
        **configuration.deduplicate.model_dump(),
        permutations=configuration.annotate.permutations,
        refusals=Refusals(
            allow=licenses.allow,
            deny=licenses.deny,
            opt_outs=opt_outs_path(configuration.opt_out, workspace),
        ),
        index_seed=configuration.annotate.seed,
    )
    return DeduplicateDocuments(workspace, len(_parts(run, tables.DOCUMENTS)), options)


def _select(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    parts = _parts(run, tables.DOCUMENTS)
    options = SelectOptions(
        rules=configuration.select.resolved(),
        licenses=configuration.select.licenses.lists(),
        opt_outs=opt_outs_path(configuration.opt_out, workspace),
    )
    return SelectDocuments(workspace, parts, options)


def _learn(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    choice = configuration.tokenize.tokenizer
    training = None
    if choice.train:
        selected = _manifest(run, tables.SELECTION).statistics.get(f"bytes.{SELECTED}", 0)
        sampling = Sampling(
            fraction=choice.train.sample_bytes / max(selected, 1),
            seed=choice.train.seed,
            redact=configuration.tokenize.redact,
        )
        training = Training(choice.train.vocab_size, choice.train.pattern, sampling)
    options = LearnOptions(
        given="" if training else given_address(workspace),
        training=training,
        whitespace_runs=runs_to_add(choice),
        roles=special_roles(configuration),
    )
    return MakeTokenizer(workspace, _parts(run, tables.DOCUMENTS), options)


def _tokenize(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    tokenize = configuration.tokenize
    fim = tokenize.fill_in_the_middle
    cuts = FimOptions(fim.rate, fim.spm_rate, CutLevel(fim.level), fim.seed) if fim.rate else None
    encoding = EncodingOptions(cuts, Header(tokenize.header))
    options = TokenizeOptions(tokenize.redact, encoding, Order(tokenize.order))
    tokenizer = _manifest(run, tables.TOKENIZER).digest
    return TokenizeDocuments(workspace, _parts(run, tables.DOCUMENTS), tokenizer, options)


def _shard(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    shard = configuration.shard
    _check_repositories(run, shard.mixture.weights.get("repository", {}))
    special = run.file(tables.TOKENIZER, SPECIAL_TOKENS_FILE)
    packing = Packing(
        context_length=shard.context_length,
        sequences_per_shard=shard.sequences_per_shard,
        seed=shard.seed,
        end_of_text=read_special_tokens(special.read_text())[Role.END_OF_TEXT].id,
        method=shard.packing,
    )
    shares_by, shares = next(iter(shard.mixture.shares.items()), ("language", {}))
    mixture = Mixture(
        epochs=shard.epochs,
        weights=shard.mixture.weights,
        shares_by=shares_by,
        shares=shares,
        max_repository_share=shard.mixture.max_repository_share,
    )
    options = ShardOptions(
        packing=packing,
        validation_fraction=shard.validation_fraction,
        mixture=mixture,
        formats=shard.formats,
        identity=_manifest(run, tables.TOKENS).digest,
    )
    return WriteShards(workspace, _parts(run, tables.TOKENS), options)


def _gather(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    trace = configuration.trace
    options = GatherOptions(
        parts=configuration.crawl.parts,
        repositories=trace.repositories if trace else (),
        limits=_limits(configuration),
        cache=str(download_cache(configuration)),
        opt_outs=opt_outs_path(configuration.opt_out, workspace),
    )
    return GatherTrees(workspace, _files(run, tables.REQUESTS), options)


def _trace(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    trace = configuration.trace or Trace()
    options = TraceOptions(
        cache=str(download_cache(configuration)),
        benchmarks=functions_path(configuration.contamination, workspace),
        **trace.model_dump(exclude={"repositories"}),
    )
    return TraceProjects(workspace, _parts(run, tables.TREES), options)


def _collect(configuration: Configuration, run: Run, workspace: Workspace) -> Transform:
    parts = _parts(run, tables.FUNCTIONS)
    collect = configuration.collect
    rules = Rules(
        **collect.model_dump(exclude={"sets", "pass_rates"}),
        pass_rates=pass_rates_of(collect),
    )
    return CollectProblems(workspace, parts, CollectOptions(rules, len(parts), collect.sets))


def _check_repositories(run: Run, wanted: Iterable[str]) -> None:
    """Raises ValueError where the run has no repository of some name, which may be misspelled."""
    missing = set(wanted)
    known: set[str] = set()
    for name in _files(run, tables.REPOSITORIES) if missing else ():
        path = run.file(tables.REPOSITORIES, name)
        known.update(read_part(path, ["repository"])["repository"].to_pylist())
    for name in sorted(missing - known):
        near = difflib.get_close_matches(name, known, 1, 0.4) if len(known) < MANY else []
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"shard.mixture.weights.repository: the run has no {name!r:.80}{hint}")


def _parts(run: Run, table: str) -> list[str]:
    return [name for name in _files(run, table) if tables.is_part(name)]


def _files(run: Run, table: str) -> list[str]:
    return [entry.name for entry in _manifest(run, table).files]


def _manifest(run: Run, table: str) -> Manifest:
    manifest = run.manifest(table)
    if manifest is None:
        raise ValueError(f"{table} is not committed")
    return manifest


_BUILDERS: Mapping[str, Callable[[Configuration, Run, Workspace], Transform]] = {
    "list": _list,
    "crawl": _crawl,
    "annotate": _annotate,
    "parse": _parse,
    "deduplicate": _deduplicate,
    "select": _select,
    "learn": _learn,
    "tokenize": _tokenize,
    "shard": _shard,
    "gather": _gather,
    "trace": _trace,
    "collect": _collect,
}

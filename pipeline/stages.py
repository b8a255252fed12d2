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
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.configuration import Configuration
from pipeline.contamination import state_of as state_of_benchmarks
from pipeline.errors import UsageError
from pipeline.named_files import digest_of_named
from pipeline.optouts import state_of
from pipeline.reading import nearest
from pipeline.tokenizer import measuring_choice, state_of_tokenizer
from pipeline.tracing_settings import Trace
from schemas import tables
from schemas.duplicates import Level
from schemas.redundancy import CHARACTERS_PER_TOKEN, REDUNDANCY
from schemas.syntax import SYNTAX
from schemas.tokenizers import FIM_ROLES, HEADER_ROLES, Role
from transforms.crawl.git.urls import without_credentials
from transforms.crawl.source import Source
from transforms.select.columns import SIDECARS
from transforms.select.rules import wanted_columns


@dataclass(frozen=True)
class Stage:
    """One Beam job from committed inputs to committed outputs.

    ``version`` goes up when the stage's output for equal input changes. ``settings``
    gives the part of the configuration that decides the output. The units of a stage with
    ``by_part`` are the parts of the documents, and each depends on its part of the inputs only.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Callable[[Configuration], dict[str, Any]]
    version: int = 1
    by_part: bool = False

    def fingerprint(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """SHA-256 of everything that decides the output, in hexadecimal."""
        identity = {"settings": settings, "inputs": inputs, "version": self.version}
        return hashlib.sha256(
            json.dumps([self.name, identity], sort_keys=True).encode()
        ).hexdigest()


def ordered_sources(configuration: Configuration) -> tuple[Source, ...]:
    """The sources in an order that does not depend on how the configuration lists them."""
    sources = {
        json.dumps([entry.kind, entry.source.model_dump(mode="json")]): entry.source
        for entry in configuration.sources
    }
    return tuple(source for _, source in sorted(sources.items()))


def source_states(configuration: Configuration) -> list[list[Any]]:
    """What decides the repositories that a configuration names, inside of it and outside.

    Raises:
      UsageError: a source names a file or folder that cannot be read.
    """
    states: list[list[Any]] = []
    for source in ordered_sources(configuration):
        try:
            state = source.state()
        except ValueError as error:
            raise UsageError(f"sources.{source.kind}: {error}") from error
        states.append([source.kind, source.model_dump(mode="json"), state])
    _refuse_namesakes(configuration)
    return states


def _refuse_namesakes(configuration: Configuration) -> None:
    """Raises `UsageError` where two folders or files would be one repository."""
    places: dict[str, str] = {}
    for source in ordered_sources(configuration):
        for name, place in source.places():
            other = places.setdefault(name, place)
            if other != place:
                both = without_credentials(f"{other} and {place}")
                raise UsageError(
                    f"sources.{source.kind}: {both} would both be {name}; "
                    "give one of their sources a `name`"
                )


def _list_settings(configuration: Configuration) -> dict[str, Any]:
    return {"sources": source_states(configuration), "parts": configuration.crawl.parts}


def _crawl_settings(configuration: Configuration) -> dict[str, Any]:
    crawl = configuration.crawl
    return {
        "parts": crawl.parts,
        "languages": sorted(crawl.languages),
        "max_file_bytes": crawl.max_file_bytes,
        "max_repository_bytes": crawl.max_repository_bytes,
        "max_repository_files": crawl.max_repository_files,
        "max_ratio": crawl.max_ratio,
        "max_depth": crawl.max_depth,
    }


def _annotate_settings(configuration: Configuration) -> dict[str, Any]:
    return {
        **configuration.annotate.model_dump(),
        "normalized": Level.NORMALIZED in configuration.deduplicate.levels,
        "contamination": state_of_benchmarks(configuration.contamination),
    }


def _parse_settings(configuration: Configuration) -> dict[str, Any]:
    wanted = wanted_on_demand(configuration)
    settings: dict[str, Any] = {"wanted": list(wanted)}
    if CHARACTERS_PER_TOKEN in wanted:
        settings["tokenizer"] = state_of_tokenizer(measuring_choice(configuration))
    return settings


def wanted_on_demand(configuration: Configuration) -> tuple[str, ...]:
    """What the rules of a configuration ask of the columns that only rules bring about."""
    columns = pa.schema([*SYNTAX, *REDUNDANCY])
    return wanted_columns(configuration.select.resolved(), columns)


def _deduplicate_settings(configuration: Configuration) -> dict[str, Any]:
    deduplicate = configuration.deduplicate
    return {
        "levels": list(deduplicate.levels),
        "threshold": deduplicate.threshold,
        **configuration.annotate.model_dump(),
        **_refusals(configuration),
    }


def _select_settings(configuration: Configuration) -> dict[str, Any]:
    return {
        # A list, because the order of rules decides which one names the bin.
        "rules": [[rule.name, rule.expression] for rule in configuration.select.resolved()],
        **_refusals(configuration),
    }


def _refusals(configuration: Configuration) -> dict[str, Any]:
    licenses = configuration.select.licenses.lists()
    return {
        "licenses": [sorted(licenses.allow), sorted(licenses.deny)],
        # Not among the crawl's, which would fetch everything again for one more entry.
        "opt_out": state_of(configuration.opt_out),
    }


def _learn_settings(configuration: Configuration) -> dict[str, Any]:
    choice = configuration.tokenize.tokenizer
    settings: dict[str, Any] = {"tokenizer": state_of_tokenizer(choice)}
    settings["roles"] = list(special_roles(configuration))
    if choice.train:
        settings["redact"] = sorted(configuration.tokenize.redact)
    return settings


def special_roles(configuration: Configuration) -> tuple[Role, ...]:
    """The roles for which a configuration needs special tokens, besides end-of-text."""
    tokenize = configuration.tokenize
    fim = FIM_ROLES if tokenize.fill_in_the_middle.rate else ()
    return (*fim, *(HEADER_ROLES if tokenize.header == "special" else ()))


def _tokenize_settings(configuration: Configuration) -> dict[str, Any]:
    settings = configuration.tokenize.model_dump(mode="json", exclude={"tokenizer"})
    if not configuration.tokenize.fill_in_the_middle.rate:
        del settings["fill_in_the_middle"]
    return {**settings, "redact": sorted(settings["redact"])}


def _shard_settings(configuration: Configuration) -> dict[str, Any]:
    return configuration.shard.model_dump(mode="json")


def _gather_settings(configuration: Configuration) -> dict[str, Any]:
    crawl = _crawl_settings(configuration)
    del crawl["languages"]
    return {
        **crawl,
        "repositories": sorted(_trace(configuration).repositories),
        "opt_out": state_of(configuration.opt_out),
    }


def _trace_settings(configuration: Configuration) -> dict[str, Any]:
    return {
        **_trace(configuration).model_dump(mode="json", exclude={"repositories"}),
        "contamination": state_of_benchmarks(configuration.contamination),
    }


def _trace(configuration: Configuration) -> Trace:
    return configuration.trace or Trace()


def _collect_settings(configuration: Configuration) -> dict[str, Any]:
    collect = configuration.collect
    settings = collect.model_dump(mode="json")
    settings["sets"] = [
        [Path(each).name, digest_of_named("collect.sets", each)] for each in collect.sets
    ]
    if collect.pass_rates:
        results = collect.pass_rates.results
        settings["pass_rates"]["results"] = digest_of_named("collect.pass_rates.results", results)
    return settings


CORPUS_STAGES: tuple[Stage, ...] = (
    Stage(
        name="list",
        inputs=(),
        outputs=(tables.REQUESTS,),
        settings=_list_settings,
    ),
    Stage(
        name="crawl",
        inputs=(tables.REQUESTS,),
        outputs=(tables.failures_of("crawl"), tables.REPOSITORIES, tables.DOCUMENTS),
        settings=_crawl_settings,
        by_part=True,
    ),
    Stage(
        name="annotate",
        inputs=(tables.DOCUMENTS,),
        outputs=(tables.QUALITY, tables.FINGERPRINT, tables.CONTAMINATION, tables.SECRETS),
        settings=_annotate_settings,
        version=2,
        by_part=True,
    ),
    Stage(
        name="parse",
        inputs=(tables.DOCUMENTS,),
        outputs=(tables.SYNTAX, tables.REDUNDANCY),
        settings=_parse_settings,
        by_part=True,
    ),
    Stage(
        name="deduplicate",
        inputs=(tables.REPOSITORIES, tables.DOCUMENTS, tables.FINGERPRINT),
        outputs=(tables.DUPLICATES, tables.COPIES, tables.BANDS),
        settings=_deduplicate_settings,
    ),
    Stage(
        name="select",
        inputs=(tables.DOCUMENTS, *SIDECARS),
        outputs=(tables.SELECTION,),
        settings=_select_settings,
        by_part=True,
    ),
    Stage(
        name="learn",
        inputs=(tables.DOCUMENTS, tables.SELECTION, tables.SECRETS),
        outputs=(tables.TOKENIZER,),
        settings=_learn_settings,
    ),
    Stage(
        name="tokenize",
        inputs=(tables.DOCUMENTS, tables.SELECTION, tables.SECRETS, tables.TOKENIZER),
        outputs=(tables.TOKENS, tables.READING_ORDER),
        settings=_tokenize_settings,
        by_part=True,
    ),
    Stage(
        name="shard",
        inputs=(
            *(tables.REPOSITORIES, tables.DOCUMENTS, tables.DUPLICATES),
            *(tables.TOKENIZER, tables.TOKENS, tables.READING_ORDER),
        ),
        outputs=(tables.SHARDS, tables.MIXTURE, tables.MEGATRON, tables.MDS),
        settings=_shard_settings,
    ),
)

PROBLEM_STAGES: tuple[Stage, ...] = (
    Stage(
        name="gather",
        inputs=(tables.REQUESTS,),
        outputs=(tables.failures_of("gather"), tables.TREES),
        settings=_gather_settings,
        by_part=True,
    ),
    Stage(
        name="trace",
        inputs=(tables.TREES,),
        outputs=(tables.PROJECTS, tables.FUNCTIONS),
        settings=_trace_settings,
        by_part=True,
    ),
    Stage(
        name="collect",
        inputs=(tables.FUNCTIONS,),
        outputs=(tables.PROBLEMS, tables.PROBLEM_SELECTION),
        settings=_collect_settings,
    ),
)
"""From tests to problems: only where a configuration has a section ``trace``."""

STAGES = (*CORPUS_STAGES, *PROBLEM_STAGES)

PRODUCERS: Mapping[str, Stage] = {table: stage for stage in STAGES for table in stage.outputs}


def stages_of(configuration: Configuration) -> tuple[Stage, ...]:
    """The stages that a configuration asks for, in order."""
    return STAGES if configuration.trace else CORPUS_STAGES


def stages_for(configuration: Configuration, names: Sequence[str]) -> Iterator[Stage]:
    """The named stages and all that they need, in order; all of a configuration for no names.

    Raises:
      UsageError: a name is not a stage's, or the configuration does not ask for that.
    """
    known = {stage.name: stage for stage in STAGES}
    asked = stages_of(configuration)
    wanted: set[str] = set()
    for name in names or [stage.name for stage in asked]:
        if name not in known:
            raise UsageError(f"no stage {name!r}; {nearest(name, known)}")
        if known[name] not in asked:
            raise UsageError(
                f"stage {name} runs tests of repositories, which the configuration does not ask "
                "for: give it a section `trace`, or --set 'trace={}'"
            )
        _add_with_needs(known[name], wanted)
    return (stage for stage in asked if stage.name in wanted)


def _add_with_needs(stage: Stage, wanted: set[str]) -> None:
    wanted.add(stage.name)
    for table in stage.inputs:
        _add_with_needs(PRODUCERS[table], wanted)

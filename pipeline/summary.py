"""What a run came to: the funnel, failures by reason, tokens and shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.runs import Run
from schemas import tables
from schemas.manifest import Manifest
from schemas.problems import KEPT, NOT_VERIFIED
from schemas.repositories import Status
from schemas.selection import OPTED_OUT, SELECTED
from schemas.shards import Split, is_shard


@dataclass(frozen=True)
class Bin:
    """One bin of the funnel."""

    name: str
    documents: int
    bytes: int


@dataclass(frozen=True)
class LanguageTokens:
    """The texts of the selected documents in a language, and their tokens."""

    language: str
    characters: int
    tokens: int


@dataclass(frozen=True)
class TokensSummary:
    """What tokenizing came to.

    ``text_tokens`` are those of texts alone, without headers and what stands for gaps; the
    tokenizer without its added runs of spaces would give ``without_runs`` for
    them. ``engines`` says how many parts each library encoded.
    """

    text_tokens: int
    without_runs: int
    vocabulary: int
    engines: Mapping[str, int]
    languages: tuple[LanguageTokens, ...]


@dataclass(frozen=True)
class SplitSummary:
    """What the shards of a split hold.

    ``documents`` are in it, of which ``cut`` are in more than one sequence, in ``copies``.
    """

    split: str
    files: int
    sequences: int
    documents: int
    copies: int
    cut: int
    tokens: int
    padding: int


@dataclass(frozen=True)
class TracingSummary:
    """What tracing of test suites came to.

    ``functions`` are those that were called, by why they are no problems; ``problems`` are the
    rest, of which ``documented`` have a docstring. All are empty where their stages have not run.
    """

    projects: Mapping[str, int]
    functions: Mapping[str, int]
    problems: int
    documented: int
    cpu_seconds: float


@dataclass(frozen=True)
class Summary:
    """What a run came to. Parts of it are empty where their stages have not run.

    The bins of ``funnel`` are in the order in which rules are tried, what is selected
    last, and add up to ``documents``.
    """

    output: str
    repositories: Mapping[str, int]
    failed_repositories: Mapping[str, int]
    failed_files: Mapping[str, int]
    documents: int
    bytes: int
    funnel: tuple[Bin, ...]
    tokens: int
    tokenizing: TokensSummary | None
    shards: tuple[SplitSummary, ...]
    tracing: TracingSummary | None

    def to_json(self) -> dict[str, Any]:
        """The summary as plain values."""
        return asdict(self)


def summarize(run: Run) -> Summary:
    """Reads the manifests of a run."""
    crawled = _statistics(run.manifest(tables.REPOSITORIES))
    documents = run.manifest(tables.DOCUMENTS)
    funnel = _funnel(run.manifest(tables.SELECTION))
    return Summary(
        output=run.name,
        repositories={status: crawled.get(f"repositories.{status}", 0) for status in Status},
        failed_repositories=_below(crawled, "failures.repositories."),
        failed_files=_below(crawled, "failures.files."),
        documents=documents.rows if documents else 0,
        bytes=crawled.get("bytes", 0),
        funnel=funnel,
        tokens=_statistics(run.manifest(tables.TOKENS)).get("tokens", 0),
        tokenizing=_tokens(run),
        shards=_shards(run.manifest(tables.SHARDS)),
        tracing=_tracing(run),
    )


def _statistics(manifest: Manifest | None) -> Mapping[str, int]:
    return manifest.statistics if manifest else {}


def _below(statistics: Mapping[str, int], prefix: str) -> dict[str, int]:
    found = {
        name.removeprefix(prefix): count
        for name, count in statistics.items()
        if name.startswith(prefix)
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _funnel(selection: Manifest | None) -> tuple[Bin, ...]:
    if selection is None:
        return ()
    statistics = selection.statistics
    names = [OPTED_OUT] if selection.settings.get("opt_out") else []
    names += [name for name, _ in selection.settings["rules"]] + [SELECTED]
    return tuple(
        Bin(name, statistics.get(f"documents.{name}", 0), statistics.get(f"bytes.{name}", 0))
        for name in names
    )


def _tokens(run: Run) -> TokensSummary | None:
    manifest = run.manifest(tables.TOKENS)
    if manifest is None:
        return None
    statistics = manifest.statistics
    languages = _below(statistics, "text_tokens.")
    return TokensSummary(
        text_tokens=statistics.get("text_tokens", 0),
        without_runs=statistics.get("text_tokens_without_runs", 0),
        vocabulary=_statistics(run.manifest(tables.TOKENIZER)).get("vocabulary", 0),
        engines=_below(statistics, "parts."),
        languages=tuple(
            LanguageTokens(language, statistics[f"characters.{language}"], tokens)
            for language, tokens in languages.items()
        ),
    )


def _tracing(run: Run) -> TracingSummary | None:
    traced = run.manifest(tables.PROJECTS)
    if traced is None:
        return None
    collected = _statistics(run.manifest(tables.PROBLEMS))
    rejected = _below(collected, "problems.")
    kept = rejected.pop(KEPT, 0)
    rejected.pop(NOT_VERIFIED, None)
    return TracingSummary(
        projects=_below(traced.statistics, "projects."),
        functions={**_below(traced.statistics, "functions."), **rejected},
        problems=kept,
        documented=collected.get("documented", 0),
        cpu_seconds=traced.statistics.get("cpu_milliseconds", 0) / 1000,
    )


def _shards(manifest: Manifest | None) -> tuple[SplitSummary, ...]:
    if manifest is None:
        return ()
    names = [entry.name for entry in manifest.files if is_shard(entry.name)]
    return tuple(
        SplitSummary(
            split=str(split),
            files=sum(name.startswith(f"{split}-") for name in names),
            **{
                name: manifest.statistics.get(f"{split}.{name}", 0)
                for name in ("sequences", "documents", "copies", "cut", "tokens", "padding")
            },
        )
        for split in Split
    )

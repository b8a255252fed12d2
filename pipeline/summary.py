"""What a run came to: the funnel, failures by reason, tokens and shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.folder import RunFolder
from schemas import tables
from schemas.manifest import Manifest
from schemas.repositories import Status
from schemas.selection import OPTED_OUT, SELECTED
from schemas.shards import Split
from schemas.tokens import TOKENIZER_FILE


@dataclass(frozen=True)
class Bin:
    """One bin of the funnel."""

    name: str
    documents: int
    bytes: int


@dataclass(frozen=True)
class SplitSummary:
    """What the shards of a split hold."""

    split: str
    files: int
    sequences: int
    tokens: int
    padding: int


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
    shards: tuple[SplitSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """The summary as plain values."""
        return asdict(self)


def summarize(run: RunFolder) -> Summary:
    """Reads the manifests of a run."""
    crawled = _statistics(run.manifest(tables.REPOSITORIES))
    documents = run.manifest(tables.DOCUMENTS)
    tokens = _statistics(run.manifest(tables.TOKENS))
    funnel = _funnel(run.manifest(tables.SELECTION))
    return Summary(
        output=str(run.path),
        repositories={status: crawled.get(f"repositories.{status}", 0) for status in Status},
        failed_repositories=_below(crawled, "failures.repositories."),
        failed_files=_below(crawled, "failures.files."),
        documents=documents.rows if documents else 0,
        bytes=crawled.get("bytes", 0),
        funnel=funnel,
        tokens=tokens.get("tokens", 0),
        shards=_shards(run.manifest(tables.SHARDS)),
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


def _shards(manifest: Manifest | None) -> tuple[SplitSummary, ...]:
    if manifest is None:
        return ()
    names = [entry.name for entry in manifest.files if entry.name != TOKENIZER_FILE]
    return tuple(
        SplitSummary(
            split=split,
            files=sum(name.startswith(f"{split}-") for name in names),
            sequences=manifest.statistics.get(f"{split}.sequences", 0),
            tokens=manifest.statistics.get(f"{split}.tokens", 0),
            padding=manifest.statistics.get(f"{split}.padding", 0),
        )
        for split in Split
    )

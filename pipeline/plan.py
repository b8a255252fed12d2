"""What a run of some size would take: a model of each stage, its constants measured.

CPU seconds and memory are lines over the size of the text, or of a part of it where a stage
works by parts; sizes of tables are shares of the text. Their constants are in
`pipeline.costs`; docs/scale.md says how far off the model was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from pipeline.configuration import Configuration
from pipeline.costs import (
    BAND_FILE_BYTES,
    COSTS,
    DOCUMENT_BYTES,
    DOCUMENT_COLUMNS_SHARE,
    FETCHING_SECONDS,
    GB,
    HELD_PART_BYTES,
    LISTING_SECONDS,
    MACHINE,
    NAME_BYTES,
    PARSE_SECONDS_A_GB,
    PERMUTATIONS,
    PIECE_BYTES,
    REPOSITORY_BYTES,
    SCANNING_SECONDS,
    SECTION_FILES,
    SECTION_PIECES,
    SELECTED_SHARE,
    SHARDS_A_TOKEN,
    SHUFFLES,
    STAGED_FILES,
    STORE,
    TABLE_SHARES,
    TOKEN_BYTES,
    TOKENIZER_FILES,
    TOKENS_A_BYTE,
    TRACING_SECONDS,
    StageCost,
)
from pipeline.stages import Stage, stages_of, wanted_on_demand
from schemas import tables
from schemas.duplicates import Level

MAX_PARTS = 1 << 20
PART_BYTES = 256_000_000
"""Text of a part in the plans made here: a worker holds some of it at a time."""
UNITS_A_WORKER = 4
"""Parts a worker at least: they are uneven, and the last ones keep few workers busy."""


@dataclass(frozen=True)
class Corpus:
    """How much there is to do, and what the text is like.

    ``selected`` is the share of it that is selected, ``tokens_a_byte`` how many tokens a byte
    of that has.
    """

    repositories: int
    bytes: int
    selected: float = SELECTED_SHARE
    tokens_a_byte: float = TOKENS_A_BYTE

    def __post_init__(self) -> None:
        if self.repositories < 1 or self.bytes < 1:
            raise ValueError(
                f"a plan needs at least one repository and one byte, got {self.repositories} "
                f"and {self.bytes}"
            )

    @property
    def documents(self) -> int:
        """About how many documents the text is in."""
        return max(self.repositories, math.ceil(self.bytes / DOCUMENT_BYTES))


@dataclass(frozen=True)
class StagePlan:
    """What a stage would take. ``workers`` can be busy at once; bytes are those of files."""

    name: str
    units: int
    workers: int
    cpu_seconds: float
    seconds: float
    memory: int
    shuffled: int
    read: int
    written: int
    files: int
    puts: int
    gets: int


@dataclass(frozen=True)
class RunPlan:
    """What a run would take, and what stands in its way."""

    corpus: Corpus
    workers: int
    machines: int
    parts: int
    recommended_parts: int
    stages: tuple[StagePlan, ...]
    stored: int
    problems: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """From the first stage to the last, one after another."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def dollars(self) -> Mapping[str, float]:
        """What the machines, the requests and a month of the files would cost."""
        puts, gets = (sum(getattr(stage, n) for stage in self.stages) for n in ("puts", "gets"))
        return {
            "machines": self.machines * self.seconds / 3600 * MACHINE.dollars_an_hour,
            "requests": puts * STORE.dollars_a_put + gets * STORE.dollars_a_get,
            "a month of storage": self.stored / GB * STORE.dollars_a_gb_month,
        }

    def to_json(self) -> dict[str, Any]:
        """The plan for programs."""
        return {**asdict(self), "seconds": self.seconds, "dollars": dict(self.dollars)}


def plan_run(
    configuration: Configuration, corpus: Corpus, workers: int, threads: int = 1
) -> RunPlan:
    """What all stages of a configuration would take over a corpus.

    ``workers`` are busy at a time, ``threads`` of them in each process.
    """
    model = _Model(configuration, corpus, workers, threads)
    stages = tuple(model.stage(stage) for stage in stages_of(configuration))
    return RunPlan(
        corpus=corpus,
        workers=workers,
        machines=math.ceil(workers / MACHINE.cores),
        parts=configuration.crawl.parts,
        recommended_parts=recommend_parts(corpus, workers),
        stages=stages,
        stored=sum(stage.written for stage in stages),
        problems=tuple(model.problems(stages)),
    )


def recommend_parts(corpus: Corpus, workers: int) -> int:
    """A power of two of parts of about `PART_BYTES`, some for each worker."""
    wanted = max(corpus.bytes / PART_BYTES, UNITS_A_WORKER * workers, 32)
    return min(1 << math.ceil(math.log2(wanted)), MAX_PARTS)


@dataclass(frozen=True)
class _Model:
    configuration: Configuration
    corpus: Corpus
    workers: int
    threads: int

    def stage(self, stage: Stage) -> StagePlan:
        cost, corpus = COSTS[stage.name], self.corpus
        units = self.units(stage.name)
        workers = min(self.workers, units)
        gb = self._gb(stage.name)
        work = gb * self._cpu_seconds_a_gb(stage.name) + self._repository_seconds(stage.name)
        serial = gb * cost.serial_seconds_a_gb
        start = cost.cpu_seconds
        read = sum(self._bytes_read(stage, table) for table in stage.inputs)
        written = sum(self.table_bytes(table) for table in stage.outputs)
        staged = int(corpus.bytes * cost.staged_a_byte)
        files = self._files_made(stage, units)
        return StagePlan(
            name=stage.name,
            units=units,
            workers=workers,
            cpu_seconds=start * math.ceil(workers / self.threads) + work,
            seconds=start + serial + max(work - serial, 0.0) / workers,
            memory=self._memory(cost),
            shuffled=NAME_BYTES * units * SHUFFLES.get(stage.name, 1),
            read=read + staged,
            written=written,
            files=files,
            puts=3 * files + (written + staged) // PIECE_BYTES,
            gets=self._gets(stage, read + staged),
        )

    def units(self, stage: str) -> int:
        """How many workers at most can be busy at a time."""
        if stage == "list":
            return len(self.configuration.sources)
        if stage == "learn":
            return 1
        if stage == "shard":
            return self._shards()
        if stage == "trace":
            return self.corpus.repositories
        return self.configuration.crawl.parts

    def table_bytes(self, table: str) -> int:
        """The bytes of a table's files."""
        corpus, shard = self.corpus, self.configuration.shard
        if table in REPOSITORY_BYTES:
            return REPOSITORY_BYTES[table] * corpus.repositories
        if table in (tables.TOKENS, tables.SHARDS, tables.MEGATRON, tables.MDS):
            tokens = corpus.bytes * corpus.selected * corpus.tokens_a_byte * TOKEN_BYTES
            if table == tables.TOKENS:
                return int(tokens)
            wanted = table == tables.SHARDS or table in shard.formats
            return int(tokens * SHARDS_A_TOKEN * shard.epochs) if wanted else 0
        permutations = self.configuration.annotate.permutations
        scale = permutations / PERMUTATIONS if table == tables.FINGERPRINT else 1.0
        return int(TABLE_SHARES[table] * scale * corpus.bytes)

    def files(self, table: str) -> int:
        """How many files a table has, its manifest included."""
        shards, sources = self._shards(), len(self.configuration.sources)
        few = {
            tables.REQUESTS: sources,
            tables.COPIES: 1,
            tables.BANDS: math.ceil(self.table_bytes(table) / BAND_FILE_BYTES),
            tables.TOKENIZER: TOKENIZER_FILES,
            tables.MIXTURE: 1,
            tables.SHARDS: shards + TOKENIZER_FILES,
            tables.MEGATRON: 2 * shards,
            tables.MDS: shards + 1,
        }
        wanted = table not in (tables.MEGATRON, tables.MDS) or self.table_bytes(table)
        return 1 + (few.get(table, self.configuration.crawl.parts) if wanted else 0)

    def problems(self, stages: Iterable[StagePlan]) -> Iterator[str]:
        """What would not work, with what to do about it."""
        if self.corpus.documents >= 1 << 32:
            yield (
                f"{self.corpus.documents:,} documents are more than a run can deduplicate (2^32): "
                "divide the sources among runs"
            )
        recommended = recommend_parts(self.corpus, self.workers)
        if not recommended / 2 <= self.configuration.crawl.parts <= 2 * recommended:
            yield (
                f"crawl.parts is {self.configuration.crawl.parts:,}: {recommended:,} would make "
                f"parts of {self.corpus.bytes / recommended / 1e6:,.0f} MB"
            )
        for stage in stages:
            cost, by_part = COSTS[stage.name], COSTS[stage.name].by_part
            many = by_part or cost.memory_a_piece
            processes = min(MACHINE.cores, math.ceil(stage.workers / self.threads)) if many else 1
            if processes * stage.memory > MACHINE.memory:
                where = f"in each of {processes} processes" if processes > 1 else "in one process"
                yield (
                    f"{stage.name} holds {stage.memory / GB:,.1f} GB {where} of a {MACHINE.name}, "
                    f"which has {MACHINE.memory / GB:,.0f} GB: "
                    + ("make more parts" if by_part else "divide the sources among runs")
                )

    def _shards(self) -> int:
        """Files of the training and of the validation split."""
        shard = self.configuration.shard
        sequence = shard.context_length * TOKEN_BYTES * shard.sequences_per_shard
        return 2 + math.ceil(self.table_bytes(tables.SHARDS) / sequence)

    def _gb(self, stage: str) -> float:
        worked_on = self.table_bytes(tables.SHARDS) if stage == "shard" else self.corpus.bytes
        return worked_on / GB

    def _cpu_seconds_a_gb(self, stage: str) -> float:
        asked = stage == "parse" and self._parses
        return COSTS[stage].cpu_seconds_a_gb + (PARSE_SECONDS_A_GB if asked else 0.0)

    @cached_property
    def _parses(self) -> bool:
        return bool(wanted_on_demand(self.configuration))

    def _repository_seconds(self, stage: str) -> float:
        repositories = self.corpus.repositories
        if stage == "list":
            return LISTING_SECONDS * repositories
        if stage != "crawl":
            return repositories * TRACING_SECONDS.get(stage, 0.0)
        fetching = max(FETCHING_SECONDS.get(each.kind, 0.0) for each in self.configuration.sources)
        return repositories * (fetching + SCANNING_SECONDS * self._processes)

    @property
    def _processes(self) -> int:
        """Of workers that crawl: each reads the whole list once, to find its parts in it."""
        return math.ceil(min(self.workers, self.configuration.crawl.parts) / self.threads)

    def _memory(self, cost: StageCost) -> int:
        corpus, configuration = self.corpus, self.configuration
        part = min(corpus.bytes / configuration.crawl.parts, HELD_PART_BYTES)
        growing = cost.memory_a_byte * (self.threads * part if cost.by_part else corpus.bytes)
        if cost.budgeted:
            growing = min(growing, configuration.deduplicate.memory_bytes)
        if Level.REPOSITORY in configuration.deduplicate.levels:
            growing += cost.memory_a_document * corpus.documents
        growing += cost.memory_a_piece * self.threads * min(self._pieces, SECTION_PIECES)
        return int(cost.memory + growing + cost.memory_a_repository * corpus.repositories)

    def _bytes_read(self, stage: Stage, table: str) -> int:
        learns = self.configuration.tokenize.tokenizer.train is not None
        if stage.name == "learn" and not learns:
            return 0
        parses = stage.name == "parse" and self._parses
        reads_text = COSTS[stage.name].reads_text or parses or stage.name == "learn"
        if table == tables.DOCUMENTS and not reads_text:
            return int(DOCUMENT_COLUMNS_SHARE * self.corpus.bytes)
        return self.table_bytes(table)

    def _files_made(self, stage: Stage, units: int) -> int:
        """Files of tables, receipts, and what steps of a stage leave for one another."""
        return sum(map(self.files, stage.outputs)) + units + self._staged_files(stage)

    def _staged_files(self, stage: Stage) -> int:
        staged = STAGED_FILES.get(stage.name, 0) * self.configuration.crawl.parts
        if stage.name == "shard":
            sections = math.ceil(self._pieces / SECTION_PIECES)
            # Each names its documents to all others, and its sequences to all buckets.
            staged += sections * (SECTION_FILES + 2 * sections)
        return staged

    @property
    def _pieces(self) -> int:
        """About how many pieces of documents are in one epoch of the shards."""
        tokens = self.table_bytes(tables.TOKENS) // TOKEN_BYTES
        documents = math.ceil(self.corpus.documents * self.corpus.selected)
        return documents + tokens // self.configuration.shard.context_length

    def _gets(self, stage: Stage, read: int) -> int:
        """Requests of size and content of each file, and of the list for each process."""
        files = sum(map(self.files, stage.inputs)) if read else 0
        lists = 2 * self._processes * self.files(tables.REQUESTS) if stage.name == "crawl" else 0
        return 2 * (files + self._staged_files(stage)) + lists + read // PIECE_BYTES

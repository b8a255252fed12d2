"""The constants of plans: what stages, tables and requests take, and what machines cost.

Measured by ``python -m benchmarks plan``, which prints `COSTS` and `TABLE_SHARES` anew, on
the machine and from the corpus that its report names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas import tables

GB = 1e9
PIECE_BYTES = 8 << 20
"""Objects larger than this go in pieces, each a request (boto3's default)."""
NAME_BYTES = 16
"""What a part's name takes in a shuffle."""

DOCUMENT_BYTES = 11_700
SELECTED_SHARE = 0.44
TOKENS_A_BYTE = 0.313
"""The reference corpus (benchmarks/reference.yaml): mean size of a document, the share of its
text that is selected by default (half of it are duplicates), and tokens of p50k."""
SHARDS_A_TOKEN = 1.02
"""Bytes of shards for each byte of tokens: what they say of sequences and documents."""


@dataclass(frozen=True)
class StageCost:
    """The constants of a stage, on one core of the machine that they were measured on.

    CPU seconds are those of a process, and those for each GB of text or, of shard, of shards;
    ``serial_seconds_a_gb`` are those in which one worker works and all others wait.
    ``memory`` is that of a process with the code of the stage, ``memory_a_byte`` that for each
    byte of the parts that it works on where ``by_part``, up to `HELD_PART_BYTES` of each, else of
    the run, up to ``deduplicate.memory_bytes`` where that is its ``budgeted`` part; of each piece
    of a section it holds ``memory_a_piece``, of each repository ``memory_a_repository``, and of
    each document ``memory_a_document`` where copies of repositories are asked for. Pages of
    files are left out, which the system takes back when it needs them.
    """

    cpu_seconds: float
    cpu_seconds_a_gb: float
    memory: float
    memory_a_byte: float = 0.0
    budgeted: bool = False
    memory_a_piece: float = 0.0
    memory_a_document: float = 0.0
    memory_a_repository: float = 0.0
    serial_seconds_a_gb: float = 0.0
    staged_a_byte: float = 0.0
    by_part: bool = True
    reads_text: bool = False


COSTS: Mapping[str, StageCost] = {
    "list": StageCost(cpu_seconds=3.0, cpu_seconds_a_gb=0.0, memory=200e6),
    "crawl": StageCost(4.3, 22.2, memory=720e6, memory_a_byte=0.6),
    "annotate": StageCost(7.6, 14.3, memory=430e6, memory_a_byte=1.25, reads_text=True),
    "parse": StageCost(4.5, 0.12, memory=180e6, memory_a_byte=0.19),
    "deduplicate": StageCost(
        *(6.0, 6.6),
        memory=575e6,
        memory_a_byte=0.0323,
        budgeted=True,
        # Counted from the arrays of the step that compares repositories: runs that were
        # measured have too few documents to see it.
        memory_a_document=40,
        serial_seconds_a_gb=0.03,
        staged_a_byte=0.4,
        by_part=False,
        reads_text=True,
    ),
    "select": StageCost(4.8, 0.1, memory=220e6, memory_a_byte=0.35),
    "learn": StageCost(6.4, 0.0, memory=297e6),
    "tokenize": StageCost(5.5, 11.4, memory=630e6, memory_a_byte=3.3, reads_text=True),
    "shard": StageCost(
        # By shards, which copies with other names have more of.
        *(5.2, 6.6),
        memory=276e6,
        # Measured on sections of drawn documents (docs/scale.md), as are the seconds of steps of
        # one worker; counted is what the choice of splits holds of repositories that share
        # clusters.
        memory_a_piece=100,
        memory_a_repository=40,
        serial_seconds_a_gb=0.04,
        staged_a_byte=0.016,
        by_part=False,
    ),
    "gather": StageCost(4.3, 0.0, memory=400e6),
    "trace": StageCost(6.0, 0.0, memory=900e6),
    "collect": StageCost(4.5, 0.0, memory=300e6, by_part=False),
}
"""CPU seconds: lines through runs of 0.47 and 1.88 GB, but for parse and select, of which a run of
9.89 GB says more. Memory: what fits all three. All on the machine of 2026-11-27-plan.md."""

HELD_PART_BYTES = 140_000_000
"""Text of a part from which on a worker holds no more of it: it reads row groups one by one.
Measured up to parts of 309 MB."""

TABLE_SHARES: Mapping[str, float] = {
    tables.failures_of("crawl"): 0.00004,
    tables.DOCUMENTS: 0.197,
    tables.QUALITY: 0.0045,
    tables.FINGERPRINT: 0.0685,
    tables.CONTAMINATION: 0.0001,
    tables.SECRETS: 0.0001,
    tables.SYNTAX: 0.0001,
    tables.REDUNDANCY: 0.0001,
    tables.DUPLICATES: 0.0003,
    tables.COPIES: 0.0,
    tables.BANDS: 0.0192,
    tables.SELECTION: 0.00004,
    tables.TOKENIZER: 0.0,
    tables.READING_ORDER: 0.0001,
    tables.MIXTURE: 0.00001,
}
"""Bytes of files for each byte of text, but for what is made of tokens."""

REPOSITORY_BYTES: Mapping[str, int] = {
    tables.REQUESTS: 16,
    tables.REPOSITORIES: 100,
    tables.failures_of("gather"): 100,
    tables.TREES: 170_000,
    tables.PROJECTS: 2_200,
    tables.FUNCTIONS: 26_000,
    tables.PROBLEMS: 17_000,
    tables.PROBLEM_SELECTION: 300,
}
"""Bytes of files for each repository: the former of a list of a million, the latter by its
columns, of which a revision of git takes 20 whatever is done. From gather on they are those of the
ten projects that docs/trace.md names, in which every repository has tests."""

TRACING_SECONDS: Mapping[str, float] = {"gather": 0.3, "trace": 32.0, "collect": 0.05}
"""CPU seconds for each repository that is traced, of those ten projects."""

DOCUMENT_COLUMNS_SHARE = 0.0033
"""Bytes of the columns of documents besides their text, for each byte of that."""

STAGED_FILES: Mapping[str, int] = {"deduplicate": 4, "shard": 1}
"""Files for each part that steps of a stage leave for one another."""

SECTION_PIECES = 1 << 23
"""Documents and sequences of a section of shard (`transforms.shard.options`)."""

SECTION_FILES = 8
"""Files that steps of shard leave of each section, besides two for each pair of sections."""

SHUFFLES: Mapping[str, int] = {"deduplicate": 9, "shard": 2}
"""How often the names of parts are shuffled, where more than once."""

TOKENIZER_FILES = 4
TOKEN_BYTES = 2
PERMUTATIONS = 256
"""Those of signatures in the runs that were measured."""
BAND_FILE_BYTES = 268_435_456
"""A file of bands holds what fits into a quarter of the default memory of deduplicate."""

PARSE_SECONDS_A_GB = 18.0
"""CPU seconds where rules ask for syntax (2026-11-27-kernels.md: 55 MB a second)."""

FETCHING_SECONDS: Mapping[str, float] = {"git": 0.022, "github": 0.022}
"""CPU seconds for each repository of a source, where they are many (2026-11-24-git.md, HTTP)."""
LISTING_SECONDS = 17e-6
SCANNING_SECONDS = 6.8e-8
"""CPU seconds for a repository in a list of a million, and for a process to look for its part."""


@dataclass(frozen=True)
class Machine:
    """A machine of a cluster and its price."""

    name: str
    cores: int
    memory: int
    dollars_an_hour: float


@dataclass(frozen=True)
class Prices:
    """What an object store charges."""

    name: str
    dollars_a_put: float
    dollars_a_get: float
    dollars_a_gb_month: float


MACHINE = Machine("m6i.2xlarge", cores=8, memory=32 << 30, dollars_an_hour=0.384)
STORE = Prices("S3 Standard", 0.005 / 1000, 0.0004 / 1000, 0.023)
"""List prices of AWS in us-east-1, on demand; a core stands for a core measured on."""

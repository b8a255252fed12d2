"""The names of a run's tables, which are also their folders in it, and of their parts."""

from __future__ import annotations

REQUESTS = "requests"
REPOSITORIES = "repositories"
DOCUMENTS = "documents"
QUALITY = "attributes/quality"
FINGERPRINT = "attributes/fingerprint"
CONTAMINATION = "attributes/contamination"
SECRETS = "attributes/secrets"
SYNTAX = "attributes/syntax"
REDUNDANCY = "attributes/redundancy"
DUPLICATES = "attributes/duplicates"
BANDS = "attributes/bands"
COPIES = "copies"
SELECTION = "attributes/selection"
TOKENIZER = "tokenizer"
TOKENS = "tokens"
READING_ORDER = "reading_order"
MIXTURE = "mixture"
SHARDS = "shards"
MEGATRON = "megatron"
MDS = "mds"
TREES = "trees"
PROJECTS = "projects"
FUNCTIONS = "functions"
PROBLEMS = "problems"
PROBLEM_SELECTION = "problem_selection"


def failures_of(stage: str) -> str:
    """The name of the failures table of a stage."""
    return f"failures/{stage}"


def part_name(number: int, suffix: str = "parquet") -> str:
    """The file name of a table's part, such as ``part-00007.parquet``."""
    return f"part-{number:05d}.{suffix}"


def is_part(name: str) -> bool:
    """Whether a file of a table is a part, and does not belong to all of them."""
    return name.startswith("part-")


def part_number(name: str) -> int:
    """The number in the file name of a table's part."""
    return int(name.removeprefix("part-").split(".")[0])

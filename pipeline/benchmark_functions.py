"""The functions that benchmarks ask for, with which those of test suites are compared."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.benchmark_files import benchmark_name
from pipeline.contamination import HUMANEVAL, Contamination, read_benchmark
from transforms.parts import Workspace
from transforms.problemsets.problem_files import ProblemFileError, read_problems
from transforms.stores.store import local_path
from transforms.trace.verification import (
    BenchmarkProblem,
    benchmark_problems,
    humaneval_problems,
    problems_to_json,
)

FUNCTIONS_FILE = "contamination/functions.json"
"""The file of these problems in the workspace of a stage."""


def prepare_functions(contamination: Contamination) -> bytes:
    """The content of that file; of benchmarks that ask for no code it has the texts.

    Raises:
      UsageError: a benchmark cannot be read.
    """
    names = contamination.benchmarks
    return problems_to_json(each for name in names for each in _problems(name, contamination))


def functions_path(contamination: Contamination, workspace: Workspace) -> str:
    """Where the workers of a stage find the file; empty where there are no benchmarks."""
    return workspace.files.address(FUNCTIONS_FILE) if contamination.benchmarks else ""


def _problems(benchmark: str, contamination: Contamination) -> Iterator[BenchmarkProblem]:
    if benchmark == HUMANEVAL:
        yield from humaneval_problems()
        return
    name = benchmark_name(benchmark)
    try:
        found = read_problems(local_path(benchmark)).problems
    except ProblemFileError:
        for problem in read_benchmark(benchmark, contamination):
            text = b"\n".join(problem.texts).decode("utf-8", "replace")
            yield BenchmarkProblem(f"{name}/{problem.task}", text, "", "", ())
    else:
        yield from benchmark_problems(name, found.values())

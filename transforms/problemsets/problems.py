"""Problems: what a model is asked to write, and the tests that say whether it is right."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.syntax_trees import parse_module


@dataclass(frozen=True)
class CodeTest:
    """Tests that are code, which runs after a program and in its namespace.

    With ``has_check`` the code defines a function `check`, which is then called with what
    the program calls ``entry_point`` (HumanEval); otherwise it is assertions about that
    (MBPP). What holds is the code's to say, so that a program can lie to it.
    """

    entry_point: str
    code: str
    has_check: bool


@dataclass(frozen=True)
class ValueCase:
    """One call of a function: its arguments, and the values any of which it may return."""

    args: tuple[Any, ...]
    accepted: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ValueTest:
    """Calls of the function ``entry_point`` that `program` defines.

    With ``is_json`` the accepted values have been through JSON, and what a function returns
    has to go there before they are compared: tuples become lists, and keys of dictionaries
    text.
    """

    entry_point: str
    cases: tuple[ValueCase, ...]
    is_json: bool


@dataclass(frozen=True)
class StreamCase:
    """One run of a program: what it reads from standard input, and what it has to print."""

    stdin: str
    stdout: str
    is_hidden: bool = False
    """Whether it is no part of the statement, so that a sample cannot have been told it."""


@dataclass(frozen=True)
class StreamTest:
    """Runs of a program that reads and prints."""

    cases: tuple[StreamCase, ...]


@dataclass(frozen=True)
class Problem:
    """A problem, its tests and a completion that passes them where one is known.

    With ``is_continued`` the prompt is the beginning of the program and a completion goes
    on from there; otherwise it is the statement, and a completion is the whole program.
    """

    task_id: str
    prompt: str
    test: CodeTest | ValueTest | StreamTest
    reference: str | None
    is_continued: bool


def program(problem: Problem, completion: str) -> str:
    """The code that is run for a completion, before any tests; it ends with a line end.

    Where a function is called that the program has as a method of a class `Solution`, as
    answers to some problems of APPS do, that of an instance becomes the function.
    """
    code = f"{problem.prompt}{completion}\n" if problem.is_continued else f"{completion}\n"
    if isinstance(problem.test, ValueTest) and not problem.is_continued:
        name = problem.test.entry_point
        code += f'if "{name}" not in globals() and "Solution" in globals():\n'
        code += f"    {name} = Solution().{name}\n"
    return code


def imported_modules(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The modules that prompts, tests and references import, which samples may, too; sorted."""
    found = (name for problem in problems for code in _codes(problem) for name in _imports(code))
    return tuple(sorted(set(found)))


def _codes(problem: Problem) -> Iterator[str]:
    yield program(problem, problem.reference or "    pass")
    if isinstance(problem.test, CodeTest):
        yield problem.test.code


def _imports(code: str) -> Iterator[str]:
    try:
        tree = parse_module(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]

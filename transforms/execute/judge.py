"""Judge: runs a sample against the tests of its problem, and says what it is worth.

A program is never asked how it did. Where a problem has values, it is asked for them, and
they are compared here. Where tests are code, they run in another process than the program
(apart), which reaches its functions by plain data. Tests that need more of a program than
that run in its process (together), and what they say is believed only of a program that does
not also pass what no right one can (`transforms.execute.canary`).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from schemas.verdicts import Verdict
from transforms.execute.canary import write_canaries
from transforms.execute.comparison import equals, prints, through_json
from transforms.execute.results import Result
from transforms.problemsets.problems import CodeTest, Problem, StreamTest, ValueTest, program
from transforms.sandbox.client import Sandbox
from transforms.sandbox.outcomes import (
    Ending,
    Outcome,
    describe_exception,
    ending_of_exception,
)
from transforms.sandbox.values import ValueFormatError, decode
from transforms.syntax_trees import parse_module

_MOST_REASON = 300


class Judge:
    """Judges samples in one sandbox, one after another."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._apart: dict[str, bool] = {}
        self._canaries: dict[str, tuple[str, ...]] = {}

    def judge(self, problem: Problem, completion: str) -> Result:
        """What becomes of a completion; always the same for the same one."""
        source, test = program(problem, completion), problem.test
        if isinstance(test, StreamTest):
            return self._judge_streams(source, test)
        if isinstance(test, ValueTest):
            return self._judge_values(source, test)
        if self._runs_apart(problem, test):
            return self._judge_apart(source, problem, test)
        return self._judge_together(source, problem, test)

    def _runs_apart(self, problem: Problem, test: CodeTest) -> bool:
        """Whether a problem's tests can do with plain data, as far as its reference shows."""
        if problem.task_id not in self._apart:
            if problem.reference is None:
                apart = not _foreign_names(problem, test)
            else:
                source = program(problem, problem.reference)
                result = self._judge_apart(source, problem, test)
                # A reference that passes neither way says nothing about the ways.
                apart = result.verdict is Verdict.PASSED or not self._passes(
                    source, test, test.code
                )
            self._apart[problem.task_id] = apart
        return self._apart[problem.task_id]

    def _judge_apart(self, source: str, problem: Problem, test: CodeTest) -> Result:
        asked = {
            "entry_point": test.entry_point,
            "setup": _setup(problem),
            "code": test.code,
            "check": test.has_check,
        }
        outcome = self._sandbox.run_test(source, asked)
        message = outcome.messages[-1] if outcome.messages else None
        if not isinstance(message, dict):
            return _unless_returned(outcome)
        if outcome.ending is Ending.RETURNED and message.get("passed") is True:
            return _result(outcome, Verdict.PASSED, None)
        ended_itself = outcome.ending in (Ending.RETURNED, Ending.ERROR)
        if ended_itself and message.get("ended") is True:
            # With which exit status depends on what it was about to say.
            return _result(outcome, Verdict.ERROR, "it ended before its tests did")
        # What ends a program for its output comes sooner or later than what its test says.
        if outcome.ending is Ending.OUTPUT:
            return _unless_returned(outcome)
        if message.get("of") == "test":
            return _judge_assertion(outcome, message, test.code)
        return _unless_returned(outcome)

    def _judge_together(self, source: str, problem: Problem, test: CodeTest) -> Result:
        outcome = self._load(source, test, test.code)
        if outcome.ending is Ending.ERROR:
            return _judge_failure(outcome, source, test.code)
        if outcome.ending is not Ending.RETURNED:
            return _unless_returned(outcome)
        if outcome.messages != ({},):
            return _result(outcome, Verdict.ERROR, "it ended before its tests did")
        if any(self._passes(source, test, canary) for canary in self._canaries_of(problem, test)):
            reason = "it also passes a test that no program can pass"
            return _result(outcome, Verdict.FORGED, reason)
        return _result(outcome, Verdict.PASSED, None)

    def _canaries_of(self, problem: Problem, test: CodeTest) -> tuple[str, ...]:
        """The canaries of a test, which a reference does not pass where there is one."""
        if problem.task_id not in self._canaries:
            canaries = tuple(write_canaries(test))
            if problem.reference is not None:
                source = program(problem, problem.reference)
                canaries = tuple(each for each in canaries if not self._passes(source, test, each))
            self._canaries[problem.task_id] = canaries
        return self._canaries[problem.task_id]

    def _passes(self, source: str, test: CodeTest, code: str) -> bool:
        """Whether a program says that it does."""
        return self._load(source, test, code).messages == ({},)

    def _load(self, source: str, test: CodeTest, code: str) -> Outcome:
        call = f"\ncheck({test.entry_point})\n" if test.has_check else "\n"
        return self._sandbox.call_functions(f"{source}\n{code}{call}", [])

    def _judge_values(self, source: str, test: ValueTest) -> Result:
        calls = [(test.entry_point, case.args, case.kwargs) for case in test.cases]
        outcome = self._sandbox.call_functions(source, calls)
        # What ends it for its output comes sooner or later than its answers.
        if outcome.messages[:1] != ({},) or outcome.ending is Ending.OUTPUT:
            return _unless_returned(outcome)
        answers = outcome.messages[1:]
        for number, (case, answer) in enumerate(zip(test.cases, answers, strict=False), 1):
            fault = _fault(answer, case.accepted, is_json=test.is_json)
            if fault is not None:
                return _result(outcome, fault[0], f"call {number}: {fault[1]}")
        if len(answers) < len(test.cases) or outcome.ending is not Ending.RETURNED:
            return _unless_returned(outcome)
        return _result(outcome, Verdict.PASSED, None)

    def _judge_streams(self, source: str, test: StreamTest) -> Result:
        seconds, memory_bytes = 0.0, 0
        for number, case in enumerate(test.cases):
            stdin = case.stdin.encode("utf-8", "surrogateescape")
            outcome = self._sandbox.run_script(source, stdin, with_errors=False)
            seconds += outcome.seconds
            memory_bytes = max(memory_bytes, outcome.memory_bytes)
            result = _result(outcome, Verdict.PASSED, None)
            if outcome.ending is not Ending.RETURNED:
                result = _unless_returned(outcome)
            elif not prints(outcome.output.decode(errors="replace"), case.stdout):
                reason = f"run {number + 1}: it printed {_shown(outcome.output)}"
                result = _result(outcome, Verdict.FAILED, reason)
            if result.verdict is not Verdict.PASSED:
                break
        return replace(result, seconds=seconds, memory_bytes=memory_bytes)


def _judge_failure(outcome: Outcome, source: str, code: str) -> Result:
    """What a program and its test raised in one process, as the program says."""
    message = outcome.messages[0] if outcome.messages else None
    line = message.get("line") if isinstance(message, dict) else None
    before = source.count("\n") + 1
    if isinstance(message, dict) and isinstance(line, int) and line > before:
        return _judge_assertion(outcome, {**message, "line": line - before}, code)
    return _unless_returned(outcome)


def _judge_assertion(outcome: Outcome, message: Mapping[str, Any], code: str) -> Result:
    """What was raised in the code of a test."""
    line = message.get("line")
    lines = code.splitlines()
    place = lines[line - 1].strip() if isinstance(line, int) and 0 < line <= len(lines) else "test"
    bases = message.get("bases")
    names = [message.get("exception"), *(bases if isinstance(bases, list) else [])]
    if "AssertionError" in names:
        said = f" ({message['message']})" if message.get("message") else ""
        return _result(outcome, Verdict.FAILED, f"{place}{said}")
    reason = f"{place}: {describe_exception({**message, 'line': None})}"
    return _result(outcome, _verdict(ending_of_exception(message)), reason)


def _fault(
    answer: Any, accepted: Sequence[Any], *, is_json: bool
) -> tuple[Verdict, str | None] | None:
    """What is wrong with the answer to a call, if anything is."""
    if not isinstance(answer, dict):
        return Verdict.ERROR, "no answer"
    if "exception" in answer:
        return _verdict(ending_of_exception(answer)), describe_exception(answer)
    if "value" not in answer:
        return Verdict.FAILED, str(answer.get("refused", "it gave no value"))
    try:
        value = decode(answer["value"])
        shown = _shown(value)
        if is_json:
            value, accepted = through_json(value), [through_json(each) for each in accepted]
    except (ValueFormatError, TypeError) as error:
        return Verdict.FAILED, str(error)
    if any(equals(value, each) for each in accepted):
        return None
    return Verdict.FAILED, f"it returned {shown}"


def _unless_returned(outcome: Outcome) -> Result:
    """The result of a run that did not do what it was to do."""
    if outcome.ending is Ending.RETURNED:
        return _result(outcome, Verdict.ERROR, "it ended before its tests did")
    return _result(outcome, _verdict(outcome.ending), outcome.reason)


def _verdict(ending: Ending) -> Verdict:
    return Verdict(ending.value)


def _result(outcome: Outcome, verdict: Verdict, reason: str | None) -> Result:
    if reason is not None and len(reason) > _MOST_REASON:
        reason = f"{reason[:_MOST_REASON]}..."
    return Result(verdict, reason, outcome.seconds, outcome.memory_bytes, outcome.tier.value)


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    try:
        return f"{text!r:.100}"
    except ValueError:
        # Numbers of very many digits have no text.
        return f"a value of type {type(value).__name__}"


def _setup(problem: Problem) -> str:
    """What a problem's own beginning of the program defines: names that its tests may use."""
    return _whole_code(problem.prompt) if problem.is_continued else ""


@lru_cache(maxsize=1024)
def _whole_code(prompt: str) -> str:
    for ending in ("", "    pass\n"):
        try:
            compile(prompt + ending, "<prompt>", "exec")
        except (SyntaxError, ValueError):
            continue
        return prompt + ending
    return ""


def _foreign_names(problem: Problem, test: CodeTest) -> set[str]:
    """Names that a test's code uses and that neither it nor the prompt nor Python defines."""
    nodes = [node for code in (_setup(problem), test.code) for node in ast.walk(parse_module(code))]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    bound = set(_bound_names(nodes)) | set(dir(builtins)) | {test.entry_point}
    return used - bound


def _bound_names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name

"""Problems in MBPP's format (arXiv 2108.07732, section 2.1): a statement and assertions.

``task_id``, ``text`` or ``prompt``, ``code``, which solves it, ``test_list``, and what the
tests need first: ``test_setup_code`` or ``test_imports``. ``challenge_test_list`` is not
part of the benchmark's score.
"""

from __future__ import annotations

import ast
from collections import Counter

from transforms.problemsets.fields import (
    FieldError,
    Values,
    names_bound,
    optional_text,
    parse_code,
    task_field,
    text_field,
    texts_field,
)
from transforms.problemsets.problems import CodeTest, Problem


def is_mbpp(values: Values) -> bool:
    """Whether a row is in this format."""
    return "test_list" in values


def mbpp_problem(values: Values) -> Problem | None:
    """The problem of a row, None where it has no tests; raises `FieldError`."""
    asserts = texts_field(values, "test_list")
    if not asserts:
        return None
    reference = text_field(values, "code")
    setup = optional_text(values, "test_setup_code")
    before = [*texts_field(values, "test_imports"), *([setup] if setup else [])]
    return Problem(
        task_id=task_field(values, "task_id"),
        prompt=text_field(values, "text" if values.get("text") is not None else "prompt"),
        test=CodeTest(
            entry_point=_entry_point(reference, asserts),
            code="\n".join([*before, *asserts]) + "\n",
            has_check=False,
        ),
        reference=reference,
        is_continued=False,
    )


def _entry_point(reference: str, asserts: list[str]) -> str:
    """The function of the reference that most tests call, of several the one called first."""
    defined = names_bound(parse_code("code", reference))
    tests_of: Counter[str] = Counter()
    for number, code in enumerate(asserts, start=1):
        tree = parse_code("test_list", code)
        if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
            raise FieldError(f"'test_list' has no assert in its test {number}")
        tests_of.update(name for name in _calls(tree) if name in defined)
    if not tests_of:
        raise FieldError("'test_list' calls no function that 'code' defines")
    return tests_of.most_common(1)[0][0]


def _calls(tree: ast.Module) -> list[str]:
    """Names that a test calls, each once, in the order of its text."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    places = ((node.lineno, node.col_offset, node.func) for node in calls)
    ordered = sorted(places, key=lambda place: place[:2])
    return list(dict.fromkeys(func.id for *_, func in ordered if isinstance(func, ast.Name)))

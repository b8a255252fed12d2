"""Problems in HumanEval's format (arXiv 2107.03374, section 2.2): a function to complete.

``task_id``, ``prompt``, ``entry_point``, ``canonical_solution`` and ``test``, which defines
`check(candidate)`. The problems of a run are in it, too.
"""

from __future__ import annotations

from transforms.problemsets.fields import (
    FieldError,
    Values,
    callable_name,
    names_bound,
    optional_text,
    parse_code,
    task_field,
    text_field,
)
from transforms.problemsets.problems import CodeTest, Problem


def is_humaneval(values: Values) -> bool:
    """Whether a row is in this format."""
    return "entry_point" in values and "test" in values


def humaneval_problem(values: Values) -> Problem:
    """The problem of a row; raises `FieldError`."""
    code = text_field(values, "test")
    if "check" not in names_bound(parse_code("test", code)):
        raise FieldError("'test' must define a function check")
    entry_point = callable_name("entry_point", text_field(values, "entry_point"))
    return Problem(
        task_id=task_field(values, "task_id"),
        prompt=text_field(values, "prompt"),
        test=CodeTest(entry_point, code, has_check=True),
        reference=optional_text(values, "canonical_solution"),
        is_continued=True,
    )

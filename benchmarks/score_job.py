"""Running samples in the sandbox and nothing else: a judge for each worker, in threads.

Called with a tier, a number of workers, a file of problems and one of samples. What starting
the sandboxes and learning how tests run cost is not in what is printed.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from transforms.execute.judge import Judge
from transforms.execute.results import Result
from transforms.execute.samples import Sample, iterate_samples
from transforms.problemsets.problem_files import read_problems
from transforms.problemsets.problems import Problem, imported_modules
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier


def judge_samples(
    tier: Tier, workers: int, problems: dict[str, Problem], samples: Sequence[Sample]
) -> tuple[float, Counter[str]]:
    """Wall seconds for all samples without the start, and how many of each result."""
    preload = imported_modules(problems.values())
    judges: SimpleQueue[Judge] = SimpleQueue()

    def judge(sample: Sample) -> Result:
        one = judges.get()
        result = one.judge(problems[sample.task_id], sample.completion)
        judges.put(one)
        return result

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            sandbox = stack.enter_context(Sandbox(tier, Limits(), preload))
            # The tester starts with the first test.
            sandbox.run_test("", {"entry_point": "f", "setup": "", "code": "", "check": False})
            judges.put(Judge(sandbox))
        started = time.perf_counter()
        results = list(pool.map(judge, samples))
        wall = time.perf_counter() - started
    return wall, Counter(result.verdict.value for result in results)


def cpu_seconds() -> float:
    """User and system seconds of this process and of those it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(tier: Tier, workers: int, problem_file: str, sample_file: str) -> None:
    """Runs all samples; prints what came out and what it cost."""
    problems = dict(read_problems(Path(problem_file)).problems)
    samples = [row for row in iterate_samples(Path(sample_file)) if isinstance(row, Sample)]
    # A judge learns how the tests of each problem run.
    judge_samples(tier, workers, problems, list({each.task_id: each for each in samples}.values()))
    before = cpu_seconds()
    judge_samples(tier, workers, problems, ())
    start = cpu_seconds() - before
    wall, verdicts = judge_samples(tier, workers, problems, samples)
    cpu = cpu_seconds() - before - 2 * start
    print(json.dumps({"wall": wall, "cpu": cpu, "start": start, "results": verdicts}))


if __name__ == "__main__":
    main(Tier(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])

"""Execute: batches of samples in, their verdicts out.

Shuffled are names of batches. Samples and verdicts lie in files, by batch; each worker keeps
one sandbox, which it needs a sixth of a second to start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas.results import OUTCOME
from transforms.execute.judge import Judge
from transforms.parts import Progress, Receipt, Workspace, read_part
from transforms.problemsets.problem_files import read_humaneval, read_problems
from transforms.problemsets.problems import Problem
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.tiers import SAFE_TIERS, choose_tier
from transforms.stage import Begin, Spread, do_unit

SAMPLES, VERDICTS = "samples", "verdicts"
"""Tables of the workspace, a file of each for a batch."""


@dataclass(frozen=True)
class ExecuteOptions:
    """How samples are run.

    ``problems`` names a file of the workspace, HumanEval if there is none; ``tier`` is the one
    to use, the best that a worker's machine offers if there is none. ``preload`` are modules
    that programs and tests are likely to import.
    """

    limits: Limits
    problems: str = ""
    tier: Tier | None = None
    preload: tuple[str, ...] = ()


class JudgeBatch(beam.DoFn):
    """Name of a batch in; runs its samples and writes their verdicts."""

    def __init__(self, workspace: Workspace, options: ExecuteOptions) -> None:
        self.workspace = workspace
        self._options = options
        self._sandbox: Sandbox | None = None

    def process(self, name: str) -> Iterator[str]:
        """Yields the name of the finished batch."""
        do_unit(self, name)
        yield name

    def __call__(self, unit: str) -> Receipt:
        """The work on one batch."""
        judge, problems = self._open()
        samples = read_part(self.workspace.staged(SAMPLES, f"{unit}.parquet")).to_pylist()
        results = []
        with Progress(self.workspace, unit) as progress:
            for sample in samples:
                results.append(judge.judge(problems[sample["task_id"]], sample["completion"]))
                progress.add(samples=1)
        rows = [vars(result) for result in results]
        with self.workspace.write_table(VERDICTS, f"{unit}.parquet", OUTCOME) as writer:
            writer.write(pa.RecordBatch.from_pylist(rows, schema=OUTCOME))
        counts = Counter(result.verdict.value for result in results)
        return Receipt.of({VERDICTS: writer}, counts)

    def _open(self) -> tuple[Judge, dict[str, Problem]]:
        if self._sandbox is None:
            options = self._options
            tier = choose_tier(SAFE_TIERS if options.tier is None else [options.tier])
            self._problems = dict(self._read_problems())
            self._sandbox = Sandbox(tier, options.limits, options.preload).__enter__()
            self._judge = Judge(self._sandbox)
        return self._judge, self._problems

    def _read_problems(self) -> Any:
        if not self._options.problems:
            return read_humaneval().problems
        return read_problems(self.workspace.files.path(self._options.problems)).problems

    def teardown(self) -> None:
        """Ends the sandbox of this worker."""
        if self._sandbox is not None:
            self._sandbox.__exit__(None, None, None)
            self._sandbox = None

    def __getstate__(self) -> dict[str, Any]:
        return {"workspace": self.workspace, "_options": self._options, "_sandbox": None}


@dataclass
class ExecuteSamples(beam.PTransform[Any, Any]):
    """Runs batches of samples against the tests of their problems."""

    workspace: Workspace
    batches: Sequence[str]
    options: ExecuteOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished batches out."""
        judge = JudgeBatch(self.workspace, self.options)
        finished: PCollection[str] = (
            begin
            | "Name batches" >> Begin(list(self.batches), str)
            | "Spread batches" >> Spread(str)
            | "Judge samples" >> beam.ParDo(judge).with_output_types(str)
        )
        return finished

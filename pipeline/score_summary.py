"""What a file of samples is worth: pass@k, what became of the samples, and what ranks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from schemas.verdicts import NEVER_RUN, Verdict
from transforms.execute.bleu import Overlap, measure_overlaps, score_samples
from transforms.execute.intake import Intake
from transforms.execute.pass_at_k import Estimate, count_samples, estimate_pass_at_k
from transforms.execute.ranking import Ranking, Samples, compare_rankings
from transforms.execute.results import Result
from transforms.execute.samples import MalformedRow, Sample
from transforms.execute.temperatures import Sweep, sweep_temperatures
from transforms.problemsets.problem_files import ProblemFile
from transforms.problemsets.problems import Problem

SEED = 0


@dataclass(frozen=True)
class Tried:
    """A row of a file of samples, and what became of it."""

    row: Sample | MalformedRow
    result: Result


@dataclass(frozen=True)
class BleuSummary:
    """BLEU of right and wrong samples, over the problems that have both.

    The means over problems of `Overlap`'s measures.
    """

    problems: int
    at_least: float
    shared: float


@dataclass(frozen=True)
class ScoreSummary:
    """The score of a file of samples."""

    intake: Intake
    notes: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    """Over all problems: a score of the whole set."""
    attempted: tuple[Estimate, ...]
    """Over the problems that have samples, which is no score of the set unless all have."""
    verdicts: Mapping[Verdict, int]
    tiers: Mapping[str, int]
    rankings: tuple[Ranking, ...]
    sweep: Sweep | None
    """Where samples have temperatures."""
    bleu: BleuSummary | None
    """Where problems have references, and right and wrong samples."""
    seconds: float
    """CPU time of all programs."""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        values = {name: _plain(value) for name, value in vars(self).items()}
        return values | {"verdicts": {str(name): n for name, n in self.verdicts.items()}}


@dataclass
class _Columns:
    """What is known of the samples that were run."""

    problems: list[int] = field(default_factory=list)
    passed: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    back_translations: list[float] = field(default_factory=list)
    completions: list[str] = field(default_factory=list)

    def add(self, sample: Sample, problem: int, *, passed: bool) -> None:
        """One more sample; what it lacks is NaN, or no tokens."""
        self.problems.append(problem)
        self.passed.append(passed)
        self.logprobs.append(_number(sample.logprob))
        self.tokens.append(sample.tokens or 0)
        self.temperatures.append(_number(sample.temperature))
        self.back_translations.append(_number(sample.back_translation))
        self.completions.append(sample.completion)


def summarize_score(
    tried: Iterable[Tried],
    file: ProblemFile,
    intake: Intake,
    ks: Sequence[int],
    with_bleu: bool,
) -> ScoreSummary:
    """Sums up what became of all rows.

    Problems without a sample have too few for any k, which the estimates say.
    """
    numbers = {task: number for number, task in enumerate(file.problems)}
    columns = _Columns()
    verdicts: Counter[Verdict] = Counter()
    tiers: Counter[str] = Counter()
    seconds = 0.0
    for each in tried:
        verdict = each.result.verdict
        verdicts[verdict] += 1
        if isinstance(each.row, Sample) and verdict not in NEVER_RUN:
            tiers[each.result.tier or ""] += 1
            seconds += each.result.seconds or 0.0
            columns.add(each.row, numbers[each.row.task_id], passed=verdict is Verdict.PASSED)
    tasks = list(file.problems)
    samples, correct = count_samples(
        np.array(columns.problems), np.array(columns.passed), len(tasks)
    )
    tried_tasks = np.flatnonzero(samples)
    names = [tasks[number] for number in tried_tasks]
    return ScoreSummary(
        intake=intake,
        notes=file.notes,
        estimates=estimate_pass_at_k(tasks, samples, correct, ks, SEED),
        attempted=estimate_pass_at_k(names, samples[tried_tasks], correct[tried_tasks], ks, SEED),
        verdicts={verdict: verdicts[verdict] for verdict in Verdict if verdicts[verdict]},
        tiers=dict(tiers),
        rankings=compare_rankings(_ranked(columns)),
        sweep=_sweep(tasks, columns, ks),
        bleu=_bleu(list(file.problems.values()), columns) if with_bleu else None,
        seconds=seconds,
    )


def _ranked(columns: _Columns) -> Samples:
    return Samples(
        np.array(columns.problems),
        np.array(columns.passed),
        np.array(columns.logprobs),
        np.array(columns.tokens),
        np.array(columns.back_translations),
    )


def _sweep(tasks: Sequence[str], columns: _Columns, ks: Sequence[int]) -> Sweep | None:
    temperatures = np.array(columns.temperatures)
    if np.isnan(temperatures).all():
        return None
    problems, passed = np.array(columns.problems), np.array(columns.passed)
    return sweep_temperatures(tasks, problems, passed, temperatures, ks, SEED)


def _bleu(problems: Sequence[Problem], columns: _Columns) -> BleuSummary | None:
    right = Counter(p for p, passed in zip(columns.problems, columns.passed, strict=True) if passed)
    count = Counter(columns.problems)
    both = {
        number
        for number, problem in enumerate(problems)
        if problem.reference is not None and 0 < right[number] < count[number]
    }
    places = [place for place, number in enumerate(columns.problems) if number in both]
    if not places:
        return None
    numbers = np.array(columns.problems)[places]
    texts = [columns.completions[place] for place in places]
    references = [problem.reference or "" for problem in problems]
    scores = score_samples(texts, numbers, references)
    overlaps = measure_overlaps(numbers, np.array(columns.passed)[places], scores)
    return _mean(overlaps)


def _mean(overlaps: Sequence[Overlap]) -> BleuSummary:
    measured = [(each.at_least, each.shared) for each in overlaps]
    known = [(one, two) for one, two in measured if one is not None and two is not None]
    at_least, shared = (float(np.mean(column)) for column in zip(*known, strict=True))
    return BleuSummary(len(known), at_least, shared)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value

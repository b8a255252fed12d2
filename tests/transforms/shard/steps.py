"""The steps of planning and writing, called one after another without Beam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from transforms.shard import stage
from transforms.shard.reader import PlanReader


def plan_shards(reader: PlanReader, parts: Iterable[str], times: int = 1) -> list[str]:
    """Takes each step ``times`` times for each element; gives the names of shards."""
    measured = gather(do_each(stage.MeasurePart(reader), parts, times))
    return plan_measured(reader, measured, times)


def plan_measured(reader: PlanReader, measured: Iterable[Any], times: int = 1) -> list[str]:
    """The same, once parts are measured: their names and pieces are under one key."""
    found = list(measured)
    for step in steps_of(reader):
        found = list(do_each(step(reader), found, times))
        if found and isinstance(found[0], tuple):
            found = gather(found)
    return found


def steps_of(reader: PlanReader) -> list[Any]:
    limits = [stage.WeighRepositories, stage.LimitRepositories] if reader.limited else []
    return [
        *(stage.DivideParts, stage.SummarizeSection, stage.LinkRange),
        *(stage.ChooseSplits, *limits, stage.CountSequences, stage.LayOutShards),
        *(stage.DivideSequences, stage.PlanBucket, stage.FinishPlan),
    ]


def do_each(step: Any, elements: Iterable[Any], times: int) -> Iterator[Any]:
    for element in elements:
        for _ in range(times):
            found = list(step.process(element))
        yield from found


def gather(pairs: Iterable[tuple[int, Any]]) -> list[tuple[int, list[Any]]]:
    """All pairs by number, as a grouping hands them on once it has all."""
    groups: dict[int, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return list(groups.items())

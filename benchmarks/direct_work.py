"""The work of each stage called directly, on one thread and without Beam.

What a graph groups is grouped here by a dict; batches pass through the coder of the
graphs, so that its cost shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.folder import RunFolder
from pipeline.graphs import build_graph
from pipeline.reading import read_configuration
from pipeline.worker_files import prepare_worker_files
from transforms.annotate.stage import AnnotateDocuments, AnnotatePart
from transforms.deduplicate import stage as deduplicate
from transforms.deduplicate.reader import RunReader
from transforms.learn.stage import UNIT, LearnTokenizer, MakeTokenizer
from transforms.parse.stage import ParseDocuments, ParsePart
from transforms.parts import Workspace
from transforms.select.stage import SelectDocuments, SelectPart
from transforms.shard import stage as shard
from transforms.shard.reader import PlanReader
from transforms.stage import do_unit
from transforms.tokenize.stage import TokenizeDocuments, TokenizePart
from transforms.tokenizers.loading import Sample


def do_stage(name: str, run: Path, staging: Path) -> None:
    """Does a stage of a run whose inputs are committed; its output stays in ``staging``."""
    workspace = Workspace(run=str(run), staging=str(staging))
    folder = RunFolder(run)
    configuration = read_configuration(run / "config.yaml")
    prepare_worker_files(name, configuration)(workspace)
    graph = build_graph(name, configuration, folder, workspace)
    match graph:
        case AnnotateDocuments():
            _do_units(graph.parts, AnnotatePart(workspace, graph.options))
        case ParseDocuments():
            _do_units(graph.parts, ParsePart(workspace, graph.options, graph.sample()))
        case SelectDocuments():
            _do_units(graph.parts, SelectPart(workspace, graph.options))
        case MakeTokenizer():
            _do_units([UNIT], LearnTokenizer(workspace, tuple(graph.parts), graph.options))
        case TokenizeDocuments():
            sample = Sample.find(workspace, graph.parts)
            _do_units(graph.parts, TokenizePart(workspace, graph.options, graph.tokenizer, sample))
        case deduplicate.DeduplicateDocuments():
            _deduplicate(graph)
        case shard.WriteShards():
            _shard(graph)
        case _:
            raise ValueError(f"nothing is known of the work of {name}")


def _do_units(parts: Iterable[str], work: Any) -> None:
    for part in parts:
        do_unit(work, Path(part).stem)


def _deduplicate(graph: deduplicate.DeduplicateDocuments) -> None:
    steps = deduplicate
    reader = RunReader(graph.workspace, graph.parts, graph.options)
    parts = steps.RankRepositories(reader).process(0)
    hashes = _do_each(steps.ClaimContents(reader), parts)
    groups = _do_each(steps.GroupContents(reader), _gather(hashes))
    bands = _do_each(steps.ClaimBands(reader), _gather(groups))
    links = _do_each(steps.FindCandidates(reader), _gather(bands))
    forests = _do_each(steps.ContractLinks(reader), _gather(links))
    units = _do_each(steps.DividePartners(reader), _gather(forests))
    batches = _do_each(steps.DivideByBatch(reader), units)
    for part in list(_do_each(steps.DecideBatch(reader), _gather(batches))):
        list(steps.WriteDuplicates(reader).process(part))


def _do_each(step: Any, elements: Iterable[Any]) -> Iterator[Any]:
    for element in elements:
        yield from step.process(element)


def _gather(pairs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, list[Any]]]:
    """All pairs by number, as a grouping hands them on once it has all."""
    groups: dict[int, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    yield from groups.items()


def _shard(graph: shard.WriteShards) -> None:
    steps = shard
    reader = PlanReader(graph.workspace, graph.options)
    measures = _do_each(steps.MeasurePart(reader), graph.parts)
    sections = _do_each(steps.DivideParts(reader), _gather(measures))
    clusters = _do_each(steps.SummarizeSection(reader), sections)
    links = _do_each(steps.LinkRange(reader), _gather(clusters))
    sections = _do_each(steps.ChooseSplits(reader), _gather(links))
    if reader.limited:
        weights = _do_each(steps.WeighRepositories(reader), sections)
        sections = _do_each(steps.LimitRepositories(reader), _gather(weights))
    counts = _do_each(steps.CountSequences(reader), sections)
    sections = _do_each(steps.LayOutShards(reader), _gather(counts))
    pieces = _do_each(steps.DivideSequences(reader), sections)
    plans = _do_each(steps.PlanBucket(reader), _gather(pieces))
    for name in list(_do_each(steps.FinishPlan(reader), _gather(plans))):
        list(steps.WriteShard(reader).process(name))

"""What the stages' Beam graphs share: doing a unit of work once, in parallel, with a receipt.

Rows never travel between workers: an element is the name of a unit (a part, a
shard), and the work reads and writes tables through its workspace.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

import transforms.coders  # noqa: F401  registers the coder of record batches for every graph
from transforms.culprits import named_in
from transforms.parts import ERRORS, Receipt, Workspace


class Work(Protocol):
    """The work of a stage on one unit. Deterministic, and picklable with few bytes."""

    @property
    def workspace(self) -> Workspace:
        """Where the work reads and writes."""

    def __call__(self, unit: str) -> Receipt:
        """Does one unit and says what was written."""


@dataclass
class Spread(beam.PTransform[Any, Any]):
    """Hands distinct names or numbers of one type to any worker, each once.

    ``beam.Reshuffle`` keeps windows and repetitions besides, in a dozen steps: each costs a
    hundredth of a second or more to build and translate, which small runs consist of.
    """

    kind: Any

    def expand(self, elements: PCollection[Any]) -> PCollection[Any]:
        """The elements, in any order, once all are there."""
        named = tuple[self.kind, int]  # type: ignore[name-defined]
        name, take = _Name(), _Take()  # type: ignore[no-untyped-call]
        spread: PCollection[Any] = (
            elements
            | "Name" >> beam.ParDo(name).with_output_types(named)
            | "Gather" >> beam.GroupByKey()
            | "Take" >> beam.ParDo(take).with_output_types(self.kind)
        )
        return spread


class _Name(beam.DoFn):
    def process(self, element: Any) -> Iterator[tuple[Any, int]]:
        yield element, 0


class _Take(beam.DoFn):
    def process(self, element: tuple[Any, Iterable[int]]) -> Iterator[Any]:
        yield element[0]


@dataclass
class Begin(beam.PTransform[Any, Any]):
    """Begins with some elements of one type.

    ``beam.Create`` shuffles more than one of them at once under random keys, with what its
    coders pickle, and calls its steps by lines of Beam's code: names that the next version
    of Beam changes.
    """

    elements: Sequence[Any]
    kind: type

    def expand(self, begin: PBegin) -> PCollection[Any]:
        """Nothing in, the elements out, all on one worker."""
        emit = _Emit(tuple(self.elements))
        elements: PCollection[Any] = (
            begin
            | "Start" >> beam.Impulse()
            | "Emit" >> beam.ParDo(emit).with_output_types(self.kind)
        )
        return elements


class _Emit(beam.DoFn):
    def __init__(self, elements: tuple[Any, ...]) -> None:
        self._elements = elements

    def process(self, element: bytes) -> Iterator[Any]:
        yield from self._elements


@dataclass
class ProcessUnits(beam.PTransform[Any, Any]):
    """Does the work of every unit, each once and on any worker."""

    units: Sequence[str]
    work: Work

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Names of units in, names of finished units out."""
        finished: PCollection[str] = (
            begin
            | "Name units" >> Begin([(unit, 0) for unit in self.units], tuple[str, int])
            | "Spread units" >> beam.GroupByKey()
            | "Work" >> beam.ParDo(_DoUnit(self.work)).with_output_types(str)
        )
        return finished


class _DoUnit(beam.DoFn):
    def __init__(self, work: Work) -> None:
        self._work = work

    def process(self, element: tuple[str, Iterable[int]]) -> Iterator[str]:
        do_unit(self._work, element[0])
        yield element[0]


def do_unit(work: Work, unit: str) -> None:
    """Does the work of one unit unless it has a receipt, and leaves a receipt or an error."""
    workspace = work.workspace
    if workspace.has_receipt(unit):
        return
    try:
        workspace.write_receipt(unit, work(unit))
    except Exception as error:
        write_error(workspace, unit, error)
        raise


def write_error(workspace: Workspace, unit: str, error: Exception) -> None:
    """Leaves what went wrong beside the work, where the driver finds it on any runner."""
    where = named_in(error) or unit
    # Names of files are whatever their owners like.
    text = f"{where!r}\n{type(error).__name__}: {error}\n\n{traceback.format_exc()}"
    try:
        workspace.files.write(f"{ERRORS}/{unit}.txt", text.encode(), durable=False)
    except OSError:
        # The disk that refused the work may refuse the report too; the exception still tells.
        return


def read_errors(workspace: Workspace) -> list[tuple[str, str]]:
    """What went wrong, as pairs of a document or unit and the text that `write_error` left."""
    found = sorted(workspace.files.read_all(ERRORS, ".txt").items())
    texts = (text.decode(errors="replace").split("\n", 1) for _, text in found)
    return [(ast.literal_eval(where), text) for where, text in texts]

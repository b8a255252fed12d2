"""Select: documents' columns and attributes in, ``attributes/selection`` out.

Nothing is shuffled but the names of parts; content is not read. The statistics of
the table are the funnel: documents and bytes by rule, those of no rule as ``selected``.
Documents of repositories that are opted out are in a bin of their own, before all rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas.selection import OPTED_OUT, SELECTION
from transforms.optout import OptOuts
from transforms.parts import Receipt, Workspace
from transforms.select.bins import count_bins, find_opted_out
from transforms.select.columns import read_rule_columns, rule_schema
from transforms.select.licenses import NO_LISTS, LicenseLists
from transforms.select.rules import Rule, first_failing_rule, wanted_columns
from transforms.stage import ProcessUnits


@dataclass(frozen=True)
class SelectOptions:
    """What documents are rejected for, and lists of licenses that rules can ask about.

    ``opt_outs`` is the path of the entries to look up; empty where there are none.
    """

    rules: tuple[Rule, ...]
    licenses: LicenseLists = NO_LISTS
    opt_outs: str = ""


@dataclass(frozen=True)
class SelectPart:
    """Finds the first failing rule of each document of a part."""

    workspace: Workspace
    options: SelectOptions

    def __call__(self, unit: str) -> Receipt:
        """Selects from the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        wanted = wanted_columns(self.options.rules, rule_schema())
        table = read_rule_columns(self.workspace, name, self.options.licenses, wanted)
        opted_out = find_opted_out(table["repository"], OptOuts.load(self.options.opt_outs))
        rejected = first_failing_rule(table, self.options.rules)
        verdicts = pc.if_else(opted_out, OPTED_OUT, rejected)
        writer = self.workspace.write_table(tables.SELECTION, name, SELECTION)
        with writer:
            writer.write(pa.RecordBatch.from_arrays([verdicts], schema=SELECTION))
        statistics = count_bins(verdicts, table["size"])
        return Receipt.of({tables.SELECTION: writer}, statistics)


@dataclass
class SelectDocuments(beam.PTransform[Any, Any]):
    """Applies the rules to every document of a run."""

    workspace: Workspace
    parts: Sequence[str]
    options: SelectOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        units = [Path(part).stem for part in self.parts]
        finished: PCollection[str] = begin | ProcessUnits(
            units, SelectPart(self.workspace, self.options)
        )
        return finished

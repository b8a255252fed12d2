"""The funnel that other rules would give: what `repomill rules` shows, without a new pass.

Rules are expressions over attributes that are there already, so that trying another
threshold reads a few columns of numbers and no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.configuration import Configuration
from pipeline.errors import UsageError, UserError
from pipeline.optouts import file_entries
from pipeline.reading import read_configuration
from pipeline.runs import CONFIGURATION, Run
from pipeline.stages import PRODUCERS, wanted_on_demand
from schemas import tables
from schemas.selection import OPTED_OUT, SELECTED
from transforms.parts import Workspace, read_part
from transforms.select.bins import find_opted_out
from transforms.select.columns import SIDECARS, read_rule_columns, rule_schema
from transforms.select.rules import find_rejected, first_of, wanted_columns

MAX_EXAMPLES = 3

_OTHER_LISTS = (
    "With these lists of licenses, `repomill run` would also keep other copies of duplicates: "
    "those in repositories that may be used."
)


@dataclass(frozen=True)
class TriedBin:
    """A bin of the funnel under the rules that are tried.

    ``matching`` are the documents for which the rule is true, whatever rules stand before
    it; ``before`` the documents that the bin has in the run now, None if it is new.
    """

    name: str
    expression: str | None
    documents: int
    bytes: int
    matching: int
    before: int | None


@dataclass(frozen=True)
class Move:
    """Documents that would go from one bin to another, with some of them by name."""

    source: str
    target: str
    documents: int
    bytes: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """The funnel under the rules that are tried, and what moves against the run's own.

    ``note`` is what a new pass would change beyond that.
    """

    documents: int
    bytes: int
    funnel: tuple[TriedBin, ...]
    moves: tuple[Move, ...]
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The trial as plain values."""
        return asdict(self)


def try_rules(run: Run, changes: Sequence[str]) -> Trial:
    """The funnel of a run under its own rules with some changes.

    Args:
      changes: ``key=value`` for keys of ``select``; a key without a dot is the name of a
        rule, its value the rule's expression, or ``null`` to leave the rule out.

    Raises:
      UserError: attributes are missing, or a change is wrong or not one of rules.
    """
    own = read_configuration(run.store.address(CONFIGURATION))
    tried = read_configuration(
        run.store.address(CONFIGURATION), changes=[_complete(change) for change in changes]
    )
    _refuse_other_changes(own, tried)
    asked = wanted_columns(tried.select.resolved(), rule_schema())
    needed = [table for table, schema in SIDECARS.items() if set(asked) & set(schema.names)]
    for table in (tables.DOCUMENTS, *needed):
        if run.manifest(table) is None:
            stage = PRODUCERS[table].name
            raise UserError(f"the run has no {table} yet: repomill run CONFIG --stage {stage}")
    _refuse_unmeasured(run, tried)
    counter = _Counter(tried, asked)
    manifest = run.manifest(tables.DOCUMENTS)
    for entry in manifest.files if manifest else ():
        counter.add(run, entry.name)
    same_lists = own.select.licenses == tried.select.licenses
    return counter.result(None if same_lists else _OTHER_LISTS)


def _complete(change: str) -> str:
    key, equals, text = change.partition("=")
    return change if "." in key or not equals else f"select.rules.{key}={text}"


def _refuse_other_changes(own: Configuration, tried: Configuration) -> None:
    changed = [
        name
        for name in Configuration.model_fields
        if name != "select" and getattr(own, name) != getattr(tried, name)
    ]
    if changed:
        raise UsageError(
            f"{changed[0]} is not tried without a new pass: `repomill rules` takes the name of a "
            "rule or keys of select. For all others: repomill run CONFIG --set ..."
        )


def _refuse_unmeasured(run: Run, tried: Configuration) -> None:
    """Raises `UserError` where a rule asks for what no rule of the run asked for."""
    manifest = run.manifest(tables.SYNTAX)
    measured = manifest.settings["wanted"] if manifest else ()
    missing = [name for name in wanted_on_demand(tried) if name not in measured]
    if missing:
        raise UserError(
            f"the run has not measured {', '.join(missing)}, because none of its rules asks for it;"
            " put the rule into the configuration and measure it: repomill run CONFIG --stage parse"
        )


class _Counter:
    """Adds up bins and moves over the parts of a run."""

    def __init__(self, configuration: Configuration, asked: Sequence[str]) -> None:
        self._rules = configuration.select.resolved()
        self._asked = asked
        self._lists = configuration.select.licenses.lists()
        self._opt_outs = file_entries(configuration)
        self._documents: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._matching: Counter[str] = Counter()
        self._before: Counter[str] | None = Counter()
        self._moved: Counter[tuple[str, str]] = Counter()
        self._moved_bytes: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], list[str]] = {}

    def add(self, run: Run, name: str) -> None:
        """Counts one part."""
        workspace = Workspace(run.name, "")
        table = read_rule_columns(workspace, name, self._lists, self._asked)
        masks = [find_rejected(table, rule) for rule in self._rules]
        for rule, mask in zip(self._rules, masks, strict=True):
            self._matching[rule.name] += int(mask.sum())
        opted_out = find_opted_out(table["repository"], self._opt_outs)
        self._matching[OPTED_OUT] += pc.sum(opted_out).as_py() or 0
        rejected = first_of(self._rules, masks, table.num_rows)
        now = pc.fill_null(pc.if_else(opted_out, OPTED_OUT, rejected), SELECTED)
        _add_up(self._documents, self._bytes, [now], table["size"])
        if run.manifest(tables.SELECTION) is None:
            self._before = None
            return
        rule = read_part(run.file(tables.SELECTION, name), ["rule"])["rule"].combine_chunks()
        self._compare(pc.fill_null(rule, SELECTED), now, table)

    def _compare(self, before: pa.Array, now: pa.Array, table: pa.Table) -> None:
        if self._before is not None:
            self._before.update(before.to_pylist())
        rows = np.flatnonzero(pc.not_equal(before, now).to_numpy(zero_copy_only=False))
        places = pa.array(rows)
        moved = [before.take(places), now.take(places)]
        _add_up(self._moved, self._moved_bytes, moved, table["size"].take(places))
        pairs = zip(*(column.to_pylist() for column in moved), strict=True)
        for row, pair in zip(rows.tolist(), pairs, strict=True):
            known = self._examples.setdefault(pair, [])
            if len(known) < MAX_EXAMPLES:
                known.append(f"{table['repository'][row]}:{table['path'][row]}")

    def result(self, note: str | None) -> Trial:
        """What all parts came to."""
        expressions: dict[str, str | None] = {OPTED_OUT: None}
        expressions |= {rule.name: rule.expression for rule in self._rules}
        gone = sorted({*(self._before or ()), *self._documents} - {*expressions, SELECTED})
        expressions |= dict.fromkeys((*gone, SELECTED))
        bins = (self._bin(name, text) for name, text in expressions.items())
        moves = (
            Move(*pair, count, self._moved_bytes[pair], tuple(self._examples[pair]))
            for pair, count in sorted(self._moved.items(), key=lambda item: (-item[1], item[0]))
        )
        return Trial(
            documents=self._documents.total(),
            bytes=self._bytes.total(),
            funnel=tuple(each for each in bins if each.name != OPTED_OUT or each.matching),
            moves=tuple(moves),
            note=note,
        )

    def _bin(self, name: str, expression: str | None) -> TriedBin:
        documents = self._documents[name]
        before = None if self._before is None else self._before[name]
        matching = documents if name == SELECTED else self._matching[name]
        return TriedBin(name, expression, documents, self._bytes[name], matching, before)


def _add_up(
    documents: Counter[Any], sizes: Counter[Any], keys: Iterable[pa.Array], size: Any
) -> None:
    """Adds the rows and bytes of each distinct key to two counters."""
    columns = list(keys)
    names = [f"key{number}" for number in range(len(columns))]
    table = pa.table([*columns, size], names=[*names, "size"])
    grouped = table.group_by(names).aggregate([("size", "count"), ("size", "sum")])
    for row in grouped.to_pylist():
        key = row["key0"] if len(names) == 1 else tuple(row[name] for name in names)
        documents[key] += row["size_count"]
        sizes[key] += row["size_sum"]

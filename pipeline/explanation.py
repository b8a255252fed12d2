"""What happened to a repository or a file, and which rule or duplicate decided."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.differences import unified_diff
from pipeline.errors import UsageError, UserError
from pipeline.optouts import canonical_entry, entries_that_name
from pipeline.runs import Run
from pipeline.tracing import Tracing, explain_tracing
from schemas import tables
from schemas.documents import SCHEMA, document_id, document_position
from schemas.selection import SELECTED
from schemas.shards import is_shard
from transforms.parts import map_stream, read_part, read_row
from transforms.shard.locate import find_document
from transforms.texts import document_texts

if TYPE_CHECKING:
    from pipeline.configuration import Configuration

_DOCUMENT_COLUMNS = [name for name in SCHEMA.names if name != "content"]
_MAX_OPT_OUTS = 10


@dataclass(frozen=True)
class OptOuts:
    """The entries that name a repository now, or why a list of them cannot be read."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None


@dataclass(frozen=True)
class Explanation:
    """What is known of a repository, or of a file in each of its revisions."""

    repositories: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    bins: dict[str, int]
    opt_outs: OptOuts = OptOuts()
    copies: list[dict[str, Any]] = field(default_factory=list)
    tracing: Tracing = field(default_factory=Tracing)
    path: str | None = None


def explain(run: Run, target: str, configuration: Configuration) -> Explanation:
    """Looks up ``REPOSITORY`` or ``REPOSITORY:PATH`` in a run of a configuration.

    A repository may be called by its URL, and by the end of its name where that is enough.

    Raises:
      UserError: the run has no such repository or file; names the nearest.
    """
    names = _repository_names(run)
    repository, path = _parse_target(target, names)
    rows = _rows(run, tables.REPOSITORIES)
    repositories = [row for row in rows if row["repository"] == repository]
    failures = [
        row
        for stage in ("crawl", "gather")
        for row in _rows(run, tables.failures_of(stage))
        if row["repository"] == repository and path in (None, row["path"])
    ]
    positions = list(_find_documents(run, repository, path))
    tracing = explain_tracing(run, repository, path)
    if path is not None and not positions and not failures and not tracing.functions:
        raise UserError(_no_such_file(run, repository, path))
    documents = [_describe(run, *position) for position in positions] if path is not None else []
    opt_outs = _opt_outs(configuration, repository)
    copies = [row for row in _rows(run, tables.COPIES) if row["repository"] == repository]
    bins = _bins(run, positions)
    return Explanation(repositories, failures, documents, bins, opt_outs, copies, tracing, path)


def _opt_outs(configuration: Configuration, repository: str) -> OptOuts:
    try:
        found = islice(entries_that_name(configuration, repository), _MAX_OPT_OUTS)
        return OptOuts([entry._asdict() for entry in found])
    except UsageError as error:
        # A list that is gone must not hide the rest.
        return OptOuts(problem=str(error))


def _parse_target(target: str, names: set[str]) -> tuple[str, str | None]:
    """Splits at the colon after which a path begins; repository names may hold colons too."""
    candidates: list[tuple[str, str | None]] = [(target, None)]
    candidates += [
        (target[:place], target[place + 1 :])
        for place, character in enumerate(target)
        if character == ":"
    ]
    for repository, path in candidates:
        if repository in names:
            return repository, path
    for url, path in candidates:
        if (repository := canonical_entry(url)) in names:
            return repository, path
    for repository, path in candidates:
        ending = [name for name in names if name.endswith(f"/{repository}")]
        if len(ending) == 1:
            return ending[0], path
    near = difflib.get_close_matches(target.split(":")[0], sorted(names), 3, 0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UserError(f"the run has no repository {target!r}{hint}")


def _repository_names(run: Run) -> set[str]:
    known = (tables.REPOSITORIES, tables.PROJECTS)
    names = {row["repository"] for table in known for row in _rows(run, table)}
    if not names:
        raise UserError(f"{run.name} has no crawled repositories yet: repomill run it first")
    return names


def _rows(run: Run, table: str) -> Iterator[dict[str, Any]]:
    manifest = run.manifest(table)
    for entry in manifest.files if manifest else ():
        yield from read_part(run.file(table, entry.name)).to_pylist()


def _find_documents(run: Run, repository: str, path: str | None) -> Iterator[tuple[int, int]]:
    """The part and row of documents of a repository, of one path or of all."""
    manifest = run.manifest(tables.DOCUMENTS)
    for entry in manifest.files if manifest else ():
        table = read_part(run.file(tables.DOCUMENTS, entry.name), ["repository", "path"])
        found = pc.equal(table["repository"], repository).to_numpy()
        if path is not None:
            found = found & pc.equal(table["path"], path).to_numpy()
        for row in np.flatnonzero(found).tolist():
            yield tables.part_number(entry.name), row


def _row(run: Run, table: str, part: int, row: int, columns: list[str] | None = None) -> Any:
    if run.manifest(table) is None:
        return None
    return read_row(run.file(table, tables.part_name(part)), row, columns)


def _describe(run: Run, part: int, row: int) -> dict[str, Any]:
    """Everything that is known of one document."""
    number = document_id(part, row)
    selection = _row(run, tables.SELECTION, part, row)
    duplicates = _row(run, tables.DUPLICATES, part, row)
    if duplicates and duplicates["duplicate_of"] is not None:
        kept = document_position(duplicates["duplicate_of"])
        duplicates["kept"] = _row(run, tables.DOCUMENTS, *kept, ["repository", "revision", "path"])
        duplicates["diff"] = _diff(run, (part, row), kept)
    rule = selection["rule"] if selection else None
    manifest = run.manifest(tables.SELECTION)
    rules = dict(manifest.settings["rules"]) if manifest else {}
    return {
        "document": number,
        **_row(run, tables.DOCUMENTS, part, row, _DOCUMENT_COLUMNS),
        "quality": _row(run, tables.QUALITY, part, row),
        "syntax": _row(run, tables.SYNTAX, part, row),
        "redundancy": _row(run, tables.REDUNDANCY, part, row),
        "contamination": _row(run, tables.CONTAMINATION, part, row),
        "secrets": _row(run, tables.SECRETS, part, row),
        "duplicates": duplicates,
        "selected": None if selection is None else rule is None,
        "rule": rule,
        "expression": rules.get(rule),
        "sequences": _sequences(run, number) if selection and rule is None else [],
        "sharded": run.manifest(tables.SHARDS) is not None,
    }


def _diff(run: Run, own: tuple[int, int], kept: tuple[int, int]) -> list[str]:
    """What tells a document from the kept one that it duplicates; nothing if they are equal."""
    columns = ["repository", "revision", "path", "content", "encoding", "language"]
    rows = [_row(run, tables.DOCUMENTS, *position, columns) for position in (kept, own)]
    names = [f"{row['repository']} {row['revision']}: {row['path']}" for row in rows]
    texts = document_texts(
        pa.array([row["content"] for row in rows], pa.large_binary()),
        pa.array([row["encoding"] for row in rows]),
        pa.array([row["language"] for row in rows], pa.string()),
    ).to_pylist()
    return unified_diff(texts[0], texts[1], (names[0], names[1]))


def _sequences(run: Run, document: int) -> list[dict[str, Any]]:
    """The rows of shards that hold pieces of a document."""
    manifest = run.manifest(tables.SHARDS)
    found: list[dict[str, Any]] = []
    for entry in manifest.files if manifest else ():
        if is_shard(entry.name):
            shard = map_stream(run.file(tables.SHARDS, entry.name))
            rows = find_document(shard, document)
            found += [{"shard": entry.name, "row": row} for row in rows]
    return found


def _bins(run: Run, positions: list[tuple[int, int]]) -> dict[str, int]:
    """How many of these documents are in each bin of the funnel."""
    if run.manifest(tables.SELECTION) is None:
        return {}
    bins: dict[str, int] = {}
    rules: dict[int, pa.ChunkedArray] = {}
    for part, row in positions:
        if part not in rules:
            rules[part] = read_part(run.file(tables.SELECTION, tables.part_name(part)))["rule"]
        name = rules[part][row].as_py() or SELECTED
        bins[name] = bins.get(name, 0) + 1
    return dict(sorted(bins.items(), key=lambda item: (-item[1], item[0])))


def _no_such_file(run: Run, repository: str, path: str) -> str:
    paths = {
        _row(run, tables.DOCUMENTS, *position, ["path"])["path"]
        for position in _find_documents(run, repository, None)
    }
    near = difflib.get_close_matches(path, sorted(paths), 3, 0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return f"{repository} has no document {path}{hint}"

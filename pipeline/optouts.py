"""The opt-out lists of a configuration: reading, filing and looking up their entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import UsageError
from schemas import tables
from schemas.repositories import Status
from transforms.crawl.git.urls import repository_name
from transforms.crawl.lists import digest_of, numbered_lines, state_of_lists
from transforms.crawl.registry import known_sources
from transforms.crawl.sources.rows import RowsSource
from transforms.optout import EntryError, OptOuts, Places, entry_keys, repository_keys
from transforms.parts import Workspace, read_part

if TYPE_CHECKING:
    from pipeline.configuration import Configuration, OptOut
    from pipeline.runs import Run

OPT_OUT_STAGES = ("crawl", "deduplicate", "select", "gather")
"""The stages that look repositories up."""

OPT_OUTS_FILE = "opt_out/keys.arrow"
"""The file of the entries in the workspace of a stage."""
# git@example.org:owner/name, and not example.org:8080/owner/name.
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://.|[^/:\s]+:(?!\d+(?:/|$)).")


class Entry(NamedTuple):
    """An entry as it is written, and where: ``list`` is None for one of the configuration."""

    entry: str
    list: str | None
    line: int


def canonical_entry(text: str) -> str:
    """An entry with the name of a repository in place of its URL."""
    return repository_name(text) if _ADDRESS.match(text) else text


def check_entry(text: str) -> None:
    """Raises `EntryError` unless a text is an entry."""
    entry_keys(canonical_entry(text), known_sources().keys())


def iterate_entries(opt_out: OptOut) -> Iterator[Entry]:
    """All entries, streamed; raises `UsageError` where a list cannot be read."""
    for number, text in enumerate(opt_out.repositories, 1):
        yield Entry(text, None, number)
    for path in opt_out.lists:
        try:
            for line, text in numbered_lines(path):
                yield Entry(text, path, line)
        except ValueError as error:
            raise UsageError(f"opt_out.lists: {error}") from error


def state_of(opt_out: OptOut) -> str:
    """A hash of what the entries are, wherever they are written; empty where there are none.

    Raises:
      UsageError: a list cannot be read.
    """
    try:
        lists = {state_of_lists([path]) for path in opt_out.lists}
    except ValueError as error:
        raise UsageError(f"opt_out.lists: {error}") from error
    texts = [*sorted(lists), "", *sorted(set(opt_out.repositories))]
    return digest_of(text.encode() for text in texts) if len(texts) > 1 else ""


def places_of(configuration: Configuration) -> Places:
    """How the names of a run's repositories may begin."""
    sources = (entry.source for entry in configuration.sources)
    data_sets = (
        f"{source.kind}/{source.name}" if source.name else source.kind
        for source in sources
        if isinstance(source, RowsSource)
    )
    return Places(frozenset(known_sources()), frozenset(data_sets))


def file_entries(configuration: Configuration) -> OptOuts:
    """The entries, ready to be looked up.

    Raises:
      UsageError: a list cannot be read, or a line of it is no entry.
    """
    places = places_of(configuration)
    entries = iterate_entries(configuration.opt_out)
    keys = (key for entry in entries for key in _keys(entry, places))
    return OptOuts.of_keys(keys, places)


def _keys(entry: Entry, places: Places) -> tuple[str, ...]:
    try:
        return entry_keys(canonical_entry(entry.entry), places.kinds)
    except EntryError as error:
        where = f"opt_out.lists: {entry.list}: line {entry.line}: {entry.entry!r:.80}"
        raise UsageError(f"{where}: {error}") from error


def opt_outs_path(opt_out: OptOut, workspace: Workspace) -> str:
    """Where the workers of a stage find the entries; empty where there are none."""
    return workspace.files.address(OPT_OUTS_FILE) if opt_out.repositories or opt_out.lists else ""


def entries_that_name(configuration: Configuration, repository: str) -> Iterator[Entry]:
    """The entries that leave a repository out; raises `UsageError`."""
    places = places_of(configuration)
    keys = set(repository_keys(repository, places))
    for entry in iterate_entries(configuration.opt_out):
        if not keys.isdisjoint(_keys(entry, places)):
            yield entry


def count_readmitted(run: Run, configuration: Configuration) -> int:
    """Repositories that the crawl of a run left out and that no entry names any more.

    Raises:
      UsageError: a list cannot be read, or a line of it is no entry.
    """
    manifest = run.manifest(tables.REPOSITORIES)
    if manifest is None or not manifest.statistics.get(f"repositories.{Status.OPTED_OUT}"):
        return 0
    opt_outs = file_entries(configuration)
    count = 0
    for entry in manifest.files:
        rows = read_part(run.file(tables.REPOSITORIES, entry.name), ["repository", "status"])
        left_out = [row["repository"] for row in rows.to_pylist() if row["status"] == "opted_out"]
        count += int((~opt_outs.matches(left_out)).sum())
    return count

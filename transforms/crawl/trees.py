"""Trees of one part: all files of the repositories whose tests are to be traced.

They are fetched anew, from the cache where it has them: to trace more repositories of a run
then changes nothing of its documents.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa

from schemas import failures, tables, trees
from transforms.crawl.licenses.assignment import find_repository_licenses
from transforms.crawl.licenses.findings import LicenseFinding
from transforms.crawl.licenses.paths import is_license_path
from transforms.crawl.licenses.texts import MAX_TEXT_BYTES
from transforms.crawl.listing import read_requests
from transforms.crawl.paths import path_order
from transforms.crawl.registry import source_of
from transforms.crawl.repository import MAX_LICENSE_FILES, PathJudge
from transforms.crawl.rows import (
    as_crawl_error,
    batch_of_rows,
    columns_of_licenses,
    file_failures,
    repository_failure,
)
from transforms.crawl.scratch import scratch_folder
from transforms.crawl.source import (
    Collection,
    Fetched,
    Limits,
    Place,
    RejectedFile,
    Request,
    SourceFile,
)
from transforms.optout import OptOuts
from transforms.parts import PartWriter, Progress, Receipt, Workspace

STAGE = "gather"
BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class GatherOptions:
    """Which repositories' trees are gathered, and what one may cost.

    ``repositories`` are patterns of names, as of `fnmatch`; ``opt_outs`` is the path of the
    entries that leave some out, empty where there are none.
    """

    parts: int
    repositories: tuple[str, ...]
    limits: Limits
    cache: str
    opt_outs: str = ""

    def wants(self, repository: str) -> bool:
        """Whether a repository is among those whose tests are to be traced."""
        return any(fnmatchcase(repository, pattern) for pattern in self.repositories)


@dataclass(frozen=True)
class Tree:
    """A repository that was read to its end; files and rejected files are sorted by path."""

    repository: str
    revision: str
    released: datetime.datetime | None
    files: tuple[SourceFile, ...]
    licenses: tuple[LicenseFinding | None, ...]
    rejected: tuple[RejectedFile, ...]


@dataclass(frozen=True)
class GatherPart:
    """Gathers the trees of one part in the order of the names of their repositories."""

    workspace: Workspace
    options: GatherOptions
    listed: tuple[str, ...]

    def __call__(self, unit: str) -> Receipt:
        """Writes the part that has this name without its suffix."""
        name = f"{unit}.parquet"
        paths = [self.workspace.committed(tables.REQUESTS, file) for file in self.listed]
        wanted = read_requests(paths, tables.part_number(name))
        opt_outs = OptOuts.load(self.options.opt_outs)
        left_out = opt_outs.matches([request.repository for request in wanted])
        kept = [
            request
            for request, is_left_out in zip(wanted, left_out, strict=True)
            if not is_left_out and self._wants(request)
        ]
        schemas = {tables.failures_of(STAGE): failures.SCHEMA, tables.TREES: trees.SCHEMA}
        counts: Counter[str] = Counter({"trees": 0})
        with (
            self.workspace.write_tables(name, schemas) as writers,
            Progress(self.workspace, unit) as progress,
        ):
            rows = writers[tables.failures_of(STAGE)]
            for request in kept:
                counts["trees"] += self._gather(request, writers[tables.TREES], rows)
                progress.add(repositories=1)
        return Receipt.of(writers, counts)

    def _gather(self, request: Request, writer: PartWriter, rows: PartWriter) -> int:
        """Writes the tree of a repository, or why there is none; says how many it wrote."""
        options = self.options
        with scratch_folder(self.workspace, STAGE) as scratch:
            try:
                place = Place(Path(options.cache), scratch)
                found = source_of(request.source).fetch(request, place, options.limits)
                if isinstance(found, Collection):
                    raise TypeError("a source of whole repositories gave a collection")
                tree = read_tree(request, found, options.limits)
            except Exception as error:
                failure = repository_failure(request, as_crawl_error(error), STAGE)
                rows.write(batch_of_rows([failure], failures.SCHEMA))
                return 0
        for batch in tree_batches(tree):
            writer.write(batch)
        rejected = file_failures(request, tree.rejected, STAGE)
        rows.write(batch_of_rows(rejected, failures.SCHEMA))
        return 1

    def _wants(self, request: Request) -> bool:
        source = source_of(request.source)
        return source.has_whole_repositories and self.options.wants(request.repository)


def _everything(path: str) -> bool:
    return True


def read_tree(request: Request, fetched: Fetched, limits: Limits) -> Tree:
    """Reads all files of a repository; raises `CrawlError` where that cannot be done."""
    judge = PathJudge(limits.max_depth)
    files: list[SourceFile] = []
    rejected: list[RejectedFile] = []
    for file in fetched.read(_everything, limits):
        judged = judge.fault(file.path) or file
        if isinstance(judged, RejectedFile):
            rejected.append(judged)
        else:
            files.append(judged)
    files.sort(key=lambda file: path_order(file.path))
    facts = fetched.facts
    texts = {
        file.path: file.content[:MAX_TEXT_BYTES] for file in files if is_license_path(file.path)
    }
    kept = dict(list(texts.items())[:MAX_LICENSE_FILES])
    found = find_repository_licenses(kept, facts.licenses)
    return Tree(
        repository=request.repository,
        revision=facts.revision,
        released=facts.released,
        files=tuple(files),
        licenses=tuple(found.of_file(file.path, file.content) for file in files),
        rejected=tuple(sorted(rejected, key=lambda file: (path_order(file.path), file.reason))),
    )


def tree_batches(tree: Tree) -> Iterator[pa.RecordBatch]:
    """The rows of a tree, in batches of a bounded number of bytes."""
    first = size = 0
    for place, file in enumerate(tree.files, 1):
        size += len(file.content)
        if size >= BATCH_BYTES or place == len(tree.files):
            yield _batch(tree, slice(first, place))
            first, size = place, 0


def _batch(tree: Tree, rows: slice) -> pa.RecordBatch:
    files = tree.files[rows]
    columns = [
        [tree.repository] * len(files),
        [tree.revision] * len(files),
        [file.path for file in files],
        [tree.released] * len(files),
        [file.content for file in files],
        *columns_of_licenses(tree.licenses[rows]),
    ]
    arrays = [
        pa.array(values, field.type) for values, field in zip(columns, trees.SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=trees.SCHEMA)

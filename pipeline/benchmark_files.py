"""Problems of benchmarks, read from files of JSON Lines or Parquet.

The files come from elsewhere and may be anything: sizes are bounded, and what cannot be
read is an error that says where.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from transforms.annotate.contamination.problems import Problem
from transforms.crawl.archives.budget import Budget
from transforms.crawl.archives.decompression import decompressed
from transforms.crawl.datasets.jsonlines import json_object
from transforms.crawl.datasets.parquet import check_footer, open_parquet
from transforms.crawl.source import CrawlError

TEXT_COLUMNS = (
    *("prompt", "canonical_solution", "solution", "solutions", "test", "tests", "test_list"),
    *("text", "code", "question", "answer", "problem", "docstring", "content"),
)
TASK_COLUMNS = ("task_id", "problem_id", "question_id", "id", "name")

MAX_PROBLEMS = 1_000_000
MAX_TEXT_BYTES = 256 << 20
_MAX_FILE_BYTES = 1 << 30
_MAX_LINE_BYTES = 16 << 20
_MAX_TASK_CHARACTERS = 200
_BATCH_ROWS = 256
_SUFFIXES = {".gz", ".bz2", ".xz", ".zst", ".json", ".jsonl", ".ndjson", ".parquet"}
_FORM = "a benchmark is a file of JSON Lines or Parquet with a problem a row"

_Row = tuple[str, Mapping[str, object]]


class BenchmarkError(ValueError):
    """A file is no benchmark; the message says why and where."""


def benchmark_name(path: str) -> str:
    """What a benchmark is called: its file's name without what says its format."""
    name = Path(path)
    while name.suffix.lower() in _SUFFIXES:
        name = name.with_suffix("")
    return name.name


def read_problems(path: Path, name: str, columns: Sequence[str]) -> list[Problem]:
    """The problems of a file, their texts those of the given columns that a row has.

    Where no columns are given, all of `TEXT_COLUMNS` that hold text. A list of texts is
    one text, a line each.

    Raises:
      BenchmarkError: the file cannot be read, is too large, has none of the columns, or
        has something else than text in one that was given.
    """
    problems: list[Problem] = []
    left = MAX_TEXT_BYTES
    for where, row in _iterate_rows(path, columns):
        texts = tuple(_iterate_texts(f"{path}: {where}", row, columns))
        if not problems and not texts:
            raise _no_text(path, row, columns)
        left -= sum(len(text) for text in texts)
        if left < 0 or len(problems) == MAX_PROBLEMS:
            limits = f"{MAX_PROBLEMS:,} problems or {MAX_TEXT_BYTES >> 20} MiB of text"
            raise BenchmarkError(f"{path}: more than {limits}")
        problems.append(Problem(name, _task(row, where), texts))
    if not problems:
        raise BenchmarkError(f"{path}: it has no rows; {_FORM}")
    return problems


def _no_text(path: Path, there: Iterable[str], columns: Sequence[str]) -> BenchmarkError:
    found = ", ".join(sorted(there))[:500] or "none"
    wanted = ", ".join(columns or TEXT_COLUMNS)
    return BenchmarkError(f"{path}: no text in {wanted}; name its `columns`; there are {found}")


def _iterate_texts(
    where: str, row: Mapping[str, object], columns: Sequence[str]
) -> Iterator[bytes]:
    for column in columns or TEXT_COLUMNS:
        value = row.get(column)
        lines = value if isinstance(value, list) else [value]
        texts = [line for line in lines if isinstance(line, str)]
        if texts and len(texts) == len(lines):
            yield "\n".join(texts).encode("utf-8", "replace")
        elif columns and value is not None:
            raise BenchmarkError(f"{where}: {column!r} holds no text but {type(value).__name__}")


def _task(row: Mapping[str, object], where: str) -> str:
    """What the benchmark calls a problem; where it stands if it has no name."""
    for column in TASK_COLUMNS:
        value = row.get(column)
        if isinstance(value, str | int) and value != "":
            text = str(value)[:_MAX_TASK_CHARACTERS]
            return text.encode("utf-8", "replace").decode()
    return where


def _iterate_rows(path: Path, columns: Sequence[str]) -> Iterator[_Row]:
    """The rows of a file, and what to call their places; raises `BenchmarkError`."""
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        yield from (
            _parquet_rows(path, columns) if magic.startswith(b"PAR1") else _json_rows(path, magic)
        )
    except BenchmarkError:
        raise
    except CrawlError as error:
        raise BenchmarkError(f"{path}: {error.detail}") from error
    except (zlib.error, lzma.LZMAError, EOFError, OSError, pa.ArrowException, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300]
        raise BenchmarkError(f"{path}: {reason}; {_FORM}") from error


def _json_rows(path: Path, magic: bytes) -> Iterator[_Row]:
    budget = Budget(_MAX_FILE_BYTES, f"more than {_MAX_FILE_BYTES >> 20} MiB when decompressed")
    with path.open("rb") as file:
        stream = decompressed(file, magic, budget)
        number = 0
        while line := stream.readline(_MAX_LINE_BYTES):
            number += 1
            budget.spend(len(line))
            if len(line) == _MAX_LINE_BYTES:
                limit = f"{_MAX_LINE_BYTES >> 20} MiB"
                raise BenchmarkError(f"{path}: line {number} is longer than {limit}; {_FORM}")
            if line.strip():
                yield f"line {number}", json_object(number, line)


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[_Row]:
    check_footer(path)
    with open_parquet(path) as file:
        groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
        if sum(max(0, group.total_byte_size) for group in groups) > _MAX_FILE_BYTES:
            limit = f"{_MAX_FILE_BYTES >> 20} MiB"
            raise BenchmarkError(f"{path}: more than {limit} when decompressed")
        names = file.schema_arrow.names
        texts = [name for name in columns or TEXT_COLUMNS if name in names]
        if not texts:
            raise _no_text(path, names, columns)
        wanted = texts + [name for name in TASK_COLUMNS if name in names]
        number = 0
        for batch in file.iter_batches(_BATCH_ROWS, columns=wanted):
            # Arrow believes what a damaged file says of its own values.
            batch.validate(full=True)
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row

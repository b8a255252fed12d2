"""Rows of a file of JSON Lines, plain or compressed, a line in memory at a time."""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from schemas.failures import Reason
from transforms.crawl.archives.budget import RATIO_FREE_BYTES, Budget
from transforms.crawl.archives.decompression import decompressed
from transforms.crawl.datasets.columns import Columns, Row
from transforms.crawl.source import CrawlError, Limits

_MAGIC_BYTES = 6
# A byte of content takes six characters of JSON at most; the other columns share a MiB.
_MAX_ESCAPED = 6
_OTHER_BYTES = 1 << 20


def iterate_json_lines(path: Path, columns: Columns, limits: Limits) -> Iterator[Row]:
    """The rows of a file in order, numbered as its lines are.

    Lines that are no rows have a problem. Raises `CrawlError` where the file cannot be
    read to its end, expands too much, or has another column for the content.
    """
    size = path.stat().st_size
    most = max(RATIO_FREE_BYTES, size * limits.max_ratio)
    budget = Budget(most, f"expands to more than {limits.max_ratio:,} times its size")
    given = columns.given()
    is_first = True
    try:
        with path.open("rb") as file:
            magic = file.read(_MAGIC_BYTES)
            file.seek(0)
            stream = decompressed(file, magic, budget)
            for number, line in _lines(stream, limits, budget):
                row = _row(number, line, given)
                if row is None:
                    continue
                if is_first and row.problem is None and row.values["content"] is None:
                    detail = f"line {number} has no {columns.content!r} for `content`"
                    raise CrawlError(Reason.UNUSABLE_COLUMN, detail)
                is_first = is_first and row.problem is not None
                yield row
    except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CrawlError(Reason.CORRUPT_FILE, f"{type(error).__name__}: {error}") from error


def _lines(stream: BinaryIO, limits: Limits, budget: Budget) -> Iterator[tuple[int, bytes | None]]:
    """Lines by number, None for one that is too long."""
    most = limits.max_file_bytes * _MAX_ESCAPED + _OTHER_BYTES
    number = 0
    while line := stream.readline(most):
        number += 1
        budget.spend(len(line))
        if len(line) < most:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(_OTHER_BYTES)
            budget.spend(len(line))
        yield number, None


def _row(number: int, line: bytes | None, given: dict[str, str]) -> Row | None:
    """The row of a line, None for an empty one."""
    if line is None:
        return Row(number, {}, problem=Reason.FILE_TOO_LARGE, detail=f"line {number} is too long")
    if not line.strip():
        return None
    try:
        body = json_object(number, line)
    except ValueError as error:
        return Row(number, {}, problem=Reason.MALFORMED_ROW, detail=str(error))
    return Row(number, {meaning: _value(body, name) for meaning, name in given.items()})


def json_object(number: int, line: bytes) -> dict[str, Any]:
    """The object in a line, the first of which has number 1; raises ValueError with its number."""
    try:
        # Some editors begin a file with a byte order mark.
        body = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} is no JSON ({type(error).__name__})") from error
    if not isinstance(body, dict):
        raise ValueError(f"line {number} is no object but {type(body).__name__}")
    return body


def _value(body: dict[str, Any], name: str) -> object:
    """What a row holds under a name, in which dots lead into nested objects."""
    if name in body:
        return body[name]
    value: Any = body
    for step in name.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    found: object = value
    return found

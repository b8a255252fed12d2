"""Rows of a Parquet file, in bounded memory as far as its pages allow.

Footer, number of columns and row groups, and their sizes are bounded before anything is
decoded. Columns of text stay dictionaries, so that a value that a million rows share is
held once. What cannot be bounded from here is a single page: its header may ask for
2 GiB, which Arrow allocates before it decompresses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.failures import Reason
from transforms.crawl.archives.budget import RATIO_FREE_BYTES, Budget
from transforms.crawl.datasets.columns import MAX_LICENSES, Columns, Row
from transforms.crawl.paths import MAX_PATH_BYTES
from transforms.crawl.source import CrawlError, Limits

BATCH_ROWS = 256
BUFFER_BYTES = 1 << 20
MAX_FOOTER_BYTES = 64 << 20
# Arrow reads nested schemas by recursion and crashes at some 16,000 levels.
MAX_FOOTER_ELEMENTS = 8_000

_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def iterate_parquet(path: Path, columns: Columns, limits: Limits) -> Iterator[Row]:
    """The rows of a file in order; raises `CrawlError` where it cannot be read to its end."""
    try:
        check_footer(path)
        given = columns.given()
        with open_parquet(path) as file:
            leaves = _leaves(file, given)
            budget = _check_sizes(file, path.stat().st_size, limits)
            _check_types(file.schema_arrow, given)
        # Arrow has no dictionaries inside of lists.
        flat = [leaf for leaf in leaves if leaf in given.values()]
        with open_parquet(path, flat) as file:
            yield from _rows(file, given, budget, limits)
    except pa.ArrowMemoryError as error:
        raise CrawlError(Reason.REPOSITORY_TOO_LARGE, _short(error)) from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CrawlError(Reason.CORRUPT_FILE, f"{type(error).__name__}: {_short(error)}") from error


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def open_parquet(path: Path, read_dictionary: list[str] | None = None) -> pq.ParquetFile:
    """Opens a file whose footer was checked; raises what Arrow does for a damaged one."""
    return pq.ParquetFile(
        path,
        read_dictionary=read_dictionary,
        buffer_size=BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=MAX_FOOTER_BYTES,
        thrift_container_size_limit=MAX_FOOTER_ELEMENTS,
        page_checksum_verification=True,
    )


def check_footer(path: Path) -> None:
    """Raises `CrawlError` unless the file ends in a footer of bounded length."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        tail = file.read(8)
    if size < 12 or tail[4:] != b"PAR1":
        raise CrawlError(Reason.CORRUPT_FILE, "it does not end as a Parquet file does")
    (footer,) = struct.unpack("<I", tail[:4])
    if footer > min(size, MAX_FOOTER_BYTES):
        raise CrawlError(Reason.CORRUPT_FILE, f"a footer of {footer:,} bytes")


def _leaves(file: pq.ParquetFile, given: dict[str, str]) -> list[str]:
    """The paths of the stored columns that the given ones consist of."""
    found = []
    for number in range(len(file.schema)):
        path = file.schema.column(number).path
        if any(path == name or path.startswith(f"{name}.") for name in given.values()):
            found.append(path)
    return found


def _check_sizes(file: pq.ParquetFile, size: int, limits: Limits) -> Budget:
    """What may come out of a file, less nothing yet; raises `CrawlError` for too much.

    The footer may lie, so what does come out is counted too.
    """
    most = max(RATIO_FREE_BYTES, size * limits.max_ratio)
    budget = Budget(most, f"expands to more than {limits.max_ratio:,} times its size")
    promised = Budget(most, budget.problem)
    for number in range(file.metadata.num_row_groups):
        # Not those of single columns: Arrow ends the process over some damaged ones.
        promised.spend(max(0, file.metadata.row_group(number).total_byte_size))
    return budget


def _check_types(schema: pa.Schema, given: dict[str, str]) -> None:
    for meaning, name in given.items():
        kind = _type_of(schema, name)
        if kind is None:
            held = ", ".join(schema.names[:20]) or "none at all"
            detail = f"there is no column {name!r} for `{meaning}`; there are {held}"
            raise CrawlError(Reason.UNUSABLE_COLUMN, detail[:500])
        if not _fits(meaning, kind):
            detail = f"column {name!r} is {str(kind)[:100]}, which cannot be `{meaning}`"
            raise CrawlError(Reason.UNUSABLE_COLUMN, detail)


def _type_of(schema: pa.Schema, name: str) -> pa.DataType | None:
    fields: Any = schema
    kind = None
    for step in _steps(schema.names, name):
        if kind is not None and not pa.types.is_struct(kind):
            return None
        fields = schema if kind is None else kind
        place = fields.get_field_index(step)
        if place < 0:
            return None
        kind = fields.field(place).type
    return kind


def _steps(names: list[str], name: str) -> list[str]:
    """The way to a column: a name may itself have dots."""
    return [name] if name in names else name.split(".")


def _fits(meaning: str, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if meaning == "stars":
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
    if meaning == "license" and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return _fits("path", kind.value_type)
    return any(is_kind(kind) for is_kind in _TEXT)


def _rows(
    file: pq.ParquetFile, given: dict[str, str], budget: Budget, limits: Limits
) -> Iterator[Row]:
    number = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=list(given.values()), use_threads=False):
        arrays = {meaning: _column(batch, name) for meaning, name in given.items()}
        contents = _Texts(arrays.pop("content"))
        others = {meaning: _values(array) for meaning, array in arrays.items()}
        for place, size in enumerate(contents.sizes):
            number += 1
            row = {meaning: column[place] for meaning, column in others.items()}
            if size > limits.max_file_bytes:
                detail = f"more than {limits.max_file_bytes:,} bytes"
                yield Row(number, row, Reason.FILE_TOO_LARGE, detail)
                continue
            budget.spend(size)
            yield Row(number, row | {"content": contents[place]})


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    first, *rest = _steps(batch.schema.names, name)
    column = batch.column(first)
    return pc.struct_field(column, rest) if rest else column


class _Texts:
    """A column of text whose values are made only where they are asked for."""

    def __init__(self, array: pa.Array) -> None:
        self._places: list[int | None] | None = None
        if pa.types.is_dictionary(array.type):
            self._places = _places(array)
            array = array.dictionary
        self._values = _as_bytes(array)
        sizes = [size or 0 for size in pc.binary_length(self._values).to_pylist()]
        if self._places is not None:
            sizes = [0 if place is None else sizes[place] for place in self._places]
        self.sizes: list[int] = sizes

    def __getitem__(self, row: int) -> bytes | None:
        place = row if self._places is None else self._places[row]
        value: bytes | None = None if place is None else self._values[place].as_py()
        return value


def _places(array: pa.DictionaryArray) -> list[int | None]:
    """Where in the dictionary each value is. Arrow believes what a damaged file says of it."""
    least, most = pc.min_max(array.indices).values()
    if most.is_valid and not 0 <= least.as_py() <= most.as_py() < len(array.dictionary):
        raise ValueError("a value is not in its dictionary")
    places: list[int | None] = array.indices.to_pylist()
    return places


def _as_bytes(array: pa.Array) -> pa.Array:
    """Text as it is stored: nobody has looked whether it is UTF-8."""
    is_large = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    return array.cast(pa.large_binary() if is_large else pa.binary())


def _values(array: pa.Array) -> list[object]:
    """The values of a short column, cut where they are longer than any that is accepted."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        texts = _values(array.dictionary)
        return [None if place is None else texts[place] for place in _places(array)]
    values: list[object]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lists = pc.list_slice(array, 0, MAX_LICENSES + 1)
        values = lists.cast(pa.list_(pa.large_binary())).to_pylist()
    elif any(is_kind(kind) for is_kind in _TEXT):
        values = pc.binary_slice(_as_bytes(array), 0, MAX_PATH_BYTES + 1).to_pylist()
    else:
        values = array.to_pylist()
    return values

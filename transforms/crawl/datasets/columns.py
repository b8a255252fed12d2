"""Columns of a data set, by what they mean to us, and a row of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.failures import Reason
from transforms.crawl.paths import MAX_PATH_BYTES

MAX_LICENSES = 100

ColumnName = Annotated[str, Field(min_length=1)]


class Columns(BaseModel):
    """What the columns of a data set are called; dots lead into nested ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    content: ColumnName
    """A file's text, as string or binary."""
    path: ColumnName | None = None
    """A file's path, whose name decides its language; rows without one are called by
    their number and are in the source's ``language``."""
    repository: ColumnName | None = None
    """What its repository is called; rows without one belong to a repository that is
    called what the data file is called."""
    revision: ColumnName | None = None
    """Its repository's commit or version; the data file's name where there is none."""
    license: ColumnName | None = None
    """The license, or a list of them."""
    stars: ColumnName | None = None
    """Stars of the repository."""

    def given(self) -> dict[str, str]:
        """The names that are given, by meaning."""
        return {meaning: name for meaning, name in self.model_dump().items() if name is not None}


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is stored, its values by meaning and not checked. Rows are counted from 1.

    ``problem`` is why there is no content, where there is none to judge.
    """

    number: int
    values: Mapping[str, object]
    problem: Reason | None = None
    detail: str = ""


class RowError(ValueError):
    """A value that is not what its column should hold."""


def text_of(value: object, meaning: str) -> str | None:
    """A name of bounded length, None for null and nothing; raises `RowError`.

    Bytes that are no UTF-8 come as lone surrogates, as in paths of other sources.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowError(f"its {meaning} is no text but {type(value).__name__}")
    if len(value) > MAX_PATH_BYTES:
        raise RowError(f"its {meaning} has more than {MAX_PATH_BYTES:,} characters")
    return value


def licenses_of(value: object) -> tuple[str, ...]:
    """The licenses that a row names, in their order; raises `RowError`."""
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_LICENSES:
        raise RowError(f"it names more than {MAX_LICENSES} licenses")
    texts = (text_of(each, "license") for each in values)
    readable = (text.encode("utf-8", "replace").decode() for text in texts if text is not None)
    return tuple(dict.fromkeys(readable))


def stars_of(value: object) -> int | None:
    """A number of stars, which some data sets hold as floats; raises `RowError`."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise RowError("its stars are no whole number")
    if abs(value) >= 1 << 63:
        raise RowError("its stars are no number of stars")
    return int(value)

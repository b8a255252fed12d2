"""What the numbers of a text say of it: that it is minified, that it is data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Columns = Mapping[str, npt.NDArray[Any]]

_WEB_LANGUAGES = ("javascript", "css")
_WEB_LINE = 110
"""Characters of a mean line above which GitHub's linguist takes scripts and styles for
minified."""
_DENSE_LINE = 200
_DENSE_SPACE = 0.08
"""Code that somebody wrote has a mean line of 20 to 60 characters and 15 to 40 % white space."""

_MOST = 0.5
_LITERAL_LINES = 0.8
_LITERAL_VALUES = 0.3
_DATA_LINES = 10
"""A list of fewer lines is a setting rather than data."""


def find_minified(languages: pa.StringArray, columns: Columns) -> pa.StringArray:
    """Why a text is taken to be minified, such as ``long lines, few spaces``, or null.

    Encoded data, strings and lists of numbers make long lines too, and are no minified code.
    """
    web = pc.is_in(languages, pa.array(_WEB_LANGUAGES)).to_numpy(zero_copy_only=False)
    mean = columns["mean_line_characters"]
    data = columns["encoded_share"] + columns["number_list_share"] + columns["string_share"]
    dense = (mean > _DENSE_LINE) & (columns["whitespace_share"] < _DENSE_SPACE) & (data < _MOST)
    return pc.coalesce(
        _where(web & (mean > _WEB_LINE), "mean line over 110 characters"),
        _where(dense, "long lines, few spaces"),
    )


def find_data_like(columns: Columns) -> pa.StringArray:
    """Which data most of a text is: encoded data, lists of numbers or lists of literals; or null.

    A list of literals is a text whose lines nearly all begin and end as literals do, and
    that is literals, not only brackets, in good part.
    """
    values = columns["string_share"] + columns["number_list_share"] + columns["digit_share"]
    listed = (
        (columns["literal_line_share"] > _LITERAL_LINES)
        & (values > _LITERAL_VALUES)
        & (columns["nonblank_lines"] >= _DATA_LINES)
    )
    return pc.coalesce(
        _where(columns["encoded_share"] > _MOST, "encoded data"),
        _where(columns["number_list_share"] > _MOST, "lists of numbers"),
        _where(listed, "lists of literals"),
    )


def _where(mask: npt.NDArray[np.bool_], evidence: str) -> pa.StringArray:
    return pc.if_else(pa.array(mask), evidence, pa.scalar(None, pa.string()))

"""Headers: what tells a model which repository and file a document is.

A header of text is one line before all of the document, a comment in its language:
``# PATH (REPOSITORY)``. It is no part of the file, so that what must stand first in one
(``#!``, ``<?xml``) follows it; a file of PHP begins as HTML, and so does its header. A
header of special tokens holds both names as ordinary text.

Names come from strangers. In a comment, what could end it or make it more is replaced;
between special tokens nothing needs to be, as engines encode text that spells one as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.lexing.tables import comment_openers, line_comment
from transforms.tokenize.segments import (
    Numbers,
    Segments,
    join_segments,
    single_tokens,
    stack_segments,
)


class Header(StrEnum):
    """What stands before a document."""

    NONE = "none"
    TEXT = "text"
    SPECIAL = "special"


@dataclass(frozen=True)
class HeaderTokens:
    """The ids of the special tokens before a repository, a path and a content."""

    repository: int
    path: int
    content: int


# Characters for line breaks, for control and for the direction of text; backslashes, which
# join lines in C and stand for any character in Java; the ends of block comments; the
# begin of code in PHP, which HTML comments do not hide; what declares an encoding to Python.
_UNSAFE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]|\*/|--!?>|<\?|coding\s*[:=]"
_REPLACEMENT = "_"
_CLOSERS = {"/*": "*/", "<!--": "-->"}
_BEGINS_AS = {"php": "html"}


def text_headers(
    repositories: pa.Array, paths: pa.Array, languages: pa.Array
) -> pa.LargeBinaryArray:
    """A line for each document that names its path and its repository.

    It is a comment in the document's language, or plain text where that has none or is null.
    No name can end it: the line always ends with the same characters, and no name can break
    the line or close a block comment. Names are strings without nulls.
    """
    encoded = languages.dictionary_encode()
    markers = [_markers(name) for name in encoded.dictionary.to_pylist()]
    openers = pa.array([opener for opener, _ in markers], pa.string()).take(encoded.indices)
    closers = pa.array([closer for _, closer in markers], pa.string()).take(encoded.indices)
    lines = pc.binary_join_element_wise(
        pc.fill_null(openers, ""), _safe(paths), " (", _safe(repositories), ")",
        pc.fill_null(closers, ""), "\n", "",
    )  # fmt: skip
    return lines.cast(pa.large_binary())


def _safe(names: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(names.cast(pa.string()), _UNSAFE, _REPLACEMENT)


def _markers(language: str) -> tuple[str, str]:
    """What begins and what ends a line that is a comment in a language."""
    language = _BEGINS_AS.get(language, language)
    line = line_comment(language)
    if line is not None:
        return f"{line} ", ""
    openers = {opener.decode() for opener in comment_openers(language)}
    opener = next((each for each in _CLOSERS if each in openers), None)
    return ("", "") if opener is None else (f"{opener} ", f" {_CLOSERS[opener]}")


def distinct_names(names: pa.Array) -> tuple[pa.LargeBinaryArray, Numbers]:
    """Each name once, to be encoded, and int64[names], the place of each among those."""
    encoded = names.dictionary_encode()
    places = encoded.indices.to_numpy().astype(np.int64)
    return encoded.dictionary.cast(pa.large_binary()), places


def header_tokens(
    repositories: Segments,
    places: Numbers,
    paths: Segments,
    contents: Segments,
    tokens: HeaderTokens,
) -> Segments:
    """Documents behind special tokens and their names.

    Args:
      repositories: the tokens of each distinct name, as of `distinct_names`.
      places: int64[documents], which of them is each document's.
      paths: the tokens of each document's path.
      contents: the tokens of each document.
      tokens: what each of the three follows.

    Raises:
      ValueError: there is not one place, path and content for each document, or a place is
        not that of a name.
    """
    rows = contents.size
    if (places.size, paths.size) != (rows, rows):
        raise ValueError(
            f"got {rows} contents, {paths.size} paths and {places.size} places of repositories"
        )
    if rows and not (places.min() >= 0 and places.max() < repositories.size):
        raise ValueError(
            f"places of repositories must be in [0, {repositories.size}), "
            f"got {places.min()} to {places.max()}"
        )
    special = single_tokens(tokens.repository, tokens.path, tokens.content)
    numbers = np.empty((rows, 6), np.int64)
    numbers[:, 0::2] = np.arange(special.size)
    first = special.size
    numbers[:, 1] = first + places
    first += repositories.size
    numbers[:, 3] = first + np.arange(rows)
    numbers[:, 5] = first + rows + np.arange(rows)
    ends = np.arange(0, numbers.size + 1, 6)
    return join_segments(
        stack_segments(special, repositories, paths, contents), numbers.ravel(), ends
    )


def prepend_segments(headers: Segments, contents: Segments) -> Segments:
    """Each document behind its header, which is encoded by itself.

    Raises:
      ValueError: there is not one header for each document.
    """
    rows = contents.size
    if headers.size != rows:
        raise ValueError(f"got {rows} contents and {headers.size} headers")
    numbers = np.arange(2 * rows).reshape(2, rows).T.ravel()
    ends = np.arange(0, numbers.size + 1, 2)
    return join_segments(stack_segments(headers, contents), numbers, ends)

"""Quality signals of source text: what the filters of published code corpora decide by.

Codex (arXiv 2107.03374, section 3.1), BigCode (The Stack, SantaCoder, StarCoder) and
OpenCoder (arXiv 2411.04905). Each signal is a number or the name of an evidence; thresholds
live in the configuration, not here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.quality import QUALITY
from transforms.annotate.signals.counts import Count, Counts, count_texts
from transforms.annotate.signals.encodings import measure_encodings
from transforms.annotate.signals.heads import find_generated, find_notebooks
from transforms.annotate.signals.html import count_visible_characters
from transforms.annotate.signals.kinds import find_data_like, find_minified
from transforms.annotate.signals.paths import (
    find_generated_names,
    find_minified_names,
    find_notebook_names,
    find_tests,
    find_vendored,
)
from transforms.annotate.signals.phrases import Phrase, count_phrases
from transforms.annotate.signals.strings import Strings, comment_marks, measure_strings
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.comments import comment_syntaxes, count_comment_characters

_XML_DECLARATION = "<?xml version="
_XML_CHARACTERS = 100
"""StarCoder (arXiv 2305.06161, section 3.1) looks for it this far."""

_Numbers = dict[str, npt.NDArray[Any]]


def measure_quality(
    texts: pa.LargeBinaryArray, paths: pa.StringArray, languages: pa.StringArray
) -> pa.RecordBatch:
    """The signals of UTF-8 texts, in the schema of ``attributes/quality``."""
    return add_evidence_of_names(measure_texts(texts, languages), paths)


def add_evidence_of_names(measured: pa.RecordBatch, paths: pa.StringArray) -> pa.RecordBatch:
    """What `measure_texts` gave, with what the paths of the documents say besides."""
    columns = {name: measured[name] for name in measured.schema.names} | {
        "generated": pc.coalesce(measured["generated"], find_generated_names(paths)),
        "minified": pc.coalesce(find_minified_names(paths), measured["minified"]),
        "vendored": find_vendored(paths),
        "test": find_tests(paths),
        "notebook": pc.coalesce(find_notebook_names(paths), measured["notebook"]),
    }
    arrays = [columns[field.name].cast(field.type) for field in QUALITY]
    return pa.RecordBatch.from_arrays(arrays, schema=QUALITY)


def measure_texts(texts: pa.LargeBinaryArray, languages: pa.StringArray) -> pa.RecordBatch:
    """The signals that the text and its language decide, in the schema of `measure_quality`.

    Columns of evidence hold only what the text says; ``vendored`` and ``test`` are null.
    """
    data, offsets = binary_buffers(texts)
    numbers = _measure_characters(data, offsets, languages)
    numbers |= _measure_phrases(data, offsets, numbers["lines"], numbers["nonblank_lines"])
    html = pc.fill_null(pc.equal(languages, "html"), False)
    visible = count_visible_characters(data, offsets, html.to_numpy(zero_copy_only=False))
    share = _share(visible, numbers["characters"])
    columns = {name: pa.array(values) for name, values in numbers.items()} | {
        "xml_declaration": _find_xml_declarations(texts),
        "html_visible_characters": pc.if_else(html, visible, None),
        "html_visible_share": pc.if_else(html, share, None),
        "generated": find_generated(texts),
        "minified": find_minified(languages, numbers),
        "vendored": pa.nulls(len(texts), pa.string()),
        "test": pa.nulls(len(texts), pa.string()),
        "notebook": find_notebooks(texts),
        "data_like": find_data_like(numbers),
    }
    arrays = [columns[field.name].cast(field.type) for field in QUALITY]
    return pa.RecordBatch.from_arrays(arrays, schema=QUALITY)


def _measure_characters(data: Bytes, offsets: Offsets, languages: pa.StringArray) -> _Numbers:
    counts = count_texts(data, offsets).T
    syntaxes = comment_syntaxes(languages)
    strings = measure_strings(data, offsets, comment_marks(syntaxes)).T
    comments = count_comment_characters(data, offsets, syntaxes)
    encoded, longest, numbers, hexadecimal = measure_encodings(data, offsets).T
    characters, words = counts[Count.CHARACTERS], counts[Count.WORDS]
    alphanumeric = counts[Count.LETTERS] + counts[Count.DIGITS]
    in_long_words = strings[Strings.LONG_WORD_CHARACTERS]
    return {
        "characters": characters,
        "alphanumeric_share": _share(alphanumeric, characters),
        "alphabetic_share": _share(counts[Count.LETTERS], characters),
        "digit_share": _share(counts[Count.DIGITS], characters),
        "whitespace_share": _share(counts[Count.SPACES], characters),
        "replacement_share": _share(counts[Count.REPLACEMENTS], characters),
        "comment_share": _share(comments, characters),
        "string_share": _share(strings[Strings.CHARACTERS], characters),
        "long_word_share": _share(in_long_words, characters),
        "encoded_share": _share(encoded, characters),
        "max_encoded_characters": longest,
        "number_list_share": _share(numbers, characters),
        "hexadecimal_share": _share(hexadecimal, characters),
        "words": words,
        "mean_word_characters": _share(alphanumeric, words),
    } | _line_numbers(counts, strings)


def _line_numbers(counts: Counts, strings: Counts) -> _Numbers:
    characters, lines = counts[Count.CHARACTERS], counts[Count.LINES]
    ends = counts[Count.LINE_FEEDS] + counts[Count.RETURNS]
    written = lines - counts[Count.BLANK_LINES]
    return {
        "lines": lines,
        "nonblank_lines": written,
        "mean_line_characters": _share(characters - ends, lines),
        "max_line_characters": counts[Count.LONGEST_LINE],
        "repeated_line_share": _share(counts[Count.REPEATED_LINES], written),
        "literal_line_share": _share(counts[Count.LITERAL_LINES], written),
        "directive_line_share": _share(counts[Count.DIRECTIVE_LINES], written),
        "long_string_line_share": _share(strings[Strings.LONG_LINES], written),
    }


def _measure_phrases(data: Bytes, offsets: Offsets, lines: Counts, written: Counts) -> _Numbers:
    phrases = count_phrases(data, offsets).T
    return {
        "assert_line_share": _share(phrases[Phrase.ASSERT], written),
        "output_line_share": _share(phrases[Phrase.OUTPUT], written),
        "todo_line_share": _share(phrases[Phrase.TODO], lines),
        "lorem_ipsum_lines": phrases[Phrase.LOREM_IPSUM],
    }


def _find_xml_declarations(texts: pa.LargeBinaryArray) -> pa.BooleanArray:
    # A code point has at most four bytes.
    heads = pc.binary_slice(texts, 0, 4 * _XML_CHARACTERS)
    found = np.zeros(len(texts), dtype=np.bool_)
    for row in pc.indices_nonzero(pc.match_substring(heads, _XML_DECLARATION)).to_pylist():
        head = heads[row].as_py().decode(errors="ignore")
        found[row] = _XML_DECLARATION in head[:_XML_CHARACTERS]
    return pa.array(found)


def _share(part: Counts, whole: Counts) -> npt.NDArray[np.float64]:
    return part / np.maximum(whole, 1)

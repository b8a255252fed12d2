"""Quality signals of documents: ``attributes/quality``, positional with the documents.

Shares are between 0 and 1, and 0 where there is nothing to be a share of. The last columns
hold named evidence, null where there is none; `docs/signals.md` says more of each.
"""

from __future__ import annotations

import pyarrow as pa

_NUMBERS = (
    # Code points of the text.
    ("characters", pa.int64()),
    # Lines; one ends at a line feed or at the end of the text.
    ("lines", pa.int64()),
    # Lines that are not of white space only.
    ("nonblank_lines", pa.int64()),
    # Code points of a line, line feeds and carriage returns aside: mean and longest.
    ("mean_line_characters", pa.float64()),
    ("max_line_characters", pa.int64()),
    # Shares of the characters. Code points beyond ASCII count as letters.
    ("alphanumeric_share", pa.float64()),
    ("alphabetic_share", pa.float64()),
    ("digit_share", pa.float64()),
    ("whitespace_share", pa.float64()),
    # U+FFFD, which stands for what could not be decoded.
    ("replacement_share", pa.float64()),
    # Comments with their signs; 0 in languages whose comments are not known.
    ("comment_share", pa.float64()),
    # Inside of string literals.
    ("string_share", pa.float64()),
    # In words of strings that are longer than 20 and no addresses.
    ("long_word_share", pa.float64()),
    # In runs of base64, hexadecimal bytes or escapes; the longest such run.
    ("encoded_share", pa.float64()),
    ("max_encoded_characters", pa.int64()),
    # In lists of numbers; in hexadecimal numbers of them.
    ("number_list_share", pa.float64()),
    ("hexadecimal_share", pa.float64()),
    # Runs of letters and digits, and their mean length.
    ("words", pa.int64()),
    ("mean_word_characters", pa.float64()),
    # Shares of the lines that are not blank.
    ("repeated_line_share", pa.float64()),
    ("literal_line_share", pa.float64()),
    ("directive_line_share", pa.float64()),
    ("assert_line_share", pa.float64()),
    ("output_line_share", pa.float64()),
    ("long_string_line_share", pa.float64()),
    # Lines of comments with an open task, of all lines.
    ("todo_line_share", pa.float64()),
    # Lines with "lorem ipsum".
    ("lorem_ipsum_lines", pa.int64()),
    # Whether <?xml version= is in the first 100 characters.
    ("xml_declaration", pa.bool_()),
)

QUALITY = pa.schema(
    [
        *(pa.field(name, kind, nullable=False) for name, kind in _NUMBERS),
        # Text outside of tags, scripts and styles; null where the language is not HTML.
        pa.field("html_visible_characters", pa.int64()),
        pa.field("html_visible_share", pa.float64()),
        # Why a file is taken to be written by a program, minified, of another project, a
        # test, a notebook, or data.
        pa.field("generated", pa.string()),
        pa.field("minified", pa.string()),
        pa.field("vendored", pa.string()),
        pa.field("test", pa.string()),
        pa.field("notebook", pa.string()),
        pa.field("data_like", pa.string()),
    ]
)

"""What Python's syntax says of documents: ``attributes/syntax``, positional with the documents.

A column is null where the language is not Python, where the text is longer than any that
is measured, and where no rule of the run asks for it. Shares are between 0 and 1.
"""

from __future__ import annotations

import pyarrow as pa

SYNTAX = pa.schema(
    [
        # Whether the text is Python 3.13; Python 2 is not.
        pa.field("parses", pa.bool_()),
        # Shares of the lines with code on which the keyword or name stands.
        pa.field("pass_line_share", pa.float64()),
        pa.field("import_line_share", pa.float64()),
        pa.field("print_line_share", pa.float64()),
        # Share of the characters, quotes among them.
        pa.field("docstring_share", pa.float64()),
        # Functions a line of code; those whose body is nothing but a return.
        pa.field("function_line_share", pa.float64()),
        pa.field("trivial_function_line_share", pa.float64()),
        # Statements that assign, loops over values, and parameters.
        pa.field("variables", pa.int64()),
    ]
)

"""Functions: one row a function that a traced suite called, and the problem it became.

Part N has the functions of projects part N, sorted by repository, revision, path and line.
``reason`` is null where the function became a verified problem; only then the columns from
``entry_point`` on have values; ``benchmark`` names the problem of a benchmark that it is, if any.
"""

from __future__ import annotations

import pyarrow as pa

_OPAQUE = pa.struct([pa.field("what", pa.string()), pa.field("calls", pa.int64())])
"""Why calls could not be recorded, mostly the name of a type, and how many at least."""

SCHEMA = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("line", pa.int32(), nullable=False),
        pa.field("qualname", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("license", pa.string()),
        pa.field("license_class", pa.string(), nullable=False),
        pa.field("seen", pa.int64(), nullable=False),
        pa.field("calls", pa.int32(), nullable=False),
        pa.field("opaque", pa.list_(_OPAQUE), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("entry_point", pa.string()),
        pa.field("docstring", pa.string()),
        pa.field("prompt", pa.string()),
        pa.field("prompt_without_docstring", pa.string()),
        pa.field("body", pa.string()),
        pa.field("test", pa.string()),
        pa.field("cases", pa.int32()),
        pa.field("replays", pa.int32()),
        pa.field("line_coverage", pa.float32()),
        pa.field("branch_coverage", pa.float32()),
        pa.field("mutants", pa.int32()),
        pa.field("mutants_killed", pa.int32()),
        pa.field("body_lines", pa.int32()),
        pa.field("complexity", pa.int32()),
        pa.field("packages", pa.list_(pa.string())),
        pa.field("benchmark", pa.string()),
        pa.field("text_fingerprint", pa.string()),
        pa.field("behavior_fingerprint", pa.string()),
    ]
)

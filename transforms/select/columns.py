"""The columns that rules can use: a document's own but its content, and its attributes."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from schemas import documents, tables
from schemas.contamination import CONTAMINATION
from schemas.duplicates import DUPLICATES
from schemas.quality import QUALITY
from schemas.redundancy import REDUNDANCY
from schemas.secrets import COUNT_COLUMNS, SECRETS
from schemas.syntax import SYNTAX
from transforms.parts import Workspace, read_part
from transforms.select.licenses import LICENSE_ALLOWED, LicenseLists, find_allowed

_SECRET_COUNTS = pa.schema([SECRETS.field(name) for name in COUNT_COLUMNS.values()])

SIDECARS = {
    tables.QUALITY: QUALITY,
    tables.SYNTAX: SYNTAX,
    tables.REDUNDANCY: REDUNDANCY,
    tables.CONTAMINATION: CONTAMINATION,
    tables.SECRETS: _SECRET_COUNTS,
    tables.DUPLICATES: DUPLICATES,
}
"""What rules can use of attribute tables."""

_DOCUMENT_COLUMNS = [
    *("repository", "revision", "path", "size", "encoding", "language"),
    *("license", "license_class", "license_evidence", "license_confidence"),
]
_ALWAYS = ("repository", "path", "size")


def rule_schema() -> pa.Schema:
    """The columns that rules can use."""
    fields = [documents.SCHEMA.field(name) for name in _DOCUMENT_COLUMNS]
    attributes = (field for schema in SIDECARS.values() for field in schema)
    return pa.schema([*fields, LICENSE_ALLOWED, *attributes])


def read_rule_columns(
    workspace: Workspace, name: str, lists: LicenseLists, wanted: Collection[str]
) -> pa.Table:
    """The wanted columns of a part in the order of `rule_schema`.

    ``repository``, ``path`` and ``size`` are always among them.
    """
    columns = [each for each in _DOCUMENT_COLUMNS if each in _ALWAYS or each in wanted]
    asked = LICENSE_ALLOWED.name in wanted
    read = [*columns, "license"] if asked and "license" not in columns else columns
    own = read_part(workspace.committed(tables.DOCUMENTS, name), read)
    table = own.select(columns)
    if asked:
        table = table.append_column(LICENSE_ALLOWED, find_allowed(own["license"], lists))
    for sidecar, schema in SIDECARS.items():
        names = [each for each in schema.names if each in wanted]
        if names:
            attributes = read_part(workspace.committed(sidecar, name), names)
            for each in names:
                table = table.append_column(schema.field(each), attributes[each])
    return table

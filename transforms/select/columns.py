"""The columns that rules can use: a document's own but its content, and its attributes."""

from __future__ import annotations

import pyarrow as pa

from schemas import documents, tables
from schemas.duplicates import DUPLICATES
from schemas.quality import QUALITY
from transforms.parts import Workspace, read_part
from transforms.select.licenses import LICENSE_ALLOWED, LicenseLists, find_allowed

SIDECARS = {tables.QUALITY: QUALITY, tables.DUPLICATES: DUPLICATES}

_DOCUMENT_COLUMNS = [
    *("repository", "revision", "path", "size", "encoding", "language"),
    *("license", "license_class", "license_evidence", "license_confidence"),
]


def rule_schema() -> pa.Schema:
    """The columns that rules can use."""
    fields = [documents.SCHEMA.field(name) for name in _DOCUMENT_COLUMNS]
    attributes = (field for schema in SIDECARS.values() for field in schema)
    return pa.schema([*fields, LICENSE_ALLOWED, *attributes])


def read_rule_columns(workspace: Workspace, name: str, lists: LicenseLists) -> pa.Table:
    """The columns of a part that rules can use."""
    table = read_part(workspace.committed(tables.DOCUMENTS, name), _DOCUMENT_COLUMNS)
    table = table.append_column(LICENSE_ALLOWED, find_allowed(table["license"], lists))
    for sidecar in SIDECARS:
        columns = read_part(workspace.committed(sidecar, name))
        for field, column in zip(columns.schema, columns.columns, strict=True):
            table = table.append_column(field, column)
    return table

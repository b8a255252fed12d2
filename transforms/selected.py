"""The selected documents of a part with the text that training data is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import tables
from schemas.documents import document_id
from schemas.secrets import SecretClass
from transforms.parts import Workspace, iterate_row_groups, read_part
from transforms.redaction import redact_texts
from transforms.texts import document_texts

TEXT_COLUMNS = ("content", "encoding", "language")


class Selected(NamedTuple):
    """Selected documents of one row group, in order.

    ``documents`` uint64[n] are their ids, ``rows`` the columns that were asked for, ``texts``
    UTF-8 without the secrets that are redacted, of which ``redacted`` counts each class.
    """

    documents: npt.NDArray[np.uint64]
    rows: pa.RecordBatch
    texts: pa.LargeBinaryArray
    redacted: Mapping[SecretClass, int]

    def only(self, number: int) -> Selected:
        """One of them alone; of what was redacted nothing is said."""
        rows, texts = self.rows.slice(number, 1), self.texts.slice(number, 1)
        return Selected(self.documents[number : number + 1], rows, texts, {})


def iterate_selected(
    workspace: Workspace, part: str, redact: Sequence[str], columns: Sequence[str] = ()
) -> Iterator[Selected]:
    """The selected documents of a part in order, none for row groups that have none.

    Args:
      part: the name of the part's file.
      redact: the classes of secrets to replace.
      columns: of the documents, besides those of their texts.
    """
    rule = read_part(workspace.committed(tables.SELECTION, part))["rule"]
    selected = rule.is_null().to_numpy()
    spans = _spans(workspace, part) if redact else None
    path = workspace.committed(tables.DOCUMENTS, part)
    first = 0
    for batch in iterate_row_groups(path, list(dict.fromkeys([*TEXT_COLUMNS, *columns]))):
        here = np.flatnonzero(selected[first : first + len(batch)])
        if here.size:
            rows = batch.take(pa.array(here))
            texts = document_texts(*(rows[name] for name in TEXT_COLUMNS))
            counts: Mapping[SecretClass, int] = {}
            if spans is not None:
                texts, counts = redact_texts(texts, spans.take(pa.array(here + first)), redact)
            documents = document_id(tables.part_number(part), first) + here.astype(np.uint64)
            yield Selected(documents, rows, texts, counts)
        first += len(batch)


def _spans(workspace: Workspace, part: str) -> pa.ListArray:
    return read_part(workspace.committed(tables.SECRETS, part), ["spans"])["spans"].combine_chunks()

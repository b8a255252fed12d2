"""Selection: ``attributes/selection``, positional with the documents."""

from __future__ import annotations

import pyarrow as pa

SELECTION = pa.schema([pa.field("rule", pa.string())])

SELECTED = "selected"
"""The bin of the funnel for documents that no rule rejects; no rule may have this name."""

OPTED_OUT = "opted_out"
"""The bin of documents whose repositories an opt-out list names; no rule may have this name."""

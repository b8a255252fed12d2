"""Lists of licenses, and what rules can ask of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from transforms.license_expressions import allows

LICENSE_ALLOWED = pa.field("license_allowed", pa.bool_())
"""Whether the lists allow a document's license; null where there are no lists."""


@dataclass(frozen=True)
class LicenseLists:
    """Licenses that are wanted and not wanted, by their SPDX identifiers.

    Where there is any to allow, what is not allowed is not wanted.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()


NO_LISTS = LicenseLists()


def find_allowed(licenses: pa.ChunkedArray, lists: LicenseLists) -> pa.BooleanArray:
    """`LICENSE_ALLOWED` for SPDX expressions, null for none; each distinct one is judged once."""
    if not lists.allow and not lists.deny:
        return pa.nulls(len(licenses), pa.bool_())
    encoded = licenses.combine_chunks().dictionary_encode("encode")
    verdicts = [allows(text, lists.allow, lists.deny) for text in encoded.dictionary.to_pylist()]
    return pa.array(verdicts, pa.bool_()).take(encoded.indices)

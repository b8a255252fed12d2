"""Licenses by `licenseclassifier` as its documentation shows it: all that it names must hold."""

from __future__ import annotations

from licenseclassifier import identify_license

from transforms.license_expressions import canonical_expression, join_expressions


def license_of_text(content: bytes) -> str | None:
    """The licenses of a text joined by AND; None where too little of it is known."""
    names = [match.id for match in identify_license(content.decode("utf-8", "replace"))]
    known = [canonical_expression(name) or f"LicenseRef-{name}" for name in names]
    return join_expressions(known, "AND") if known else None

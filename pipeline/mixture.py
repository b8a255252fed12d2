"""What the mixture of a configuration may name."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.licenses import LicenseClass
from schemas.mixture import Attribute
from transforms.crawl.registry import known_sources
from transforms.languages import check_language
from transforms.license_expressions import canonical_expression


def check_values(attribute: Attribute, values: Iterable[str]) -> None:
    """Raises ValueError where documents cannot have one of some values of an attribute."""
    for value in values:
        if attribute == "language":
            check_language(value)
        if attribute == "license" and not _is_license(value):
            raise ValueError(
                f"{value!r:.80} is neither an SPDX expression in its usual form nor one of "
                f"{', '.join(LicenseClass)}"
            )
        if attribute == "source" and value not in known_sources():
            raise ValueError(f"{value!r:.80} is no source; known are {', '.join(known_sources())}")


def _is_license(value: str) -> bool:
    return value in set(LicenseClass) or canonical_expression(value) == value

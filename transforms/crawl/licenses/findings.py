"""What was found out about the license of a file or repository."""

from __future__ import annotations

from dataclasses import dataclass

TAG = "spdx_tag"
HEADER = "header"
METADATA = "metadata"
FILE_PREFIX = "file:"


@dataclass(frozen=True)
class LicenseFinding:
    """A license, where it was read and how sure it is.

    The expression is canonical SPDX; evidence is `spdx_tag`, `header`, `metadata`, or
    `file:` and the paths of license files joined by `+`; confidence is from 0 to 1.
    """

    expression: str
    evidence: str
    confidence: float

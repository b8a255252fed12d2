"""Why something cannot be had from elsewhere."""

from __future__ import annotations

from schemas.failures import Reason


class FetchError(Exception):
    """Something cannot be had, for a named reason."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

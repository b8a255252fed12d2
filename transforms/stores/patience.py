"""Asking a store again when it does not answer: it may be starting, or be asked too much."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from transforms.stores.errors import PassingError
from transforms.stores.gcs_errors import naming_gcs
from transforms.stores.s3_errors import naming_s3

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries, each more or less by up to a quarter: workers come back apart. A store
that is away for five seconds is never noticed, one that is dead is an error after ten."""

_Answer = TypeVar("_Answer")


def naming(address: str) -> AbstractContextManager[None]:
    """Turns what the client of a store says of an address into `StoreError`."""
    return naming_gcs(address) if address.startswith("gs://") else naming_s3(address)


def patiently(address: str, ask: Callable[[], _Answer]) -> _Answer:
    """The answer to something that can be asked twice; raises `StoreError`."""
    for wait in WAITS:
        try:
            with naming(address):
                return ask()
        except PassingError:
            time.sleep(wait * random.uniform(0.75, 1.25))  # noqa: S311  nothing secret
    with naming(address):
        return ask()

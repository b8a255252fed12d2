"""What the scripts of loaders share: reading everything in batches, and what that costs.

A script is called with the folder that `benchmarks.token_shards` made. Nothing of
repomill is imported.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterable, Sized
from importlib.metadata import metadata, version
from typing import Any

import numpy as np

CONTEXT = 2048
SEQUENCES = 8
LEAST_SECONDS = 1.0


def measure_epochs(epoch: Callable[[], Iterable[Sized]], package: str) -> None:
    """Reads all batches once to add up their ids, then again and again for some time.

    A batch is an array or tensor of ids, a row a sequence. Prints what was found.
    """
    total = 0
    for batch in epoch():
        ids = np.asarray(batch)
        total += int(ids.sum(dtype=np.int64))
    sequences = 0
    started = spent = cpu_seconds()
    while spent - started < LEAST_SECONDS:
        for batch in epoch():
            sequences += len(batch)
        spent = cpu_seconds()
    about = metadata(package)
    told = about.get("License-Expression") or about.get("License") or ""
    facts: dict[str, Any] = {
        "version": version(package),
        "license": told.splitlines()[0] if told else "",
    }
    facts |= {
        "ids": str(ids.dtype),
        "tokens": sequences * CONTEXT,
        "cpu": spent - started,
        "sum": total,
    }
    print(json.dumps(facts))


def cpu_seconds() -> float:
    """User and system seconds of this process and of those it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)

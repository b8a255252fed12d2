"""Sandboxes of each tier that this machine offers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.process import SandboxError

SAFE_TIERS = (Tier.NAMESPACES, Tier.LANDLOCK)
PATIENCE = 20.0
"""Seconds until what is waited for counts as never coming."""


@cache
def missing(tier: Tier) -> str | None:
    """Why this machine does not offer a tier, if so."""
    try:
        with Sandbox(tier):
            return None
    except SandboxError as error:
        return f"no tier {tier}: {error}"


@contextmanager
def opened(tier: Tier, **limits: Any) -> Iterator[Sandbox]:
    """An open sandbox; skips the test where the machine does not offer the tier."""
    if reason := missing(tier):
        pytest.skip(reason)
    with Sandbox(tier, Limits(**limits)) as sandbox:
        yield sandbox


def server_of(sandbox: Sandbox) -> tuple[int, Path]:
    """The number and the folder of a sandbox's server."""
    assert sandbox._server is not None
    return sandbox._server._process.pid, Path(sandbox._server._folder)


def partner_of(sandbox: Sandbox) -> tuple[int, Path]:
    """The number and the folder of a sandbox's tester."""
    assert sandbox._tester is not None
    return sandbox._tester._process.pid, Path(sandbox._tester._folder)


def processes_of(folder: Path) -> list[int]:
    """Processes of a server or tester, which all have its folder in their command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether something holds within `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True

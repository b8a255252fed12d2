"""Fork hooks: what modules of the standard library do around every fork.

They take locks and draw random numbers for the sake of other threads and other processes, of
which a fork server has neither. Imported first of all, this module keeps them: children of
the server start without them, and only programs that may fork get them back. What they touch
costs a child 80 pages to copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable

_kept: list[dict[str, Callable[[], object]]] = []
_register = os.register_at_fork


def keep_hooks() -> None:
    """From here on hooks are kept, and none of them runs."""
    os.register_at_fork = _keep  # type: ignore[assignment]


def _keep(**hooks: Callable[[], object]) -> None:
    _kept.append(hooks)


def let_hooks_register() -> None:
    """Hooks of modules that are imported from here on run as ever."""
    os.register_at_fork = _register


def give_hooks_back() -> None:
    """Has the kept hooks run at forks to come."""
    for hooks in _kept:
        _register(**hooks)

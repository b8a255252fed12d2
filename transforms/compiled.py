"""Compiler settings for all kernels, in one place.

Kernels release the GIL, so that a thread a core is enough, and are cached on disk,
so that only the first run on a machine compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiles a function on its first call for each combination of argument types.

    Integers wrap around as in C and NumPy; nothing is reordered or approximated, so
    that results are equal on every machine.
    """
    return cast(
        Function,
        numba.njit(nogil=True, cache=True, fastmath=False, error_model="numpy")(function),
    )

"""Compiler settings for all kernels, in one place.

Kernels release the GIL, so that a thread a core is enough, and are cached on disk,
so that only the first run on a machine compiles.

Numba counts the references to arrays, by an atomic instruction for each array that a
function is given or each slice that it takes; in what is called for every word or line
of a text that costs several times what the work does. Functions that allocate nothing
need no counts.
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
    return _compile(function, counts_references=True)


def allocation_free(function: Function) -> Function:
    """As `compiled`, for what kernels call: it makes no arrays but views, and returns none.

    Numba refuses to compile one that allocates.
    """
    return _compile(function, counts_references=False)


def _compile(function: Function, *, counts_references: bool) -> Function:
    options: dict[str, Any] = {
        "nogil": True,
        "cache": True,
        "fastmath": False,
        "error_model": "numpy",
        # A function that does not say would take this from whatever calls it first.
        "_nrt": counts_references,
    }
    return cast(Function, numba.njit(**options)(function))

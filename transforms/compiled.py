"""Compiler settings for all kernels, in one place.

Kernels release the GIL, so that a thread a core is enough, and are cached on disk,
so that only the first run on a machine compiles.

Numba counts the references to arrays, by an atomic instruction for each array that a
function is given or each slice that it takes; in what is called for every word or line
of a text that costs several times what the work does. Functions that allocate nothing
need no counts.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import entrypoints

Function = TypeVar("Function", bound=Callable[..., Any])


def _leave_out_what_no_kernel_needs() -> None:
    """Keeps Numba from importing SciPy's linear algebra and what extends Numba: over a second.

    It does so before the first kernel of a process is loaded: SciPy's to see whether
    ``numpy.dot`` could be compiled, and packages that are installed by chance (such as
    awkward) for types of theirs.
    """
    entrypoints._already_initialized = True
    if "scipy.linalg" not in sys.modules:
        # None makes an import of it fail, as if SciPy were not installed.
        sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("numba.np.arraymath")
        finally:
            del sys.modules["scipy.linalg"]


_leave_out_what_no_kernel_needs()


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

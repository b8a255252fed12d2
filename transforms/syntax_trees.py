"""Syntax trees of Python, parsed by one thread of a process at a time.

Before Python 3.11.8 two threads that make trees at once end one of them with a SystemError
(python/cpython issue 106905), and warnings are silenced for a whole process, not a thread.
"""

from __future__ import annotations

import ast
import threading
import warnings

parsing = threading.RLock()
"""Held by whoever has Python parse something, be it a literal."""


def parse_module(text: str) -> ast.Module:
    """The tree of a module; raises what `ast.parse` raises, and warns of nothing."""
    with parsing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """The tree of an expression; raises what `ast.parse` raises, and warns of nothing."""
    with parsing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body

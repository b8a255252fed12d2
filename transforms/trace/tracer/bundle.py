"""The tracer as the one file that goes into an environment, joined from its modules."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files

from transforms.syntax_trees import parse_module

MODULE = "repomill_tracer"
PTH = (
    f"import os, sys; os.environ.get('REPOMILL_TRACE') and not hasattr(sys, '_{MODULE}') and "
    f"__import__('{MODULE}').start_from_environment()\n"
)
"""What a file of paths in site-packages says, so that every process of the suite is traced.

A virtual environment reads its files of paths twice.
"""

_PARTS = (
    *("values", "names", "parameters", "sources", "standard", "objects"),
    *("constructions", "functions", "writer", "hooks"),
)
_PACKAGE = "transforms.trace.tracer"
_HEAD = '''"""Records calls of functions; written by repomill into the environment of a project."""

from __future__ import annotations

import builtins

# Whatever is done to the built-in names later is not done to those of this module.
__builtins__ = dict(vars(builtins))
'''


@cache
def tracer_source() -> str:
    """The source of the tracer: a module that imports only the standard library, from 3.8 on.

    It has `snapshot`, `snapshot_error`, `Opaque`, `write_json` and `start_from_environment`.
    """
    texts = ((files(_PACKAGE) / f"{name}.py").read_text(encoding="utf-8") for name in _PARTS)
    return "\n\n".join((_HEAD, *map(_without_own_imports, texts)))


def tracer_files() -> dict[str, str]:
    """Files for the site-packages of an environment by their names."""
    return {f"{MODULE}.py": tracer_source(), f"{MODULE}.pth": PTH}


def _without_own_imports(text: str) -> str:
    lines = text.splitlines()
    for node in parse_module(text).body:
        if isinstance(node, ast.ImportFrom) and _goes(node.module or "") and node.end_lineno:
            for number in range(node.lineno - 1, node.end_lineno):
                lines[number] = ""
    return "\n".join(lines)


def _goes(module: str) -> bool:
    return module == "__future__" or module.startswith(_PACKAGE)

"""Checking: a last look at a program, as its text is what counts."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Sequence

from transforms.trace.lifting.conditions import is_standard
from transforms.trace.lifting.resolution import BUILTINS, PYTHON_2
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scanning import scan
from transforms.trace.lifting.scopes import Origin
from transforms.trace.lifting.text import parse


def check_program(
    program: str,
    allowed_packages: frozenset[str],
    lost: Collection[str],
    *,
    lazy_annotations: bool,
) -> None:
    """Sees that a program compiles, and that each name in it has a meaning when it is needed.

    Args:
      program: its text.
      allowed_packages: foreign packages that it may import.
      lost: names without a meaning that it may have.
      lazy_annotations: whether it evaluates none.

    Raises:
      LiftError: it does not.
    """
    tree = _compiled(program)
    here: set[str] = set(BUILTINS | PYTHON_2).union(lost)
    scans = [
        scan([node], _imported, lambda _: False, lambda _: False, lazy_annotations=lazy_annotations)
        for node in tree.body
    ]
    everything = here.union(*(found.bound | found.set_later for found in scans))
    if any("*" in found.bound for found in scans):
        return
    for node, found in zip(tree.body, scans, strict=True):
        binds = found.bound if isinstance(node, ast.For | ast.With | ast.Try | ast.If) else set()
        for use in found.uses:
            known = here | binds if use.immediate else everything
            if use.name not in known and not use.unevaluated and not use.stores:
                raise LiftError(LiftReason.NOT_STANDALONE, f"{use.name} in line {use.line}")
        for line, name, guarded in found.packages:
            root = name.partition(".")[0]
            if not (is_standard(name) or root in allowed_packages or guarded):
                raise LiftError(LiftReason.NOT_STANDALONE, f"import of {name} in line {line}")
        here |= found.bound


def _compiled(program: str) -> ast.Module:
    try:
        tree = parse(program)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(program, "program", "exec", dont_inherit=True)
    except (LiftError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise LiftError(LiftReason.NOT_STANDALONE, str(error)) from error
    return tree


def _imported(node: ast.Import | ast.ImportFrom) -> Sequence[tuple[str, Origin]]:
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [(each.asname or each.name, Origin(module, each.name)) for each in node.names]
    return [
        (each.asname or each.name.partition(".")[0], Origin(each.name, None)) for each in node.names
    ]

"""License expressions of SPDX: their canonical form, their class, allow and deny lists.

Identifiers, aliases and categories are those of the `license-expression` library.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

from license_expression import ExpressionError, get_license_index, get_spdx_licensing
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from schemas.licenses import LicenseClass

UNKNOWN_LICENSE = "LicenseRef-unknown"
"""Stands for a license text that nobody has given an identifier."""

MAX_EXPRESSION_CHARACTERS = 400
"""Of an expression that somebody wrote."""
MAX_JOINED_CHARACTERS = 2000
"""Of one that was joined from several."""

_CATEGORIES = {
    "Permissive": LicenseClass.PERMISSIVE,
    "Public Domain": LicenseClass.PERMISSIVE,
    "Copyleft Limited": LicenseClass.WEAK_COPYLEFT,
    "Copyleft": LicenseClass.STRONG_COPYLEFT,
}
_ORDER = (
    LicenseClass.PERMISSIVE,
    LicenseClass.WEAK_COPYLEFT,
    LicenseClass.STRONG_COPYLEFT,
    LicenseClass.UNKNOWN,
)
# It frees programs that call the kernel, not what is made from the file that carries it.
_NOT_LOOSENING = frozenset({"linux-syscall-note"})


@functools.lru_cache(maxsize=4096)
def canonical_expression(text: str) -> str | None:
    """The canonical form of an SPDX expression; None for what is none.

    Identifiers that SPDX has replaced get their successors: `GPL-2.0+` is `GPL-2.0-or-later`.
    """
    if not 0 < len(text) <= MAX_EXPRESSION_CHARACTERS:
        return None
    try:
        valid = canonicalize_license_expression(text)
        return str(_licensing().parse(valid))
    except (InvalidLicenseExpression, ExpressionError, RecursionError):
        return None


def join_expressions(expressions: Collection[str], operator: str) -> str:
    """Expressions joined by AND or OR in their order, each one once, in parentheses if needed.

    So many that nobody could read it are `UNKNOWN_LICENSE`.
    """
    distinct = list(dict.fromkeys(expressions))
    if len(distinct) == 1:
        return distinct[0]
    other = " OR " if operator == "AND" else " AND "
    joined = f" {operator} ".join(f"({text})" if other in text else text for text in distinct)
    return joined if len(joined) <= MAX_JOINED_CHARACTERS else UNKNOWN_LICENSE


@functools.lru_cache(maxsize=4096)
def licenses_in(expression: str) -> frozenset[str]:
    """The licenses that an expression names, each with its exception.

    Raises `ExpressionError` for what is no expression.
    """
    return frozenset(_render(leaf) for leaf in _leaves(_parse(expression)))


@functools.lru_cache(maxsize=4096)
def license_class(expression: str | None) -> LicenseClass:
    """The class of an expression: of a choice the least demanding, of a sum the most."""
    if not expression:
        return LicenseClass.NONE
    try:
        return _class_of(_parse(expression))
    except (ExpressionError, RecursionError):
        return LicenseClass.UNKNOWN


@functools.lru_cache(maxsize=4096)
def allows(expression: str | None, allow: frozenset[str], deny: frozenset[str]) -> bool:
    """Whether lists of licenses allow an expression.

    Of a choice one license must pass, of a sum each. A license passes that is not denied,
    and that is allowed or the list of allowed ones is empty; no license passes only where
    that list is empty. What holds for a license holds for it with an exception too, unless
    a list names both together.
    """
    if not expression:
        return not allow
    try:
        tree = _parse(expression)
        allowed, denied = ({_folded(name) for name in names} for names in (allow, deny))
        return _passes(tree, allowed, denied)
    except (ExpressionError, RecursionError):
        return False


@functools.cache
def _licensing() -> Any:
    return get_spdx_licensing()


@functools.cache
def _classes() -> dict[str, LicenseClass]:
    """The class of each identifier in lower case."""
    classes: dict[str, LicenseClass] = {}
    for entry in get_license_index():
        found = _CATEGORIES.get(entry["category"], LicenseClass.UNKNOWN)
        for key in (entry["spdx_license_key"], *entry["other_spdx_license_keys"]):
            if key:
                classes[key.lower()] = found
    return classes


def _parse(expression: str) -> Any:
    if len(expression) > MAX_JOINED_CHARACTERS:
        raise ExpressionError(f"an expression of {len(expression)} characters")
    return _licensing().parse(expression)


def _leaves(tree: Any) -> list[Any]:
    if not _operator(tree):
        return [tree]
    return [leaf for part in tree.args for leaf in _leaves(part)]


def _operator(tree: Any) -> str:
    """AND, OR, or nothing for a license."""
    name = type(tree).__name__
    return name if name in ("AND", "OR") else ""


def _render(leaf: Any) -> str:
    return str(leaf.render("{symbol.key}"))


def _split(leaf: Any) -> tuple[str, str]:
    """A license and its exception, or nothing, in lower case."""
    name, _, exception = _render(leaf).lower().partition(" with ")
    return name, exception


def _class_of(tree: Any) -> LicenseClass:
    operator = _operator(tree)
    if operator:
        choose = min if operator == "OR" else max
        return choose((_class_of(part) for part in tree.args), key=_ORDER.index)
    name, exception = _split(tree)
    found = _classes().get(name, LicenseClass.UNKNOWN)
    if not exception or exception in _NOT_LOOSENING:
        return found
    # An exception adds to what is granted, so that it never makes a license stricter.
    return min(found, _classes().get(exception, LicenseClass.UNKNOWN), key=_ORDER.index)


def _folded(name: str) -> str:
    return (canonical_expression(name) or name).lower()


def _passes(tree: Any, allow: Collection[str], deny: Collection[str]) -> bool:
    operator = _operator(tree)
    if operator:
        verdict = any if operator == "OR" else all
        return verdict(_passes(part, allow, deny) for part in tree.args)
    name, exception = _split(tree)
    whole = f"{name} with {exception}" if exception else name
    if whole in deny:
        return False
    if whole in allow:
        return True
    return name not in deny and (not allow or name in allow)

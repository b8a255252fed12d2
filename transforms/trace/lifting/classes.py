"""Classes: which members a program needs of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from transforms.trace.lifting.pieces import Definition, Piece, Unit
from transforms.trace.lifting.resolution import Builtin, Foreign, Own, Resolver
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import mangle

_QUIET_MODULES = frozenset({"typing", "abc", "collections.abc", "numbers", "enum", "contextlib"})
_QUIET_NAMES = frozenset(
    {
        *("namedtuple", "OrderedDict", "Counter", "defaultdict", "deque"),
        *("UserDict", "UserList", "UserString", "ABC", "ABCMeta"),
    }
)
_QUIET_DECORATORS = frozenset(
    {"dataclass", "total_ordering", "final", "runtime_checkable", "python_2_unicode_compatible"}
)
_CALLED_BY_MIXINS = frozenset(
    [
        "add",
        "discard",
        "insert",
        "append",
        "extend",
        "pop",
        "clear",
        "keys",
        "items",
        "values",
        "get",
        "update",
        "setdefault",
    ]
)
"""Methods that methods of `collections.abc` call."""

_FOR_COPIES = frozenset(
    [
        "__reduce__",
        "__reduce_ex__",
        "__getstate__",
        "__setstate__",
        "__getnewargs__",
        "__getnewargs_ex__",
        "__copy__",
        "__deepcopy__",
        "__del__",
        "__dir__",
        "__sizeof__",
    ]
)
_COPYING = frozenset({"copy", "deepcopy", "pickle", "dumps", "__reduce__", "__reduce_ex__"})


class Members:
    """Decides about the members of one class.

    A base class that nobody can look into may call any method, so that all are kept then;
    otherwise methods are kept that something in the program names.
    """

    def __init__(self, resolver: Resolver, piece: Piece) -> None:
        if not isinstance(piece.node, ast.ClassDef):
            raise TypeError(f"a class was expected, got {type(piece.node).__name__}")
        self._class = piece.node
        self._piece = piece
        self.keeps_all = _is_opaque(resolver, piece, 20)
        """Whether something that nobody can look into may need any of them."""

        self._is_plain = not (self._class.decorator_list or self._class.keywords) and all(
            isinstance(base, ast.Name | ast.Attribute) for base in self._class.bases
        )

    def needed(
        self,
        attributes: frozenset[str],
        target: Unit | None,
        included: set[int],
        *,
        dynamic: bool,
        has_stand_in: bool,
    ) -> Iterator[int]:
        """Numbers of the units that are needed where some attributes are.

        Args:
          attributes: names that are read, written or deleted of anything.
          target: the method that is the entry point, which stands at the end.
          included: units that are in the program already.
          dynamic: whether attributes are looked up by names that nobody knows.
          has_stand_in: whether something under the target's name stands where it stood.
        """
        moved = None if has_stand_in or target is None else target.function
        units = self._piece.units
        local = {name for number in included for name in units[number].read_at_once}
        others = (units[number] for number in included if units[number] is not target)
        here = {name for unit in others for name in unit.bound}
        wanted = attributes | local
        for number, unit in enumerate(units):
            if not number or unit is target:
                continue
            if number > 1 and _is_text(unit):
                # What documents the member above goes with it.
                if number - 1 in included and units[number - 1] is not target:
                    yield number
            elif all(isinstance(node, ast.Delete) for node in unit.nodes):
                if here.issuperset(_deleted(unit)):
                    yield number
            elif self.is_needed(unit, wanted, moved, dynamic):
                yield number

    def is_needed(
        self, unit: Unit, wanted: frozenset[str], moved: Definition | None, dynamic: bool
    ) -> bool:
        """Whether a member is needed; ``moved`` is a method that has nothing in its place."""
        function = unit.function
        names = {mangle(name, self._class.name) for name in unit.bound}
        if function is not None:
            if is_overload(function):
                return False
            if function.name in _FOR_COPIES:
                return function.name in wanted or not wanted.isdisjoint(_COPYING)
            mixed_in = bool(self._class.bases) and function.name in _CALLED_BY_MIXINS
            special = mixed_in or _is_special(function.name)
            return self.keeps_all or dynamic or bool(names & wanted) or special
        if moved is not None and moved.name in unit.read_at_once:
            if names & wanted:
                raise LiftError(LiftReason.NEEDED_BEFORE_DEFINED, f"the class uses {moved.name}")
            return False
        if len(unit.nodes) == 1 and isinstance(unit.nodes[0], ast.ClassDef):
            return self.keeps_all or dynamic or bool(names & wanted)
        is_assignment = all(isinstance(node, ast.Assign) for node in unit.nodes)
        if self._is_plain and not self.keeps_all and not dynamic and is_assignment:
            is_simple = not unit.uses and not any(unit.read_at_once)
            return is_simple or bool(names & wanted) or any(map(_is_special, names))
        return True


def is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a signature for type checkers only."""
    return any(_last_name(decorator) == "overload" for decorator in node.decorator_list)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _last_name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    name: str = getattr(node, "id", getattr(node, "attr", ""))
    return name


def _is_text(unit: Unit) -> bool:
    """Whether it is a string that stands by itself."""
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in unit.nodes
    )


def _deleted(unit: Unit) -> Iterator[str]:
    for node in unit.nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                yield each.id


def _is_opaque(resolver: Resolver, piece: Piece, steps: int) -> bool:
    """Whether something may call methods of a class that does not stand in the program."""
    node = piece.node
    if not isinstance(node, ast.ClassDef) or steps <= 0:
        return True
    if any(_last_name(each) not in _QUIET_DECORATORS for each in node.decorator_list):
        return True
    if any(_last_name(each.value) not in _QUIET_NAMES for each in node.keywords):
        return True
    return any(_is_opaque_base(resolver, piece.module, base, steps) for base in node.bases)


def _is_opaque_base(resolver: Resolver, module: str, base: ast.expr, steps: int) -> bool:
    base = base.value if isinstance(base, ast.Subscript) else base
    if isinstance(base, ast.Call):
        return _last_name(base) not in ("namedtuple", "NamedTuple")
    if not isinstance(base, ast.Name):
        return not (isinstance(base, ast.Attribute) and base.attr in _QUIET_NAMES)
    try:
        target = resolver.resolve(module, base.id)
    except LiftError:
        return True
    if isinstance(target, Own):
        binders = resolver.module(target.module).binders.get(target.name, ())
        return any(_is_opaque(resolver, binder, steps - 1) for binder in binders)
    if isinstance(target, Foreign):
        return target.module not in _QUIET_MODULES and target.attribute not in _QUIET_NAMES
    return not isinstance(target, Builtin)

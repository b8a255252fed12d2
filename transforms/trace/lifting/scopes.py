"""Scopes: which names of a statement mean those of its module, and where they stand in it.

The rules are those of the language reference, section 4.2: function scopes see those around
them, class scopes are seen by nothing inside of them, comprehensions are functions but for
their first iterable, and assignment expressions bind outside of comprehensions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

IMPLICIT_IN_CLASSES = frozenset({"__module__", "__qualname__", "__doc__"})
NOWHERE = -1
_ATTRIBUTE_FUNCTIONS = frozenset(
    {"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller"}
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Origin:
    """Where an import statement takes a name from."""

    module: str
    attribute: str | None
    """None: the module itself."""

    loads: str = ""
    """The module that is loaded, where it is one inside of that which is bound."""


@dataclass(frozen=True)
class Use:
    """A place where a name means that of the module."""

    name: str
    line: int
    start: int
    """A place, see `place_of`; -1 where it has none that can be written to."""

    chain: tuple[tuple[str, int], ...]
    """Attributes that are read of it, each with the place where it ends."""

    stores: bool
    """The name itself is assigned or deleted."""

    sets_attribute: bool
    immediate: bool
    """When the statement runs, rather than when a function in it does."""

    called: bool
    annotation: bool
    unevaluated: bool
    """An annotation that nothing evaluates by itself."""

    local_names: frozenset[str]
    """What a name that took this one's place would be taken for something else as."""

    origin: Origin | None
    """Set where a statement inside of a function or class imports it."""

    @property
    def is_assigned(self) -> bool:
        """Whether an assignment takes the place of an import."""
        return self.origin is not None and self.start == NOWHERE


@dataclass(frozen=True)
class InnerImport:
    """An import of the project's own modules that is not a statement of the module itself."""

    node: ast.Import | ast.ImportFrom
    names: tuple[tuple[str, Origin], ...]
    assigned: frozenset[str]
    """Names that need an assignment, as they are bound elsewhere in their scope, too."""

    uses: tuple[Use, ...]
    """Of what is assigned, one for each of those names."""


@dataclass
class Scan:
    """What a statement uses."""

    uses: list[Use] = field(default_factory=list)
    attributes: list[tuple[int, str]] = field(default_factory=list)
    """Names of attributes, each with its line."""

    dynamic_lines: list[int] = field(default_factory=list)
    """Where attributes are looked up by names that are no literals."""

    calls: list[tuple[int, str]] = field(default_factory=list)
    """Names of functions called without arguments."""

    imports: list[InnerImport] = field(default_factory=list)
    failing: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    """Imports of modules that the project does not have, where something catches that."""

    packages: list[tuple[int, str, bool]] = field(default_factory=list)
    """Line and name of foreign modules that are imported inside, and whether failing is fine."""

    bound: frozenset[str] = frozenset()
    """Names of the module that the statement binds when it runs."""

    set_later: set[str] = field(default_factory=set)
    """Names of the module that functions in it bind."""


class Kind(Enum):
    """Of scopes."""

    MODULE = auto()
    FUNCTION = auto()
    CLASS = auto()
    COMPREHENSION = auto()


class Scope:
    """Names bound in one scope."""

    def __init__(self, kind: Kind, parent: Scope | None, mangled: str | None) -> None:
        self.kind = kind
        self.parent = parent
        self.mangled = mangled
        self.bound: dict[str, int] = {}
        """Each with the step at which it is bound first."""

        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.origins: dict[str, Origin] = {}
        self._visible: frozenset[str] | None = None

    def bind(self, name: str, step: int) -> None:
        """A name gets a value in here."""
        self.bound.setdefault(name, step)

    def visible(self) -> frozenset[str]:
        """All names that mean something local in here."""
        if self._visible is None:
            outer: frozenset[str] = frozenset()
            scope = self.parent
            while scope and scope.kind is Kind.CLASS:
                scope = scope.parent
            if scope:
                outer = scope.visible()
            mine = set() if self.kind is Kind.MODULE else {*self.bound, *self.origins}
            self._visible = frozenset(outer | mine)
        return self._visible

    def resolve(self, name: str, step: int, *, reads: bool) -> tuple[bool, Origin | None]:
        """Whether a name means that of the module, and what imports it in here."""
        scope: Scope = self
        while scope.kind is not Kind.MODULE:
            if scope.parent is None:
                raise TypeError("a scope of no module")
            if name in scope.globals:
                return True, None
            hidden = scope.kind is Kind.CLASS and scope is not self
            if not hidden and name not in scope.nonlocals:
                if name in scope.bound and not (
                    scope.kind is Kind.CLASS and reads and step < scope.bound[name]
                ):
                    return False, None
                if name in scope.origins and name not in scope.bound:
                    return False, scope.origins[name]
                if scope.kind is Kind.CLASS and name in IMPLICIT_IN_CLASSES:
                    return False, None
            scope = scope.parent
        return True, None


@dataclass(frozen=True)
class Reference:
    """A name as it stands somewhere, not yet resolved."""

    scope: Scope
    name: str
    line: int
    place: int
    step: int
    """Which comes after another has a larger one."""

    chain: tuple[tuple[str, int], ...] = ()
    stores: bool = False
    sets_attribute: bool = False
    immediate: bool = True
    called: bool = False
    annotation: bool = False
    unevaluated: bool = False


def place_of(line: int, column: int) -> int:
    """A position as one number that sorts as positions do."""
    return line << 32 | column


def mangle(name: str, class_name: str | None) -> str:
    """A name as the compiler changes it inside of a class."""
    if class_name is None or not name.startswith("__") or name.endswith("__"):
        return name
    stripped = class_name.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


def attribute_names(node: ast.Call) -> Iterator[str | None]:
    """Attributes that a call of ``getattr`` and its like names; None where it is no literal."""
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if name not in _ATTRIBUTE_FUNCTIONS:
        return
    arguments = node.args if name in ("attrgetter", "methodcaller") else node.args[1:2]
    for argument in arguments:
        if not isinstance(argument, ast.Constant):
            yield None
        elif isinstance(argument.value, str):
            yield from argument.value.split(".")


def parameters(arguments: ast.arguments) -> Iterable[ast.arg]:
    """All parameters of a function."""
    optional = [each for each in (arguments.vararg, arguments.kwarg) if each]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *optional]


def line_and_column(place: int) -> tuple[int, int]:
    """What `place_of` made one number of."""
    return place >> 32, place & 0xFFFFFFFF

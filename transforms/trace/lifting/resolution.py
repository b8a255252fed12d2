"""Resolution: what a name of a module stands for, through imports and re-exports."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms.trace.lifting.conditions import is_standard
from transforms.trace.lifting.modules import Module, Project
from transforms.trace.lifting.pieces import Piece
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import Origin, Use

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__debug__", "__builtins__", "WindowsError"}
PYTHON_2 = frozenset(
    [
        "unicode",
        "basestring",
        "long",
        "xrange",
        "unichr",
        "raw_input",
        "reduce",
        "file",
        "cmp",
        "buffer",
        "execfile",
        "intern",
        "apply",
        "coerce",
        "reload",
        "StandardError",
    ]
)
"""Builtins that are no more: code that uses them is for interpreters that have them."""

NEWER = frozenset({"annotationlib", "compression"})
"""Modules of newer standard libraries than that of 3.11."""

_OF_THE_MODULE = frozenset(
    {"__file__", "__path__", "__spec__", "__loader__", "__package__", "__doc__", "__cached__"}
)
_PACKAGE_DATA = frozenset({"pkgutil", "pkg_resources", "importlib_resources"})
_PACKAGE_DATA_PARTS = ("importlib.resources", "importlib.metadata", "importlib_metadata")
_MAX_STEPS = 50


@dataclass(frozen=True)
class Own:
    """A name that a module of the project defines."""

    module: str
    name: str


@dataclass(frozen=True)
class Foreign:
    """A name that is imported from outside of the project."""

    alias: str
    module: str
    attribute: str | None
    """None: the module itself, or the package that ``alias`` is the first part of."""


@dataclass(frozen=True)
class Builtin:
    """A name that is there without an import, or that nothing knows."""

    name: str


@dataclass(frozen=True)
class OwnModule:
    """A module of the project."""

    name: str


Target = Own | Foreign | Builtin | OwnModule


class Resolver:
    """Looks names up in the modules of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._local: dict[str, Module] = {}
        self._looked_into: set[tuple[str, str]] = set()
        """Modules of star imports, each with the name that it was asked for at present."""

        self.lost: set[str] = set()
        """Names that this version of the standard library does not have."""

    @property
    def allowed_packages(self) -> frozenset[str]:
        """Foreign packages that programs may import."""
        return self._project.allowed_packages

    def add(self, module: Module) -> None:
        """Has a function's body looked into as if it were a module."""
        self._local[module.name] = module

    def module(self, name: str) -> Module:
        """A module by its name."""
        return self._local.get(name) or self._project.module(name)

    def resolve_use(self, module: str, use: Use) -> tuple[Target, int]:
        """What a use means, and how many of its attributes that takes.

        Raises:
          LiftError: it means nothing that a program can have.
        """
        target = self.resolve_origin(use.origin) if use.origin else self.resolve(module, use.name)
        taken = 0
        for name, _ in use.chain:
            if not isinstance(target, OwnModule):
                break
            target = self.resolve_origin(Origin(target.name, name))
            taken += 1
        if isinstance(target, OwnModule):
            raise LiftError(LiftReason.MODULE_AS_VALUE, target.name)
        if taken and taken == len(use.chain) and use.sets_attribute:
            raise LiftError(LiftReason.SETS_MODULE_ATTRIBUTE, f"{use.name}.{use.chain[-1][0]}")
        return target, taken

    def resolve(self, module: str, name: str) -> Target:
        """What a name means at the top level of a module."""
        self._looked_into.clear()
        return self._resolve(module, name, _MAX_STEPS)

    def resolve_origin(self, origin: Origin) -> Target:
        """What an import means."""
        self._looked_into.clear()
        return self._follow(origin, origin.attribute or origin.module, _MAX_STEPS)

    def is_of_star(self, name: Own, after: int, before: int) -> bool:
        """Whether a star import between two statements of a module binds a name that it has."""
        self._looked_into.clear()
        return any(
            after < number < before
            and self._project.is_own(star)
            and self._through_star(star, name.name, _MAX_STEPS) is not None
            for number, star in self.module(name.module).stars
        )

    def foreign_imports(self, module: str, target: Foreign) -> Iterable[Foreign]:
        """All imports that together make a name what it is, as of ``os`` and ``os.path``."""
        yield target
        if target.attribute is None:
            here: Module | None = self.module(module)
            while here:
                for piece in here.binders.get(target.alias, ()):
                    if piece.origin and piece.origin.attribute is None:
                        loaded = piece.origin.loads or piece.origin.module
                        yield Foreign(target.alias, loaded, None)
                here = here.enclosing

    def _resolve(self, module: str, name: str, steps: int) -> Target:
        if steps <= 0:
            raise LiftError(LiftReason.UNKNOWN_NAME, f"{module}.{name} is imported in a circle")
        here = self.module(module)
        binders = here.binders.get(name)
        if name in here.closed:
            raise LiftError(LiftReason.CLOSURE, name)
        last = binders[-1].number if binders else -1
        for number, star in reversed(here.stars) if name not in here.set_later else ():
            # Nobody knows whether a foreign module has a name that is bound here as well.
            may_have = number > last and (not binders or self._project.is_own(star))
            if may_have and (found := self._through_star(star, name, steps - 1)):
                return found
        if binders:
            return self._bound(here, name, binders, steps)
        if name in here.set_later:
            return Own(module, name)
        if here.enclosing:
            return self._resolve(here.enclosing.name, name, steps - 1)
        return self._unbound(here, name)

    def _bound(self, here: Module, name: str, binders: Sequence[Piece], steps: int) -> Target:
        last = binders[-1]
        if last.origin and all(piece.origin for piece in binders):
            return self._follow(last.origin, name, steps - 1)
        return Own(here.name, name)

    def _follow(self, origin: Origin, alias: str, steps: int) -> Target:
        """What an import binds."""
        module, attribute = origin.module, origin.attribute
        if not self._project.is_own(module):
            module = origin.loads or module
            self._check_foreign(module, attribute)
            return Foreign(alias, module, attribute)
        if attribute is None:
            return OwnModule(self._present(module))
        if module not in self._project.sources:
            raise LiftError(LiftReason.MISSING_MODULE, module)
        inside = f"{module}.{attribute}"
        here = self.module(module)
        if attribute in here.binders:
            binders = here.binders[attribute]
            itself = Origin(module, attribute)
            if not all(piece.origin == itself for piece in binders):
                return self._resolve(module, attribute, steps - 1)
        if inside in self._project.sources:
            return OwnModule(inside)
        target = self._resolve(module, attribute, steps - 1)
        if isinstance(target, Builtin):
            if "__getattr__" in here.binders:
                raise LiftError(LiftReason.DYNAMIC_NAMES, f"{module}.__getattr__")
            raise LiftError(LiftReason.MISSING_MODULE, inside)
        return target

    def _present(self, module: str) -> str:
        if module not in self._project.sources:
            raise LiftError(LiftReason.MISSING_MODULE, module)
        return module

    def _check_foreign(self, module: str, attribute: str | None) -> None:
        root = module.partition(".")[0]
        full = f"{module}.{attribute}"
        if root in _PACKAGE_DATA or full.startswith(_PACKAGE_DATA_PARTS):
            raise LiftError(LiftReason.PACKAGE_DATA, module)
        if (
            not is_standard(module)
            and module not in NEWER
            and root not in self._project.allowed_packages
        ):
            raise LiftError(LiftReason.USES_PACKAGE, root or module)

    def _through_star(self, star: str, name: str, steps: int) -> Target | None:
        if not self._project.is_own(star):
            # Nobody looks into foreign modules: what is no builtin may come from there.
            if name in BUILTINS or name in _OF_THE_MODULE:
                return None
            self._check_foreign(star, "*")
            return Foreign("*", star, "*")
        if (star, name) in self._looked_into:
            return None
        self._looked_into.add((star, name))
        module = self.module(self._present(star))
        exported = self._exports(module)
        if exported is None and name.startswith("_") and "__all__" not in module.binders:
            return None
        if exported is not None and name not in exported:
            return None
        try:
            target = self._resolve(star, name, steps)
        except LiftError as error:
            if error.rejected.reason is LiftReason.UNKNOWN_NAME:
                return None
            raise
        return None if isinstance(target, Builtin) else target

    def _exports(self, module: Module) -> frozenset[str] | None:
        """The names in ``__all__``, None where there is none that can be read."""
        names: set[str] = set()
        binders = module.binders.get("__all__")
        if not binders or any(piece not in binders for piece, _ in module.changers("__all__")):
            return None
        for piece in binders:
            value = getattr(piece.node, "value", None)
            if not isinstance(value, ast.List | ast.Tuple):
                return None
            names |= {str(item.value) for item in value.elts if isinstance(item, ast.Constant)}
        return frozenset(names)

    def _unbound(self, here: Module, name: str) -> Target:
        if name in _OF_THE_MODULE:
            raise LiftError(LiftReason.PACKAGE_DATA, name)
        if name in BUILTINS or name in PYTHON_2:
            return Builtin(name)
        if "__getattr__" in here.binders:
            raise LiftError(LiftReason.DYNAMIC_NAMES, f"{here.name}.__getattr__")
        lost = here.lost(name)
        if lost is None:
            raise LiftError(LiftReason.UNKNOWN_NAME, name)
        self._check_foreign(lost, name)
        # Other versions of the standard library have it: code that sees to that never uses it.
        self.lost.add(name)
        return Builtin(name)

"""What becomes of a function that is lifted: a program of its own, or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class LiftReason(StrEnum):
    """Why a function cannot be made into a standalone program."""

    NOT_PARSED = "not_parsed"
    """A module is no Python that this interpreter reads, or is out of bounds."""

    NOT_FOUND = "not_found"
    """No definition of that name in the module's text."""

    TEST_CODE = "test_code"
    COROUTINE = "coroutine"
    PROPERTY = "property"
    CLOSURE = "closure"
    """Uses names of an enclosing function that differ from call to call."""

    NESTED_CLASS = "nested_class"
    EMPTY_BODY = "empty_body"
    """Nothing but a docstring."""

    USES_PACKAGE = "uses_package"
    """Of neither the standard library nor the project, and not allowed."""

    MISSING_MODULE = "missing_module"
    """A module of the project without Python source: an extension, or generated."""

    UNKNOWN_NAME = "unknown_name"
    DYNAMIC_NAMES = "dynamic_names"
    """Looks names up in a namespace at run time, as by ``globals()``."""

    PACKAGE_DATA = "package_data"
    """Uses the place, the data files or the metadata of its package."""

    MODULE_AS_VALUE = "module_as_value"
    """Hands a module of the project around as an object."""

    SETS_MODULE_ATTRIBUTE = "sets_module_attribute"
    NEEDED_BEFORE_DEFINED = "needed_before_defined"
    """Code that has to stand before the body runs the function."""

    NEEDS_CODE_AFTER = "needs_code_after"
    """Needs statements that have to stand after the body."""

    NAME_COLLISION = "name_collision"
    """Two modules use one name, and neither can be renamed."""

    TOO_LARGE = "too_large"
    TOO_MANY_PIECES = "too_many_pieces"
    NOT_STANDALONE = "not_standalone"
    """The program that came out fails a last look: a syntax error, or a name without a meaning."""


@dataclass(frozen=True)
class Rejected:
    """A function that was not lifted."""

    reason: LiftReason
    detail: str


class LiftError(Exception):
    """Ends the lifting of one function."""

    def __init__(self, reason: LiftReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.rejected = Rejected(reason, detail[:200])


@dataclass(frozen=True)
class Lifted:
    """A function as a standalone program, ``prompt`` followed by ``body``."""

    entry_point: str
    """A name, or "Class.name" for a method."""

    signature: str
    """From ``def`` to the colon."""

    docstring: str | None
    """As written between the quotes."""

    prompt: str
    """Imports, helpers, signature and docstring: ends where the body begins."""

    prompt_without_docstring: str
    body: str
    uses: tuple[str, ...]
    """Paths of the modules that pieces came from, sorted."""

    receiver: bool
    """Whether the first argument of the entry point is an object of its class."""

    own_names: Mapping[str, str]
    """From "module:qualname" to an expression of the program for it; what could not be put
    into the program is missing."""

    lines: tuple[int, int]
    """First and last line of the body in prompt and body, from 1."""

"""Parameters of functions, and the shortest call that gives them their values."""

from __future__ import annotations

from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

ABSENT: Any = object()
"""No value, and no default."""

POSITIONAL, EITHER, KEYWORD = range(3)
"""How a parameter may be given."""

VARARGS, VARKEYWORDS = 0x4, 0x8
"""Flags of code objects, which `inspect` has as well."""


class Parameter:
    """A parameter that has a name: how it may be given, and its default or `ABSENT`."""

    __slots__ = ("default", "name", "passing")

    def __init__(self, name: str, passing: int, default: Any) -> None:
        self.name = name
        self.passing = passing
        self.default = default


def parameters_of(code: CodeType, function: FunctionType | None) -> list[Parameter]:
    """The parameters of a code object, with defaults where its function is known."""
    count, names = code.co_argcount, code.co_varnames
    defaults = (function.__defaults__ if function else None) or ()
    by_keyword = (function.__kwdefaults__ if function else None) or {}
    without = count - len(defaults)
    parameters = []
    for index, name in enumerate(names[:count]):
        passing = POSITIONAL if index < code.co_posonlyargcount else EITHER
        default = defaults[index - without] if index >= without else ABSENT
        parameters.append(Parameter(name, passing, default))
    for name in names[count : count + code.co_kwonlyargcount]:
        parameters.append(Parameter(name, KEYWORD, by_keyword.get(name, ABSENT)))  # noqa: PERF401
    return parameters


def given(
    code: CodeType, parameters: Sequence[Parameter], held: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call for some parameters, where the frame at its start holds ``held``.

    Raises:
      KeyError: some are gone.
    """
    behind = code.co_argcount + code.co_kwonlyargcount
    rest: tuple[Any, ...] = ()
    if code.co_flags & VARARGS:
        rest = held[code.co_varnames[behind]]
        behind += 1
    positional, keywords = arrange(parameters, [held[each.name] for each in parameters], rest)
    if code.co_flags & VARKEYWORDS:
        keywords.update(held[code.co_varnames[behind]])
    return positional, keywords


def arrange(
    parameters: Sequence[Parameter], values: Sequence[Any], rest: Sequence[Any] = ()
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments that give ``parameters`` their ``values``.

    Those that have their default are left out, so that what follows is given by keyword, unless
    ``rest``, which goes to the parameter with a star, follows.
    """
    needed = 0
    for index, (parameter, value) in enumerate(zip(parameters, values)):
        if parameter.passing != POSITIONAL:
            break
        if value is not parameter.default:
            needed = index + 1
    positional, keywords, is_behind = [], {}, False
    for index, (parameter, value) in enumerate(zip(parameters, values)):
        if parameter.passing == KEYWORD:
            if value is not parameter.default:
                keywords[parameter.name] = value
        elif rest or index < needed:
            positional.append(value)
        elif value is parameter.default:
            is_behind = True
        elif is_behind:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    positional.extend(rest)
    return positional, keywords

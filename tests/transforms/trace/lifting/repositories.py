"""Repositories of a few modules, and programs that are lifted out of them."""

import ast
from dataclasses import dataclass

from transforms.trace.lifting import Lifted, Sources, lift


@dataclass(frozen=True)
class Place:
    module: str
    qualname: str
    line: int


def sources(modules):
    """Sources of modules by name, or of one that is called ``m``."""
    modules = {"m": modules} if isinstance(modules, str) else modules
    paths = {}
    for name in modules:
        is_package = any(other.startswith(f"{name}.") for other in modules)
        paths[name] = name.replace(".", "/") + ("/__init__.py" if is_package else ".py")
    return Sources({name: (paths[name], text) for name, text in modules.items()})


def lift_of(modules, name, values=(), packages=(), line=None):
    """What becomes of "module:qualname", or of a qualified name in the module ``m``."""
    module, _, qualname = name.rpartition(":")
    module = module or "m"
    texts = {"m": modules} if isinstance(modules, str) else modules
    place = Place(module, qualname, line or line_of(texts[module], qualname))
    return lift(sources(modules), place, frozenset(values), frozenset(packages))


def line_of(text, qualname):
    """The first line of the first definition of a function, 1 where there is none."""
    parts = [part for part in qualname.split(".") if part != "<locals>"]
    nodes = [ast.parse(text)]
    for part in parts:
        inner = [each for node in nodes for each in ast.walk(node) if each is not node]
        nodes = [each for each in inner if getattr(each, "name", None) == part]
    if not nodes:
        return 1
    return min([nodes[0].lineno, *(each.lineno for each in nodes[0].decorator_list)])


def program(modules, name, values=(), packages=()):
    """The text of a program that is lifted."""
    lifted = lift_of(modules, name, values, packages)
    assert isinstance(lifted, Lifted), lifted
    return lifted.prompt + lifted.body


def entry(modules, name, values=(), packages=()):
    """The function of a program that is lifted and run, and the names of the program."""
    return entry_of(lift_of(modules, name, values, packages))


def entry_of(lifted):
    """The function of a lifted program that is run, and the names of the program."""
    assert isinstance(lifted, Lifted), lifted
    names = {"__name__": "program"}
    exec(compile(lifted.prompt + lifted.body, "program", "exec", dont_inherit=True), names)
    found = None
    for part in lifted.entry_point.split("."):
        found = names[part] if found is None else getattr(found, part)
    return found, names


def called(modules, name, *arguments, values=(), packages=()):
    """What a lifted function returns."""
    function, _ = entry(modules, name, values, packages)
    return function(*arguments)


def reason(modules, name, packages=()):
    """Why a function is not lifted."""
    rejected = lift_of(modules, name, (), packages)
    assert not isinstance(rejected, Lifted), rejected.prompt + rejected.body
    return str(rejected.reason)

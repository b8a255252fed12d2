"""Lifted programs of generated repositories do what the repositories do."""

import sys
from types import ModuleType
from unittest import mock

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tests.transforms.trace.lifting.repositories import entry_of, lift_of
from transforms.trace.lifting import Lifted

PACKAGE = "generated"
NAMES = ("a", "b", "c", "m0", "len")
SETTINGS = settings(max_examples=100, deadline=None, report_multiple_bugs=False)


class _Writer:
    """Writes modules of which each uses those before."""

    def __init__(self, draw):
        self.draw = draw
        self.texts = {PACKAGE: ""}
        self.defined = {}

    def choose(self, *items):
        return self.draw(st.sampled_from(items))

    def module(self, number):
        name = f"m{number}"
        here, lines = {}, []
        for other in self.defined:
            lines += self.imports(other, here)
        for _ in range(self.choose(1, 2, 3, 4)):
            bound = self.choose(*NAMES)
            lines += self.choose(self.constant, self.function, self.klass)(bound, here)
        self.defined[name] = {key: kind for key, kind in here.items() if "." not in key}
        self.texts[f"{PACKAGE}.{name}"] = "\n".join([*lines, ""])

    def imports(self, other, here):
        names = self.defined[other]
        style = self.choose("from", "as", "module", "full", "star")
        prefix = {"module": f"{other}.", "full": f"{PACKAGE}.{other}."}.get(style, "")
        if prefix:
            self.bind(prefix.partition(".")[0], None, here)
        for name, kind in names.items():
            bound = f"{name}_{other}" if style == "as" else f"{prefix}{name}"
            self.bind(bound, kind, here)
        return {
            "from": [f"from .{other} import {name}" for name in names],
            "as": [f"from .{other} import {name} as {name}_{other}" for name in names],
            "module": [f"from . import {other}"],
            "full": [f"import {PACKAGE}.{other}"],
            "star": [f"from .{other} import *"],
        }[style]

    def bind(self, name, kind, here):
        for key in [key for key in here if key.startswith(f"{name}.")]:
            del here[key]
        here.pop(name, None)
        if kind:
            here[name] = kind

    def expression(self, here, local=()):
        known = [(name, kind) for name, kind in here.items() if name.partition(".")[0] not in local]
        terms = [str(self.choose(0, 1, 2)), *local]
        terms += [
            {"constant": name, "function": f"{name}(1)", "class": f"{name}(2).method(1)"}[kind]
            for name, kind in known
        ]
        return self.choose("{} + {}", "{} * {} % 100", "max({}, {})").format(
            self.choose(*terms), self.choose(*terms)
        )

    def constant(self, name, here):
        value = self.expression(here)
        self.bind(name, "constant", here)
        more = [f"{name} += 1"] if self.choose(True, False) else []
        return [f"{name} = {value}", *more]

    def function(self, name, here):
        default = self.expression(here)
        local = self.choose("x", *NAMES)
        inside = {key: kind for key, kind in here.items() if key.partition(".")[0] != name}
        body = [f"    {local} = x + y", f"    return {self.expression(inside, {'x', 'y', local})}"]
        self.bind(name, "function", here)
        return [f"def {name}(x, y={default}):", "    '''Doc.'''", *body]

    def klass(self, name, here):
        bases = [each for each, kind in here.items() if kind == "class"]
        base = f"({self.choose(*bases)})" if bases and self.choose(True, False) else ""
        value = self.expression(here)
        inside = {key: kind for key, kind in here.items() if key.partition(".")[0] != name}
        body = self.expression(inside, {"x"})
        self.bind(name, "class", here)
        maker = [] if base else ["    def __init__(self, x):", "        self.x = x"]
        return [
            f"class {name}{base}:",
            f"    value = {value}",
            *maker,
            "    def method(self, x):",
            f"        return self.value + self.x + {body}",
            "    @property",
            "    def size(self):",
            "        return self.method(self.value)",
        ]


@st.composite
def repositories(draw):
    writer = _Writer(draw)
    for number in range(draw(st.integers(1, 3))):
        writer.module(number)
    last = list(writer.defined)[-1]
    try:
        module = run(writer.texts)[f"{PACKAGE}.{last}"]
    except (TypeError, AttributeError, RecursionError):
        # A name that is used again means something else than where it was used.
        reject()
    return writer.texts, module, writer.defined[last]


def run(texts):
    """The modules of a repository, run in the order of their names."""
    with mock.patch.dict(sys.modules):
        for name, text in texts.items():
            module = ModuleType(name)
            module.__package__ = PACKAGE
            if name == PACKAGE:
                module.__path__ = []
            else:
                setattr(sys.modules[PACKAGE], name.rpartition(".")[2], module)
            sys.modules[name] = module
            exec(text, vars(module))
        return {name: sys.modules[name] for name in texts}


def outcome(function, *arguments):
    """What a function returns, or the name of what it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__


def firstline(function):
    return getattr(function, "fget", function).__code__.co_firstlineno


@SETTINGS
@given(repositories())
def test_functions_return_what_they_return_in_their_repository(repository):
    texts, module, names = repository
    for name in [name for name, kind in names.items() if kind == "function"]:
        original = vars(module)[name]
        lifted = lift_of(texts, f"{module.__name__}:{name}", line=firstline(original))
        if isinstance(lifted, Lifted) and original.__module__ == module.__name__:
            function, _ = entry_of(lifted)
            assert outcome(function, 3) == outcome(original, 3)


@SETTINGS
@given(repositories(), st.sampled_from([("method", (2,)), ("size", ())]))
def test_methods_and_properties_return_what_they_return_in_their_repository(repository, member):
    texts, module, names = repository
    member, arguments = member
    for name in [name for name, kind in names.items() if kind == "class"]:
        owner, qualname = vars(module)[name], f"{module.__name__}:{name}"
        line = firstline(vars(owner)[member])
        lifted = lift_of(texts, f"{qualname}.{member}", {qualname}, line=line)
        if isinstance(lifted, Lifted) and owner.__module__ == module.__name__:
            function, found = entry_of(lifted)
            original = getattr(owner, member)
            original = getattr(original, "fget", original)
            receiver = found[lifted.own_names[qualname]](4)
            assert outcome(function, receiver, *arguments) == outcome(
                original, owner(4), *arguments
            )

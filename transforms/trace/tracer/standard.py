"""Snapshots of values of the standard library's types."""

from __future__ import annotations

import sys
from _functools import partial  # type: ignore[import-not-found]  # functools imports much
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
    WrapperDescriptorType,
)

from transforms.trace.tracer.names import find_name, of_class, resolve
from transforms.trace.tracer.sources import take_source
from transforms.trace.tracer.values import (
    Opaque,
    Walk,
    call,
    module_dict,
    type_module,
    type_qualname,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Taker = Callable[[Walk, Any, int], Any]


def _take_attributes(name: str, *attributes: str) -> Taker:
    """A call whose arguments are what attributes in C or slots hold."""

    def take(walk: Walk, value: Any, level: int) -> Any:
        return call(name, *walk.items([getattr(value, each) for each in attributes], level))

    return take


def _take_text(name: str) -> Taker:
    def take(walk: Walk, value: Any, level: int) -> Any:
        text = str(value)
        walk.spend(len(text))
        return call(name, text)

    return take


def _take_datetime(name: str, *attributes: str) -> Taker:
    """Fields up to the last one that is not zero, then time zone and fold by their names."""

    def take(walk: Walk, value: Any, level: int) -> Any:
        fields = [getattr(value, each) for each in attributes]
        least = 3 if name.endswith("datetime") else 0
        while len(fields) > least and not fields[-1]:
            fields.pop()
        tree = call(name, *fields)
        if value.tzinfo is not None:
            tree["call"][2]["tzinfo"] = walk.take(value.tzinfo, level)
        if value.fold:
            tree["call"][2]["fold"] = value.fold
        return tree

    return take


def _take_timedelta(walk: Walk, value: Any, level: int) -> Any:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return call("datetime:timedelta", **{key: part for key, part in parts.items() if part})


def _take_timezone(walk: Walk, value: Any, level: int) -> Any:
    if value is sys.modules["datetime"].timezone.utc:
        return {"name": "datetime:timezone.utc"}
    return call("datetime:timezone", *walk.items(value.__getinitargs__(), level))


def _take_pattern(walk: Walk, value: Any, level: int) -> Any:
    flags = value.flags & ~32 if type(value.pattern) is str else value.flags
    tree = call("re:compile", walk.take(value.pattern, level))
    if flags:
        tree["call"][1].append(int(flags))
    return tree


def _take_ordered(walk: Walk, value: Any, level: int) -> Any:
    # Its own order, which is not that of the dictionary that it is as well.
    pairs = [walk.take(pair, level + 1) for pair in type(value).items(value)]
    return call("collections:OrderedDict", *([pairs] if pairs else []))


def _take_mapping(name: str) -> Taker:
    def take(walk: Walk, value: Any, level: int) -> Any:
        pairs = walk.pairs(value, level + 1)
        return call(name, *([{"dict": pairs}] if pairs else []))

    return take


def _take_default(walk: Walk, value: Any, level: int) -> Any:
    pairs = walk.pairs(value, level + 1)
    factory = walk.take(value.default_factory, level)
    return call("collections:defaultdict", factory, *([{"dict": pairs}] if pairs else []))


def _take_deque(walk: Walk, value: Any, level: int) -> Any:
    tree = call("collections:deque", walk.items(value, level + 1))
    if value.maxlen is not None:
        tree["call"][2]["maxlen"] = value.maxlen
    return tree


def _take_chain(walk: Walk, value: Any, level: int) -> Any:
    return call("collections:ChainMap", *walk.items(vars(value)["maps"], level))


def _take_partial(walk: Walk, value: Any, level: int) -> Any:
    return _with_keywords(
        walk, "functools:partial", (value.func, *value.args), value.keywords, level
    )


def _take_namespace(walk: Walk, value: Any, level: int) -> Any:
    return _with_keywords(walk, "types:SimpleNamespace", (), vars(value), level)


def _with_keywords(walk: Walk, name: str, positional: Any, keywords: Any, level: int) -> Any:
    taken = {}
    for key, value in dict.items(keywords):
        if type(key) is not str or not key.isidentifier():
            raise Opaque("keyword")
        taken[key] = walk.take(value, level)
    return {"call": [name, walk.items(positional, level), taken]}


def _take_file(name: str) -> Taker:
    def take(walk: Walk, value: Any, level: int) -> Any:
        if value.closed or value.tell():
            raise Opaque("file that has been used")
        content = value.getvalue()
        return call(name, *([walk.take(content, level)] if content else []))

    return take


def _take_array(walk: Walk, value: Any, level: int) -> Any:
    return call("array:array", value.typecode, walk.items(value, level + 1))


def _take_reduced(name: str) -> Taker:
    """What types in C say of themselves by `__reduce__`: no code of the program is in it."""

    def take(walk: Walk, value: Any, level: int) -> Any:
        made = value.__reduce__()
        if type(made[0]) is partial:
            return _with_keywords(walk, name, (*made[0].args, *made[1]), made[0].keywords, level)
        return call(name, *walk.items(made[1], level))

    return take


_BY_NAME: dict[str, Taker] = {
    "datetime:date": _take_attributes("datetime:date", "year", "month", "day"),
    "datetime:datetime": _take_datetime(
        "datetime:datetime", "year", "month", "day", "hour", "minute", "second", "microsecond"
    ),
    "datetime:time": _take_datetime("datetime:time", "hour", "minute", "second", "microsecond"),
    "datetime:timedelta": _take_timedelta,
    "datetime:timezone": _take_timezone,
    "zoneinfo:ZoneInfo": _take_attributes("zoneinfo:ZoneInfo", "key"),
    "decimal:Decimal": _take_text("decimal:Decimal"),
    "fractions:Fraction": _take_attributes("fractions:Fraction", "_numerator", "_denominator"),
    "uuid:UUID": _take_text("uuid:UUID"),
    **{
        f"ipaddress:{name}": _take_text(f"ipaddress:{name}")
        for name in (
            *("IPv4Address", "IPv4Network", "IPv4Interface"),
            *("IPv6Address", "IPv6Network", "IPv6Interface"),
        )
    },
    "pathlib:PosixPath": _take_text("pathlib:Path"),
    "pathlib:PurePosixPath": _take_text("pathlib:PurePosixPath"),
    "pathlib:PureWindowsPath": _take_text("pathlib:PureWindowsPath"),
    "re:Pattern": _take_pattern,
    "collections:OrderedDict": _take_ordered,
    "collections:Counter": _take_mapping("collections:Counter"),
    "collections:defaultdict": _take_default,
    "collections:deque": _take_deque,
    "collections:ChainMap": _take_chain,
    "collections:UserDict": lambda walk, value, level: _take_mapping("collections:UserDict")(
        walk, vars(value)["data"], level
    ),
    "functools:partial": _take_partial,
    "types:SimpleNamespace": _take_namespace,
    "builtins:mappingproxy": lambda walk, value, level: call(
        "types:MappingProxyType", walk.take(value.copy(), level)
    ),
    "io:StringIO": _take_file("io:StringIO"),
    "io:BytesIO": _take_file("io:BytesIO"),
    "array:array": _take_array,
    "string:Template": _take_attributes("string:Template", "template"),
    "operator:itemgetter": _take_reduced("operator:itemgetter"),
    "operator:attrgetter": _take_reduced("operator:attrgetter"),
    "operator:methodcaller": _take_reduced("operator:methodcaller"),
    "builtins:slice": _take_attributes("builtins:slice", "start", "stop", "step"),
}
_MODULE_OF = {
    "_io:StringIO": "io:StringIO",
    "_io:BytesIO": "io:BytesIO",
    "_operator:itemgetter": "operator:itemgetter",
    "_operator:attrgetter": "operator:attrgetter",
    "_operator:methodcaller": "operator:methodcaller",
    "_collections:deque": "collections:deque",
    "_collections:defaultdict": "collections:defaultdict",
    "pathlib._local:PosixPath": "pathlib:PosixPath",
    "pathlib._local:PurePosixPath": "pathlib:PurePosixPath",
    "pathlib._local:PureWindowsPath": "pathlib:PureWindowsPath",
    "freezegun.api:FakeDatetime": "datetime:datetime",
    "freezegun.api:FakeDate": "datetime:date",
}


@of_class
def standard_taker(kind: type) -> Taker | None:
    """What takes values of a type of the standard library; None if it is none of these."""
    module, qualname = type_module(kind), type_qualname(kind)
    if type(module) is not str:
        return None
    name = module + ":" + qualname
    taker = _BY_NAME.get(_MODULE_OF.get(name, name))
    # Whoever gives a class the name of another is found out.
    if taker is None or (kind is not MappingProxyType and resolve(module, qualname) is not kind):
        return None
    return taker


def _take_module(walk: Walk, value: Any, level: int) -> Any:
    name = module_name(value)
    if name is None:
        raise Opaque("module")
    return {"module": name}


def module_name(value: Any) -> str | None:
    """The name under which a module has been imported."""
    name = module_dict(value).get("__name__")
    return name if type(name) is str and sys.modules.get(name) is value else None


def _take_function(walk: Walk, value: Any, level: int) -> Any:
    name = find_name(walk, value, value.__module__, value.__qualname__)
    return {"name": name} if name is not None else take_source(walk, value, level)


def _take_builtin_function(walk: Walk, value: Any, level: int) -> Any:
    owner = value.__self__
    if owner is None or type(owner) is ModuleType:
        name = find_name(walk, value, value.__module__, value.__name__)
        if name is None:
            raise Opaque("builtin function")
        return {"name": name}
    return call("builtins:getattr", walk.take(owner, level), value.__name__)


def _take_descriptor(walk: Walk, value: Any, level: int) -> Any:
    owner = value.__objclass__
    qualname = type_qualname(owner) + "." + value.__name__
    name = find_name(walk, value, type_module(owner), qualname)
    if name is None:
        raise Opaque("method descriptor")
    return {"name": name}


def _take_method(walk: Walk, value: Any, level: int) -> Any:
    if type(value.__func__) is not FunctionType:
        raise Opaque("method")
    return call("builtins:getattr", walk.take(value.__self__, level), value.__func__.__name__)


def _take_view(name: str) -> Taker:
    def take(walk: Walk, value: Any, level: int) -> Any:
        mapping = getattr(value, "mapping", None)
        if type(mapping) is not MappingProxyType:  # Python 3.10
            raise Opaque("view of a dictionary")
        copy = mapping.copy()
        if type(copy) is not dict:
            raise Opaque("view of a dictionary")
        return call(f"builtins:dict.{name}", walk.take(copy, level))

    return take


def _take_listed(walk: Walk, value: Any, level: int) -> Any:
    """An iterator over a built-in container, which its own `__reduce__` copies."""
    function, arguments, *state = value.__reduce__()
    items = arguments[0] if arguments else ()
    if type(items) not in (list, tuple, str, bytes, range):
        raise Opaque("iterator")
    if function is reversed:
        stop = state[0] + 1 if state else 0
        return call("builtins:reversed", walk.take(items[:stop], level))
    start = state[0] if state and state[0] is not None else 0
    return call("builtins:iter", walk.take(items[start:], level))


def _take_wrapping(name: str) -> Taker:
    """An iterator over other iterators, which are part of what its `__reduce__` gives."""

    def take(walk: Walk, value: Any, level: int) -> Any:
        return call(name, *walk.items(value.__reduce__()[1], level))

    return take


_CONTAINERS: tuple[Any, ...] = (
    *([], (), "", "\u0100", b"", range(0), set()),
    *({}, {}.values(), {}.items()),
)


def _take_zip(walk: Walk, value: Any, level: int) -> Any:
    made = value.__reduce__()
    tree = call("builtins:zip", *walk.items(made[1], level))
    if len(made) > 2 and made[2]:
        tree["call"][2]["strict"] = True
    return tree


BY_TYPE: dict[int, Taker] = {
    id(ModuleType): _take_module,
    id(FunctionType): _take_function,
    id(BuiltinFunctionType): _take_builtin_function,
    id(MethodType): _take_method,
    id(MethodDescriptorType): _take_descriptor,
    id(WrapperDescriptorType): _take_descriptor,
    id(ClassMethodDescriptorType): _take_descriptor,
    id(SimpleNamespace): _take_namespace,
    id(type({}.keys())): _take_view("keys"),
    id(type({}.values())): _take_view("values"),
    id(type({}.items())): _take_view("items"),
    **{id(type(iter(container))): _take_listed for container in _CONTAINERS},
    id(type(reversed([]))): _take_listed,
    id(map): _take_wrapping("builtins:map"),
    id(filter): _take_wrapping("builtins:filter"),
    id(enumerate): _take_wrapping("builtins:enumerate"),
    id(zip): _take_zip,
}
"""Takers by the identity of the type."""

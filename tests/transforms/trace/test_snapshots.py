import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import ipaddress
import json
import operator
import pathlib
import re
import re as regular
import string
import types
import uuid
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.snapshots import (
    CALLS,
    SnapshotError,
    check_snapshot,
    expression,
    own_names,
)
from transforms.trace.tracer import standard
from transforms.trace.tracer.objects import snapshot, snapshot_error
from transforms.trace.tracer.values import MOST_TEXT, Opaque, write_json


@dataclass
class Point:
    x: int
    y: int = 3
    tags: list[str] = field(default_factory=list)


class Color(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Pair(collections.namedtuple("Pair", "left right")):
    pass


class Plain:
    def __init__(self, a, b=2, *, c=None):
        self.a, self._b, self.__c, self.cache = a, b, c, {}


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Words(list):
    pass


class OwnError(Exception):
    def __init__(self, code, text="no"):
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


_CLASSES = (Point, Color, Access, Pair, Plain, Slotted, Words, OwnError)
NAMES = {f"pkg.mod:{each.__name__}": each for each in _CLASSES}
SCOPE = {
    **{each.__name__: each for each in NAMES.values()},
    **{
        module.__name__: module
        for module in (collections, datetime, decimal, fractions, functools, io, ipaddress)
    },
    **{module.__name__: module for module in (operator, pathlib, re, string, types, uuid)},
}


def write(value, **options):
    """The expression of a value, whose snapshot went through JSON."""
    tree = json.loads(write_json(snapshot(value, NAMES, **options)))
    assert check_snapshot(tree) == tree
    return expression(tree, frozenset({"pkg.mod"}))


def scaled(factor):
    """A function that is closed over a number."""
    return lambda x: x * factor


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", '"it\'s"'),
        ('a "b"\n', "'a \"b\"\\n'"),
        (float("nan"), 'float("nan")'),
        (-0.0, "-0.0"),
        (2**53 + 1, "9007199254740993"),
        (1 << 200, hex(1 << 200)),
        (complex(1, float("inf")), 'complex(1.0, float("inf"))'),
        ([1, (2,), ()], "[1, (2,), ()]"),
        ({1, 2}, "{1, 2}"),
        (set(), "set()"),
        (frozenset({"a"}), 'frozenset({"a"})'),
        ({"a": [None, True]}, '{"a": [None, True]}'),
        (b"\x00'", 'b"\\x00\'"'),
        (bytearray(b"a"), 'bytearray(b"a")'),
        (range(3), "range(3)"),
        (range(1, 9, 2), "range(1, 9, 2)"),
        (..., "..."),
        (NotImplemented, "NotImplemented"),
        (len, "len"),
        (str.upper, "str.upper"),
        (", ".join, '", ".join'),
        (operator.add, "operator.add"),
        (slice(1, None), "slice(1, None, None)"),
        (decimal.Decimal("1.50"), 'decimal.Decimal("1.50")'),
        (datetime.date(2020, 1, 2), "datetime.date(2020, 1, 2)"),
        (datetime.datetime(2020, 1, 2, 3), "datetime.datetime(2020, 1, 2, 3)"),
        (datetime.timedelta(hours=1), "datetime.timedelta(seconds=3600)"),
        (datetime.UTC, "datetime.timezone.utc"),
        (re.compile("a", re.I), 're.compile("a", 2)'),
        (collections.OrderedDict(a=1), 'collections.OrderedDict([("a", 1)])'),
        (collections.Counter("aa"), 'collections.Counter({"a": 2})'),
        (collections.defaultdict(list, a=[1]), 'collections.defaultdict(list, {"a": [1]})'),
        (collections.deque([1], 3), "collections.deque([1], maxlen=3)"),
        (functools.partial(int, base=2), "functools.partial(int, base=2)"),
        (operator.itemgetter(1, "a"), 'operator.itemgetter(1, "a")'),
        (pathlib.Path("/a"), 'pathlib.Path("/a")'),
        (ValueError("x"), 'ValueError("x")'),
        (iter([1, 2]), "iter([1, 2])"),
        (enumerate(["a"], 2), 'enumerate(iter(["a"]), 2)'),
        ({"a": 1}.keys(), '{"a": 1}.keys()'),
        (Point(1), "Point(1, tags=[])"),
        (Point(1, tags=["a"]), 'Point(1, tags=["a"])'),
        (Color.RED, "Color.RED"),
        (Access.READ | Access.WRITE, "Access(3)"),
        (Pair(1, [2]), "Pair(1, [2])"),
        (Plain(1, c=2), "Plain(1, c=2)"),
        (Slotted(1, "b"), 'Slotted(1, "b")'),
        (Words(["a"]), 'Words(["a"])'),
        (OwnError(3), "OwnError(3)"),
        (Point, "Point"),
        (string.Template("$a"), 'string.Template("$a")'),
        (ipaddress.ip_address("10.0.0.1"), 'ipaddress.IPv4Address("10.0.0.1")'),
        (io.StringIO("a"), 'io.StringIO("a")'),
        (re, "re"),
        (lambda x: x + 1, "(lambda x: x + 1)"),
        (scaled(3), "(lambda factor: lambda x: x * factor)(3)"),
        (lambda x: re.escape(x), "(lambda x: re.escape(x))"),
        (lambda x: regular.escape(x), "(lambda regular: lambda x: regular.escape(x))(re)"),
    ],
    # Where an object is in memory differs between the processes of a test run.
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_expressions_are_what_a_person_would_write(value, text):
    assert write(value).text == text


def test_an_expression_says_which_names_it_uses():
    found = write([Point(1), pathlib.PurePosixPath("a"), decimal.Decimal(1)])
    assert found.modules == {"pathlib", "decimal"}
    assert found.own == {"pkg.mod:Point"}


_LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers()),
    *(st.text(), st.binary(), st.decimals(allow_nan=False), st.fractions(), st.uuids()),
    *(st.dates(), st.times(), st.datetimes(), st.timedeltas(), st.sampled_from(Color)),
    *(st.builds(range, st.integers(0, 9), st.integers(0, 9)), st.binary().map(bytearray)),
    st.builds(datetime.datetime, *map(st.just, (2020, 1, 2)), tzinfo=st.just(datetime.UTC)),
)
_HASHABLE = st.one_of(st.integers(), st.text(), st.booleans(), st.sampled_from(Color))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.sets(_HASHABLE),
        st.frozensets(_HASHABLE),
        st.dictionaries(_HASHABLE, inner),
        st.dictionaries(_HASHABLE, inner).map(collections.OrderedDict),
        st.lists(inner).map(collections.deque),
        st.builds(Point, inner, inner),
        st.builds(Slotted, inner, inner),
        st.builds(Plain, inner, c=inner),
        st.builds(Pair, inner, inner),
        st.builds(functools.partial, st.just(print), inner, end=inner),
        st.lists(inner).map(iter),
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_an_expression_makes_a_value_of_the_same_snapshot(value):
    tree = snapshot(value, NAMES)
    made = eval(expression(tree, frozenset({"pkg.mod"})).text, dict(SCOPE))
    assert write_json(snapshot(made, NAMES)) == write_json(tree)


def test_equal_sets_have_equal_texts():
    names = [f"name{number}" for number in range(50)]
    texts = {write_json(snapshot(set(each))) for each in (names, names[::-1])}
    assert len(texts) == 1


def test_what_is_made_of_recorded_state_is_opaque_when_it_has_more():
    plain = Plain(1)
    plain.cache["a"] = 1
    with pytest.raises(Opaque, match="Plain"):
        snapshot(plain, NAMES)


@pytest.mark.parametrize("value", [lambda x=1: x, object(), (each for each in ()), open])
def test_values_without_a_form_are_opaque(value):
    if value is open:
        assert write(value).text == "open"
        return
    with pytest.raises(Opaque):
        snapshot(value)


def test_iterators_can_be_used_up():
    assert write((each for each in (1, 2)), consume=True).text == "iter([1, 2])"
    with pytest.raises(Opaque, match="large"):
        snapshot(iter(int, 1), consume=True)


def test_an_error_is_an_outcome():
    assert snapshot_error(OwnError(3), NAMES) == {"raised": ["pkg.mod:OwnError", "3 no"]}
    assert snapshot_error(KeyError("a")) == {"raised": ["builtins:KeyError", "'a'"]}


def test_limits_hold_for_the_written_text():
    with pytest.raises(Opaque, match="large"):
        snapshot("\x00" * (MOST_TEXT // 5))


def test_all_that_the_tracer_calls_of_the_standard_library_may_be_called():
    called = {standard._MODULE_OF.get(name, name) for name in standard._BY_NAME}
    renamed = {
        "builtins:mappingproxy": "types:MappingProxyType",
        "pathlib:PosixPath": "pathlib:Path",
        "re:Pattern": "re:compile",
    }
    assert {renamed.get(name, name) for name in called} <= CALLS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.builds(
            lambda tag, content: {tag: content},
            st.sampled_from(
                [
                    *("int", "float", "complex", "bytes", "bytearray", "tuple", "set", "frozenset"),
                    *(
                        "source",
                        "dict",
                        "range",
                        "ellipsis",
                        "notimplemented",
                        "iterator",
                        "name",
                        "module",
                    ),
                    *("call", "raised"),
                ]
            ),
            inner,
        )
        | st.builds(
            lambda name, positional, keywords: {"call": [name, positional, keywords]},
            st.sampled_from([*sorted(CALLS)[:5], "builtins:getattr", "a:b", "os:system"]),
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["a", "if", "b c"]), inner, max_size=1),
        )
    ),
    max_leaves=15,
)


@given(_JSON)
def test_arbitrary_json_makes_an_expression_or_a_snapshot_error(tree):
    for use in (check_snapshot, own_names, lambda data: expression(data, frozenset({"a"}))):
        try:
            found = use(tree)
        except SnapshotError:
            continue
        if hasattr(found, "text"):
            compile(found.text, "<snapshot>", "eval")


@pytest.mark.parametrize(
    "tree",
    [
        float("inf"),
        2**53 + 1,
        {},
        {"int": "0x1"},
        {"int": "99999999999999999999"},
        {"float": "1.5"},
        {"float": ["nan"]},
        {"bytes": "6 1"},
        {"bytes": "AB"},
        {"complex": ["1", "x"]},
        {"set": [[1]]},
        {"dict": [[{"set": []}, 1]]},
        {"dict": [[1]]},
        {"range": [0, 1, 0]},
        {"range": ["a", 1, 1]},
        {"name": "builtins:no_such_name"},
        {"name": "builtins:__import__"},
        {"name": "m:f; import os"},
        {"name": "m:<lambda>"},
        {"name": "m:" + "a" * 400},
        {"module": "os; import sys"},
        {"call": ["os:system", ["ls"], {}]},
        {"call": ["builtins:eval", ["1"], {}]},
        {"call": ["builtins:iter", [], {"a=1, b": 1}]},
        {"call": ["builtins:getattr", [1, "a b"], {}]},
        {"call": ["builtins:dict.keys", [1], {}]},
        {"call": {}},
        {"unknown": []},
        {"source": "lambda: 1"},
        {"source": ["lambda: unknown", []]},
        {"source": ["lambda: __import__('os')", []]},
        {"source": ["lambda: (yield)", []]},
        {"source": ["lambda: (x := 1)", []]},
        {"source": ["(lambda: 1)()", []]},
        {"source": ["lambda: 1\nprint(1)", []]},
        {"source": ["lambda: 1", [["a=1, b", 2]]]},
        {"source": ["lambda: a", [["a", 2], ["a", 2]]]},
        {"source": ["lambda: a", [["a", {"call": ["os:system", ["ls"], {}]}]]]},
        {"source": ["lambda: " + "(" * 500 + ")" * 500, []]},
        {"source": ["lambda: 1" + "+1" * 2000, []]},
        {"source": ["lambda: '\0'\0", []]},
        {"raised": ["builtins:KeyError", "x"]},
        [0] * 20_000,
        "x" * 70_000,
    ],
    ids=lambda tree: str(tree)[:40],
)
def test_what_is_no_snapshot_is_refused(tree):
    with pytest.raises(SnapshotError, match="snapshot was expected"):
        check_snapshot(tree)


def test_deep_trees_are_refused():
    tree = []
    for _ in range(500):
        tree = [tree]
    with pytest.raises(SnapshotError, match="levels"):
        check_snapshot(tree)


def test_names_of_other_modules_make_no_expression():
    tree = {"call": ["numpy:array", [[1]], {}]}
    assert own_names(tree) == {"numpy:array"}
    with pytest.raises(SnapshotError, match="not of the standard library"):
        expression(tree, frozenset({"pkg"}))
    assert expression({"name": "os.path:join"}, frozenset()).modules == {"os.path"}
    assert expression({"name": "posixpath:join"}, frozenset()).text == "os.path.join"

import enum
import json
import math
import random
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from itertools import chain, count, islice, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sandbox import values
from transforms.sandbox.frames import frame, split_frames
from transforms.sandbox.values import (
    MOST_DEPTH,
    ValueFormatError,
    ValueRefusedError,
    decode,
    encode,
)

HUGE = 10**5000
"""Of more digits than Python turns into text."""

texts = st.text(alphabet=st.characters(exclude_categories=[]), max_size=5)
"""With halves of surrogate pairs."""

integers = (
    st.integers()
    | st.integers(-3, 3).map(lambda n: (1 << 53) + n)
    | st.integers(1, 9).map(lambda n: -n * 10**4000)
)
steps = st.integers(-(1 << 70), 1 << 70).filter(bool)
hashable_scalars = (
    st.none()
    | st.booleans()
    | integers
    | st.floats()
    | texts
    | st.binary(max_size=5)
    | st.complex_numbers()
    | st.builds(range, st.integers(), st.integers(), steps)
    | st.decimals().filter(lambda number: not number.is_snan())
    | st.fractions()
)
hashables = st.recursive(
    hashable_scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=8,
)
plain_values = st.recursive(
    hashables | st.binary(max_size=5).map(bytearray) | st.just(Decimal("sNaN7")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.sets(hashables, max_size=4)
    ),
    max_leaves=15,
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from(["0x1f", "-"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [*values._DECODED_ITEMS, *values._DECODED_SCALARS, "dict", "value", "integer"]
            ),
            inner,
            min_size=1,
            max_size=1,
        )
    ),
    max_leaves=12,
)


def same(one, other):
    """Whether two plain values are of the same types and values all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        pairs, others = list(one.items()), list(other.items())
        return len(pairs) == len(others) and all(map(same, pairs, others))
    if isinstance(one, (set, frozenset)):
        left = list(other)
        for each in one:
            places = [place for place, found in enumerate(left) if same(each, found)]
            if not places:
                return False
            del left[places[0]]
        return not left
    if isinstance(one, float):
        if math.isnan(one):
            return math.isnan(other)
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, Decimal):
        return one.as_tuple() == other.as_tuple()
    if isinstance(one, range):
        return (one.start, one.stop, one.step) == (other.start, other.stop, other.step)
    return one == other


def sent(value):
    """What a value is on the other side of a pipe."""
    return decode(next(split_frames(frame(encode(value)))))


@given(plain_values)
def test_a_plain_value_comes_back_the_same(value):
    assert same(sent(value), value)


@pytest.mark.parametrize(
    "value",
    [
        *(math.nan, -math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308),
        *(HUGE, -HUGE, 1 << 53, (1 << 53) - 1, -(1 << 53), True, False, None),
        *("\ud800", "\udfff\ud800", "\0", "\U0001f600"),
        *(complex(-0.0, math.nan), complex(math.inf, -0.0)),
        *(Decimal("-0"), Decimal("1.10"), Decimal("NaN12"), Decimal("1E+999999"), Decimal("-sNaN")),
        *(Fraction(-1, HUGE), range(HUGE, -HUGE, -3), b"\xff\0", bytearray(b"\xff")),
        *([], (), set(), frozenset(), {}, {(): {frozenset([()])}}, [[], [[]]]),
        {1: "a", "1": "b", None: 1, -1.5: [True, 1, 1.0]},
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_values_on_the_edge_come_back_the_same(value):
    assert same(sent(value), value)


def test_the_order_of_dictionaries_is_kept():
    assert list(sent({"b": 1, "a": 2})) == ["b", "a"]


def test_a_dictionary_like_a_tag_is_a_dictionary():
    assert sent({"int": "0x10"}) == {"int": "0x10"}
    assert sent({"tuple": [1]}) == {"tuple": [1]}


@pytest.mark.parametrize(
    ("made", "items"),
    [
        (lambda: iter([1, "a"]), [1, "a"]),
        (lambda: (n * n for n in range(3)), [0, 1, 4]),
        (lambda: map(str, [1]), ["1"]),
        (lambda: zip("ab", [1, 2], strict=True), [("a", 1), ("b", 2)]),
        (lambda: reversed([1, 2]), [2, 1]),
        (lambda: chain([()], [[]]), [(), []]),
        ({"a": 1}.keys, ["a"]),
        ({"a": 1}.values, [1]),
        ({"a": 1}.items, [("a", 1)]),
        (OrderedDict(a=1).keys, ["a"]),
        (lambda: islice(count(), 2), [0, 1]),
    ],
)
def test_iterators_and_views_become_iterators_over_the_same(made, items):
    found = sent(made())
    assert iter(found) is found
    assert list(found) == items


def test_a_named_tuple_becomes_a_tuple():
    assert same(sent([namedtuple("Point", "x y")(1, [2])]), [(1, [2])])


def test_a_named_tuple_is_what_it_holds_and_not_what_it_says():
    class Liar(namedtuple("Point", "x y")):
        def __len__(self):
            return 0

        def __getitem__(self, place):
            return 7

    assert sent(Liar(1, 2)) == (1, 2)


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Row(list):
    pass


class Pair(tuple):
    __slots__ = ()


class Record(dict):
    pass


class Color(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        *(Text("a"), Whole(1), Row([1]), Pair((1,)), Record(a=1), Color.RED),
        *(type("Real", (float,), {})(1), type("Set", (set,), {})(), type("Data", (bytes,), {})()),
        *(object(), object, len, lambda: 1, deque([1]), memoryview(b"a"), NotImplemented, ...),
        *(ValueError("a"), sys, threading.Lock(), random.Random(0)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types_and_subclasses_are_refused_by_name(value):
    message = f"values of type {type(value).__module__}.{type(value).__qualname__} are not compared"
    with pytest.raises(ValueRefusedError) as caught:
        encode([{1: (value,)}])
    assert str(caught.value) == message


def test_what_pretends_to_be_of_a_plain_type_is_refused():
    class Pretender:
        __class__ = int

    with pytest.raises(ValueRefusedError, match="Pretender"):
        encode(Pretender())


def nested(levels, wrap):
    value = 0
    for _ in range(levels):
        value = wrap(value)
    return value


wraps = pytest.mark.parametrize(
    "wrap",
    [lambda value: [value], lambda value: (value,), lambda value: {1: value}, lambda v: iter([v])],
    ids=["list", "tuple", "dict", "iterator"],
)


@wraps
def test_values_of_many_levels_come_back(wrap):
    def depth(value):
        levels = 0
        while value != 0:
            value = next(iter(value.values() if isinstance(value, dict) else value))
            levels += 1
        return levels

    assert depth(sent(nested(MOST_DEPTH, wrap))) == MOST_DEPTH


@wraps
@pytest.mark.parametrize("levels", [MOST_DEPTH + 1, 100_000])
def test_values_of_too_many_levels_are_refused(wrap, levels):
    with pytest.raises(ValueRefusedError, match="more than 100 levels"):
        encode(nested(levels, wrap))


def test_values_that_hold_themselves_are_refused():
    row, record = [], {}
    row.append(row)
    record["a"] = [record]
    for value in (row, record):
        with pytest.raises(ValueRefusedError):
            encode(value)


@pytest.mark.parametrize("made", [lambda: [0] * 11, lambda: repeat(0), lambda: [[0] * 6, [0] * 6]])
def test_too_many_items_are_refused(made, monkeypatch):
    monkeypatch.setattr(values, "MOST_ITEMS", 11)
    with pytest.raises(ValueRefusedError, match="11 items"):
        encode(made())


def test_as_many_items_as_allowed_are_taken(monkeypatch):
    monkeypatch.setattr(values, "MOST_ITEMS", 11)
    assert encode([0] * 10) == [0] * 10


def test_what_an_iterator_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        encode(1 // n for n in (1, 0))


@given(json_values)
def test_any_json_is_a_value_or_no_value(data):
    try:
        decode(data)
    except ValueFormatError:
        return


@given(plain_values, st.randoms(use_true_random=False))
def test_a_value_with_a_letter_changed_is_a_value_or_no_value(value, chance):
    letters = list(json.dumps(encode(value)))
    letters[chance.randrange(len(letters))] = chance.choice('[]{}",:0x-e')
    try:
        data = json.loads("".join(letters))
    except ValueError:
        return
    try:
        decode(data)
    except ValueFormatError:
        return


@pytest.mark.parametrize(
    "data",
    [
        *({}, {"int": "1", "float": "2"}, {"object": []}, {"int": "x"}, {"int": 1}, {"int": [1]}),
        *({"float": "a"}, {"float": 10**400}, {"bytes": "0"}, {"complex": ["a"]}, {"complex": 1}),
        *({"range": ["0x1", "0x2", "0x0"]}, {"fraction": ["0x1", "0x0"]}, {"decimal": "a"}),
        *({"set": [[]]}, {"frozenset": [{"dict": []}]}, {"dict": [[[], 1]]}, {"dict": [[1]]}),
        *({"dict": [[1, 2, 3]]}, {"tuple": 1}, {"iterator": None}, {"set": [{"decimal": "sNaN"}]}),
    ],
    ids=json.dumps,
)
def test_what_no_encoder_writes_is_no_value(data):
    with pytest.raises(ValueFormatError):
        decode(data)


def test_data_of_too_many_levels_is_no_value():
    with pytest.raises(ValueFormatError, match="100 levels"):
        decode(nested(900, lambda value: [value]))
    with pytest.raises(ValueFormatError, match="100 levels"):
        decode(nested(900, lambda value: {"tuple": [value]}))


@pytest.mark.parametrize(
    "value",
    [
        *(Counter("aab"), Counter({"a": -1}), OrderedDict(b=1, a=[2])),
        *(defaultdict(list, {1: [2]}), defaultdict(None, {1: {}}), defaultdict(int)),
    ],
)
def test_the_dictionaries_of_the_standard_library_come_back_as_they_are(value):
    (found,) = sent([value])
    assert same(found, value)
    assert getattr(found, "default_factory", 0) is getattr(value, "default_factory", 0)


@pytest.mark.parametrize("factory", [lambda: 1, Row, Counter, print])
def test_dictionaries_with_factories_that_are_code_are_refused(factory):
    with pytest.raises(ValueRefusedError, match="defaultdict"):
        encode(defaultdict(factory))

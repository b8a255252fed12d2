import json
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.execute.comparison import ABSOLUTE, RELATIVE, equals, prints, through_json

# Few values, of which many are equal to others for Python or nearly so.
hashable = st.recursive(
    st.sampled_from(
        [
            *(
                0,
                1,
                0.0,
                -0.0,
                1.0,
                1.0 + 1e-9,
                1.1,
                math.nan,
                math.inf,
                False,
                True,
                None,
                "",
                "1",
            ),
            *(b"", 1j, 1 + 0j, complex(-0.0, 0), complex(0, 1 + 1e-9), complex(math.nan, 0)),
            *(Decimal(1), Decimal("1.0"), Decimal("-0"), Decimal("NaN"), Fraction(1), range(1)),
            *(range(0), range(3, 3)),
        ]
    ),
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.frozensets(inner, max_size=2),
    max_leaves=3,
)
plain = st.recursive(
    hashable | st.just(bytearray()),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.sets(hashable, max_size=2)
        | st.dictionaries(hashable, inner, max_size=2)
    ),
    max_leaves=4,
)


def slowly_equal(one, other, near=True):
    """The rules one by one, sets and dictionaries by trying all pairs."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return False
        return all(slowly_equal(a, b, near) for a, b in zip(one, other, strict=True))
    if isinstance(one, (set, frozenset)):
        return matched(list(one), list(other), lambda a, b: slowly_equal(a, b, near=False))
    if isinstance(one, dict):
        return matched(
            list(one.items()),
            list(other.items()),
            lambda a, b: slowly_equal(a[0], b[0], near=False) and slowly_equal(a[1], b[1], near),
        )
    if isinstance(one, complex):
        return slowly_equal(one.real, other.real, near) and slowly_equal(one.imag, other.imag, near)
    if isinstance(one, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) == math.isnan(other)
        if one == other:
            return math.copysign(1, one) == math.copysign(1, other)
        allowed = max(RELATIVE * max(abs(one), abs(other)), ABSOLUTE)
        return near and math.isfinite(one - other) and abs(one - other) <= allowed
    if isinstance(one, Decimal):
        return one.as_tuple() == other.as_tuple()
    return one == other


def matched(ones, others, same):
    if len(ones) != len(others):
        return False
    for one in ones:
        place = next((place for place, other in enumerate(others) if same(one, other)), None)
        if place is None:
            return False
        del others[place]
    return True


def has_nan_keys(value):
    if isinstance(value, dict):
        return any("nan" in repr(key).lower() for key in value) or has_nan_keys([*value.values()])
    return isinstance(value, (list, tuple)) and any(map(has_nan_keys, value))


@given(plain, plain)
def test_values_are_equal_by_the_rules(one, other):
    for left, right in ((one, other), (one, one), (other, other)):
        if not has_nan_keys(left):
            assert equals(left, right) == slowly_equal(left, right)


@given(plain, plain)
def test_it_does_not_matter_which_value_is_expected(one, other):
    assert equals(one, other) == equals(other, one)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((1, 1.0), (1, True), (0, False), (0.0, -0.0), (-0.0, 0.0), (0, -0.0), ("1", 1)),
        *(([1], (1,)), ((1, 2), (1, 2.0)), ({1}, frozenset([1])), (b"a", bytearray(b"a"))),
        *(("a", b"a"), ([], None), ([], {}), ({}, set()), ({1: 2}, {1.0: 2}), ({1: 2}, {True: 2})),
        *(({1, 2}, {1.0, 2}), ({0.0}, {-0.0}), ({1: 1}, {1: True}), ([[1]], [[1.0]])),
        *((math.nan, 0.0), (0.0, math.nan), (math.inf, -math.inf), (math.inf, 1e308)),
        *((Decimal(1), 1), (Fraction(1), 1), (1j, 1), (complex(0.0, 1), complex(-0.0, 1))),
        *(([1], [1, 2]), ([1, 2], [1]), ({1: 2}, {1: 2, 3: 4}), ({1, 2}, {1})),
        *(({math.nan, float("nan")}, {math.nan}), ({(1,)}, {(1.0,)}), ({1.0}, {1.0 + 1e-9})),
        *((range(2), [0, 1]), ({1.0: 0}, {1.0 + 1e-9: 0}), ("\ud800", "?")),
    ],
)
def test_these_are_not_equal(value, expected):
    assert not equals(value, expected)
    assert not equals(expected, value)
    assert not equals([value], [expected])
    assert not equals({"a": value}, {"a": expected})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((math.nan, math.nan), (-0.0, -0.0), (math.inf, math.inf), (1.0, 1.0 + 1e-7)),
        *((1e300, 1e300 * (1 + 1e-7)), (0.0, 1e-10), (-1e-10, 1e-10), (1j, complex(0.0, 1 + 1e-8))),
        *(({1, 2}, {2, 1}), ({"a": 1, "b": 2.0}, {"b": 2.0 + 1e-9, "a": 1})),
        *(({math.nan}, {float("nan")}), ({math.nan: 1}, {float("nan"): 1})),
        *(([{(1, frozenset("a"))}], [{(1, frozenset("a"))}]), (10**5000, 10**5000), ("", "")),
    ],
    ids=lambda _: "",
)
def test_these_are_equal(value, expected):
    assert equals(value, expected)
    assert equals(expected, value)


@pytest.mark.parametrize(("one", "other"), [(1.0, 1.0 + 3e-6), (0.0, 2e-9), (1e300, 1.00001e300)])
def test_floats_beyond_the_tolerance_are_not_equal(one, other):
    assert not equals(one, other)
    assert not equals(complex(one, 0), complex(other, 0))


@pytest.mark.parametrize("expected", [[1, 2], 1, "a", None, 0.5, {}, (1,), True])
def test_what_pretends_to_be_equal_is_not(expected):
    class Equal(type(expected) if expected is not None and expected is not True else object):
        def __eq__(self, other):
            return True

        __hash__ = None

    assert not equals(Equal(), expected)
    assert not equals([Equal()], [expected])


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text() | st.none() | st.booleans() | st.integers() | st.floats(), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def with_floats(value):
    if isinstance(value, list):
        return [with_floats(each) for each in value]
    if isinstance(value, dict):
        return {key: with_floats(each) for key, each in value.items()}
    return float(value) if type(value) is int else value


@given(json_like)
def test_values_behind_json_are_what_python_writes_and_reads(value):
    written = json.loads(json.dumps(value), parse_int=float)
    assert repr(through_json(value)) == repr(written)
    assert repr(through_json(written)) == repr(written)


def test_tuples_are_lists_and_numbers_floats_behind_json():
    found = through_json((1, {2: (True, None)}, 1 << 60))
    assert equals(found, [1.0, {"2": [True, None]}, 1 << 60])
    assert equals(through_json(1 << 53), float(1 << 53))
    assert type(through_json((1 << 53) + 1)) is int


@pytest.mark.parametrize(
    "value",
    [{1}, b"a", 1j, [object()], {(1,): 2}, {b"a": 1}, iter([]), Decimal(1), {10**5000: 1}],
    ids=lambda value: type(value).__name__,
)
def test_json_has_not_all_values(value):
    with pytest.raises(TypeError, match=r"JSON has no (values|keys) of type|too many digits"):
        through_json(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("1 2\n", "1 2"), ("1 2", "1 2\n\n\n"), ("1  2 \n", " 1 2\n"), ("a\r\nb", "a\nb\n")),
        *(("", ""), ("\n \n", ""), ("0.30000000000000004", "0.3"), ("3", "3.0"), ("1e3", "1000.0")),
        *(("100000", "1e5"), ("x = 1.5,", "x = 1.5,"), ("nan", "nan"), ("1.0000001", "1.0")),
    ],
)
def test_these_print_the_same(text, expected):
    assert prints(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("1\n2", "1 2"), ("1 2", "1\n2"), ("\n1", "1"), ("1\n\n2", "1\n2"), ("", "1"), ("1", "")),
        *(("12", "1 2"), ("Yes", "YES"), ("1.0", "1"), ("01", "1"), ("1.00001", "1.0")),
        *(("nan", "1.0"), ("inf", "1.5"), ("x.", "1.0"), ("1.0", "x."), ("1 2 3", "1 2")),
        *(("2", "1"), ("1.5.", "1.5"), ("one", "1.0"), ("1", "e")),
    ],
)
def test_these_do_not_print_the_same(text, expected):
    assert not prints(text, expected)


@given(st.text(alphabet=" \n.e1a-", max_size=12), st.integers(0, 3))
def test_white_space_at_ends_does_not_count(text, more):
    assert prints(text, text)
    assert prints(text + " \n" * more, text)
    assert prints(text.replace(" ", "  "), text)


@given(st.text(max_size=12), st.text(max_size=12))
def test_words_and_their_lines_count(text, expected):
    lines = [[line.split() for line in each.rstrip().splitlines()] for each in (text, expected)]
    if lines[0] == lines[1]:
        assert prints(text, expected)
    elif not any(letter in expected.lower() for letter in ".e"):
        assert not prints(text, expected)

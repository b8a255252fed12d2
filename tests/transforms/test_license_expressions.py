import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.licenses import LicenseClass
from transforms.license_expressions import (
    UNKNOWN_LICENSE,
    allows,
    canonical_expression,
    join_expressions,
    license_class,
    licenses_in,
)

NOTHING = frozenset()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("mit", "MIT"),
        ("mit or (apache-2.0 and bsd-3-clause)", "MIT OR (Apache-2.0 AND BSD-3-Clause)"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("gpl-2.0-only with classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("LicenseRef-mine AND MIT", "LicenseRef-mine AND MIT"),
    ],
)
def test_gives_the_canonical_form(text, canonical):
    assert canonical_expression(text) == canonical
    assert canonical_expression(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BSD",
        "MIT AND",
        "(MIT",
        "MIT License",
        "MIT\0",
        "(" * 90 + "MIT",
        " OR ".join(["MIT"] * 60),
    ],
)
def test_other_text_is_no_expression(text):
    assert canonical_expression(text) is None


@given(st.text())
def test_any_text_is_answered(text):
    found = canonical_expression(text)
    assert found is None or canonical_expression(found) == found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (None, LicenseClass.NONE),
        ("", LicenseClass.NONE),
        ("MIT", LicenseClass.PERMISSIVE),
        ("Unlicense", LicenseClass.PERMISSIVE),
        ("CC0-1.0", LicenseClass.PERMISSIVE),
        ("MPL-2.0", LicenseClass.WEAK_COPYLEFT),
        ("LGPL-2.1-or-later", LicenseClass.WEAK_COPYLEFT),
        ("GPL-3.0-only", LicenseClass.STRONG_COPYLEFT),
        ("AGPL-3.0-or-later", LicenseClass.STRONG_COPYLEFT),
        ("LicenseRef-unknown", LicenseClass.UNKNOWN),
        ("BUSL-1.1", LicenseClass.UNKNOWN),
        ("CC-BY-NC-4.0", LicenseClass.UNKNOWN),
        ("MIT OR GPL-3.0-only", LicenseClass.PERMISSIVE),
        ("LicenseRef-unknown OR GPL-3.0-only", LicenseClass.STRONG_COPYLEFT),
        ("MIT AND MPL-2.0", LicenseClass.WEAK_COPYLEFT),
        ("GPL-3.0-only AND LicenseRef-mine", LicenseClass.UNKNOWN),
        ("MIT AND (Apache-2.0 OR GPL-2.0-only)", LicenseClass.PERMISSIVE),
        ("GPL-2.0-only WITH Classpath-exception-2.0", LicenseClass.WEAK_COPYLEFT),
        ("GPL-2.0-only WITH Linux-syscall-note", LicenseClass.STRONG_COPYLEFT),
        ("Apache-2.0 WITH LLVM-exception", LicenseClass.PERMISSIVE),
        ("no expression at ( all", LicenseClass.UNKNOWN),
    ],
)
def test_a_choice_counts_by_its_least_and_a_sum_by_its_most_demanding_license(expression, expected):
    assert license_class(expression) == expected


@pytest.mark.parametrize(
    ("expression", "allow", "deny", "passes"),
    [
        ("MIT", {"MIT"}, set(), True),
        ("MIT", {"mit"}, set(), True),
        ("MIT", {"ISC"}, set(), False),
        ("MIT", set(), set(), True),
        ("MIT", {"MIT"}, {"MIT"}, False),
        ("MIT OR GPL-3.0-only", {"MIT"}, set(), True),
        ("MIT OR GPL-3.0-only", set(), {"GPL-3.0-only"}, True),
        ("MIT AND GPL-3.0-only", {"MIT"}, set(), False),
        ("MIT AND GPL-3.0-only", set(), {"GPL-3.0-only"}, False),
        ("MIT AND (ISC OR GPL-3.0-only)", {"MIT", "ISC"}, set(), True),
        ("GPL-2.0-only", {"GPL-2.0"}, set(), True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", {"GPL-2.0-only"}, set(), True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", set(), {"GPL-2.0-only"}, False),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            {"GPL-2.0-only WITH Classpath-exception-2.0"},
            {"GPL-2.0-only"},
            True,
        ),
        ("GPL-2.0-only", {"GPL-2.0-only WITH Classpath-exception-2.0"}, set(), False),
        (None, {"MIT"}, set(), False),
        (None, set(), {"MIT"}, True),
        ("no expression at ( all", set(), set(), False),
    ],
)
def test_of_a_choice_one_license_must_pass_and_of_a_sum_each(expression, allow, deny, passes):
    assert allows(expression, frozenset(allow), frozenset(deny)) is passes


def test_joins_each_expression_once_and_keeps_what_belongs_together():
    assert join_expressions(["MIT", "ISC", "MIT"], "OR") == "MIT OR ISC"
    assert join_expressions(["MIT OR ISC", "Zlib"], "AND") == "(MIT OR ISC) AND Zlib"
    assert join_expressions(["MIT AND ISC", "Zlib"], "AND") == "MIT AND ISC AND Zlib"
    assert join_expressions(["MIT OR ISC"], "AND") == "MIT OR ISC"


def test_more_than_anybody_could_read_is_unknown():
    many = [f"LicenseRef-{number}" for number in range(10_000)]
    assert join_expressions(many, "AND") == UNKNOWN_LICENSE


def test_names_each_license_with_its_exception():
    text = "MIT AND (ISC OR GPL-2.0-only WITH Classpath-exception-2.0)"
    assert licenses_in(text) == {"MIT", "ISC", "GPL-2.0-only WITH Classpath-exception-2.0"}

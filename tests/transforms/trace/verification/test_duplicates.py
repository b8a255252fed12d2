import pytest

from transforms.trace.verification.duplicates import (
    find_function,
    fingerprints,
    text_fingerprint,
)

ONE = '''
def double(values: list[int]) -> list[int]:
    """Twice each."""
    found = []
    for value in values:
        found.append(2 * value)
    return found
'''
OTHER = """
import os


def twice(items):
    result = []  # what is returned
    for item in items:
        result.append(2 * item)
    return result
"""


def test_names_docstrings_and_annotations_make_no_difference():
    assert text_fingerprint(ONE, "double") == text_fingerprint(OTHER, "twice") != ""


@pytest.mark.parametrize(
    ("old", "new"),
    [("2 *", "3 *"), ("append", "extend"), ("return found", "return values"), ("2 * v", "2 + v")],
)
def test_what_runs_makes_a_difference(old, new):
    assert text_fingerprint(ONE.replace(old, new), "double") != text_fingerprint(ONE, "double")


def test_methods_are_found_in_their_class():
    program = "class A:\n    def f(self): pass\n\n\ndef f(): return 1\n"
    found = find_function(program, "A.f")
    assert found is not None
    assert found.lineno == 2
    assert find_function(program, "B.f") is None
    assert find_function("def f(:", "f") is None
    assert find_function("(" * 10_000, "f") is None


def test_behavior_has_no_order():
    pairs = [("1", "2"), ("3", "4")]
    one, other = (fingerprints(ONE, "double", each) for each in (pairs, pairs[::-1]))
    assert one == other
    assert fingerprints(ONE, "double", pairs[:1]).behavior != one.behavior

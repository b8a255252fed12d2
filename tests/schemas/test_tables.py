import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tables import failures_of, part_name, part_number


@pytest.mark.parametrize(
    ("number", "suffix", "name"),
    [
        (7, "parquet", "part-00007.parquet"),
        (0, "arrow", "part-00000.arrow"),
        (123456, "parquet", "part-123456.parquet"),
    ],
)
def test_names_parts_by_number(number, suffix, name):
    assert part_name(number, suffix) == name


@given(st.integers(0, 10**7), st.sampled_from(["parquet", "arrow"]))
def test_a_name_gives_its_number_with_and_without_suffix(number, suffix):
    name = part_name(number, suffix)
    assert part_number(name) == number
    assert part_number(name.removesuffix(f".{suffix}")) == number


def test_names_of_parts_sort_by_number():
    numbers = [0, 2, 9, 10, 99, 100, 99_999]
    assert sorted(map(part_name, numbers)) == list(map(part_name, numbers))


def test_failures_have_a_table_for_each_stage():
    assert failures_of("crawl") == "failures/crawl"

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contamination import CONTAMINATION
from tests.transforms.annotate.contamination.slow import slow_matches
from tests.transforms.builders import large_binary, thorough
from transforms.annotate.contamination.building import (
    BOILERPLATE_TASKS,
    Problem,
    build_index,
    comparison_of,
)
from transforms.annotate.contamination.index import BenchmarkIndex
from transforms.annotate.contamination.matching import find_contamination
from transforms.interpreted import hash_words

PROMPT = b'''def share_candy(bags: list, children: int) -> int:
    """Give every child equally many sweets and say how many are left over.

    Bags may not be opened until all of them are on the table.
    >>> share_candy([3, 4], 2)
    1
    """
'''
SOLUTION = b"""    total = 0
    for bag in bags:
        if bag < 0:
            raise ValueError("a bag cannot owe sweets")
        total += bag
    while total >= children:
        total -= children
    return total
"""
OTHER = b'''def tallest_tower(bricks):
    """Stack bricks so that none is wider than the one below, and measure the height."""
    return max(height for _, height in bricks)
'''
PROBLEMS = (
    Problem("toys", "toys/0", (PROMPT, SOLUTION)),
    Problem("toys", "toys/1", (OTHER,)),
)
FILLER = b"import os\n\n" + b"".join(b"value_%d = compute(%d)\n" % (n, n) for n in range(3000))


def compare(*documents, problems=PROBLEMS, words=13, whitespace=True, identifiers=False):
    comparison = comparison_of(words, ignore_whitespace=whitespace, ignore_identifiers=identifiers)
    index = build_index(problems, comparison)
    return find_contamination(large_binary(documents), index).to_pylist()


def tasks(*documents, **options):
    return [row["benchmark_task"] for row in compare(*documents, **options)]


_WORDS = (b"alpha ", b"beta ", b"gamma,", b"x = ", b"y ", b"1 ", b"return ", b"for i in ")
_SIGNS = (b"\n", b"'", b'"', b"# ", b"\\", b'"""', b"f'", b"delta\t", b"len(xs)", b"\xc3\xa9 ")
_PIECE = st.sampled_from(_WORDS + _SIGNS)
_TEXT = st.lists(_PIECE, max_size=14).map(b"".join)
_PROBLEMS = st.lists(
    st.builds(
        Problem,
        st.sampled_from(["one", "two"]),
        st.sampled_from(["a", "b"]),
        st.lists(_TEXT, max_size=3).map(tuple),
    ),
    max_size=4,
)


@st.composite
def _documents(draw, problems):
    """Documents of pieces, and of parts of texts, some with other spaces or names."""
    texts = [text for problem in problems for text in problem.texts] or [b""]
    changes = [(b"", b""), (b" ", b"\n  "), (b"x", b"z"), (b"alpha", b"beta"), (b"1", b"2")]
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        text = draw(st.sampled_from(texts))
        text = text[draw(st.integers(0, 8)) :]
        before, after = draw(st.sampled_from(changes))
        parts.append(text.replace(before, after) if before else text)
        parts.append(draw(_TEXT))
    return b"".join(parts)


@thorough
@given(st.data(), _PROBLEMS, st.sampled_from([5, 6]), st.booleans(), st.booleans())
def test_equals_a_slow_version(data, problems, words, whitespace, identifiers):
    documents = data.draw(st.lists(_documents(problems), max_size=4))
    rows = compare(
        *documents, problems=problems, words=words, whitespace=whitespace, identifiers=identifiers
    )
    comparison = comparison_of(words, ignore_whitespace=whitespace, ignore_identifiers=identifiers)
    found = [tuple(row.values()) if row["benchmark"] else None for row in rows]
    assert found == slow_matches(documents, problems, comparison)


def test_finds_a_whole_text_inside_a_large_document():
    [row] = compare(FILLER + PROMPT + FILLER)
    start, end = row["matched_start"], row["matched_end"]
    assert (row["benchmark"], row["benchmark_task"]) == ("toys", "toys/0")
    assert row["benchmark_match"] == "exact"
    assert (FILLER + PROMPT)[start:end] == PROMPT.strip().removesuffix(b'"""').rstrip()
    assert 0 < row["matched_share"] < 1


def test_a_whole_problem_has_a_share_of_one():
    [row] = compare(PROMPT + SOLUTION)
    assert row["matched_share"] == 1


def test_a_part_is_an_ngram_match_with_its_span():
    part = b"every child equally many sweets and say how many are left over.\n\n    Bags may not"
    [row] = compare(b"# we give " + part + b" be bought")
    assert row["benchmark_match"] == "ngram"
    # "be" stands in the problem, too.
    assert row["matched_words"] == len(part.split()) + 1 == 16
    assert (row["matched_start"], row["matched_end"]) == (10, 10 + len(part) + len(b" be"))


@pytest.mark.parametrize(("words", "task"), [(15, "toys/0"), (16, "toys/0"), (17, None)])
def test_a_run_has_to_be_as_long_as_an_ngram(words, task):
    part = b"every child equally many sweets and say how many are left over. Bags may not be"
    assert tasks(part + b" bought", words=words) == [task]


def test_other_indentation_line_ends_and_comment_signs_are_a_match():
    reindented = SOLUTION.replace(b"    ", b"\t").replace(b"\n", b"\r\n")
    commented = b"\n".join(b"# " + line for line in SOLUTION.splitlines())
    rows = compare(reindented, commented)
    assert [row["benchmark_match"] for row in rows] == ["exact", "ngram"]
    assert rows[1]["matched_share"] == rows[0]["matched_share"]


def test_whitespace_counts_on_demand():
    reindented = SOLUTION.replace(b"    ", b"  ")
    assert tasks(SOLUTION, reindented, whitespace=False) == ["toys/0", None]


RENAMED = b"""    rest = 0
    for sack in sacks:
        if sack < 0:
            raise ValueError("a bag cannot owe sweets")
        rest += sack
    while rest >= kids:
        rest -= kids
    return rest
"""


def test_renamed_identifiers_are_a_match_on_demand():
    assert tasks(RENAMED) == [None]
    [row] = compare(RENAMED, identifiers=True)
    assert (row["benchmark_task"], row["benchmark_match"]) == ("toys/0", "exact")


def test_a_renaming_has_to_be_consistent():
    mixed = SOLUTION.replace(b"total -= children", b"rest -= bags").replace(
        b"for bag", b"for total"
    )
    [row] = compare(mixed, identifiers=True)
    assert row["benchmark_match"] != "exact"


def test_strings_comments_keywords_and_builtins_are_not_renamed():
    code = SOLUTION.replace(b"a bag cannot owe sweets", b"x y z u v").replace(
        b"ValueError", b"Oops"
    )
    assert tasks(code, identifiers=True) == [None]


def test_short_texts_are_not_looked_for():
    problems = [Problem("toys", "short", (b"return first + second",)), *PROBLEMS]
    assert tasks(b"return first + second\n" * 50, problems=problems) == [None]


def test_rows_of_numbers_are_no_evidence():
    numbers = b", ".join(b"%d" % number for number in range(40))
    problems = [Problem("toys", "numbers", (b"assert primes() == [" + numbers + b"]",))]
    assert tasks(b"TABLE = [" + numbers + b"]", problems=problems) == [None]


@pytest.mark.parametrize("count", [BOILERPLATE_TASKS, BOILERPLATE_TASKS + 1])
def test_what_many_problems_share_is_no_evidence(count):
    imports = (
        b"import csv, json, math, random, string, struct, sys, time, types, uuid, zlib, zipfile\n"
    )
    problems = [
        Problem("toys", f"toys/{number}", (imports + b"run_%d()" % number,))
        for number in range(count)
    ]
    [task] = tasks(imports, problems=problems)
    assert task == ("toys/0" if count == BOILERPLATE_TASKS else None)
    # With what is their own they are found, and whole.
    [row] = compare(imports + b"run_7()", problems=problems)
    assert (row["benchmark_task"], row["benchmark_match"]) == ("toys/7", "exact")


def test_a_whole_text_is_stronger_than_a_longer_part():
    long = PROMPT[: PROMPT.index(b"table")]
    [row] = compare(long + b"\n" + OTHER)
    assert row["benchmark_task"] == "toys/1"
    assert len(long.split()) > len(OTHER.split())


def test_ties_go_to_the_benchmark_first_by_name():
    problems = [Problem(name, "same", (PROMPT,)) for name in ("b", "c", "a")]
    for order in itertools.permutations(problems):
        assert compare(PROMPT, problems=order)[0]["benchmark"] == "a"


def test_a_collision_of_hashes_accuses_nobody():
    # The second eight bytes make up for the difference of what is mixed of the first.
    word, twin = b"collidesE00A0A0a", b"ekdtszmczsZo_r_p"
    assert hash_words(word).tolist() == hash_words(twin).tolist()
    text = SOLUTION.replace(b"owe", word)
    problems = [Problem("toys", "toys/0", (text,))]
    document = text.replace(word, twin)
    part = document[document.index(b"bags") : document.index(b"total >=")]
    whole = text[text.index(b"bags") : text.index(b"total >=")]
    assert tasks(whole, part, problems=problems) == ["toys/0", None]
    both = [*problems, Problem("toys", "toys/1", (document,))]
    for task in tasks(whole, part, problems=both):
        assert task is None


def test_batches_and_slices_make_no_difference():
    documents = [FILLER, PROMPT, b"", FILLER + OTHER, b"x", RENAMED, SOLUTION] * 3
    whole = compare(*documents)
    assert whole == [row for each in documents for row in compare(each)]
    index = build_index(
        PROBLEMS, comparison_of(13, ignore_whitespace=True, ignore_identifiers=False)
    )
    sliced = large_binary([b"before", *documents]).slice(1)
    assert find_contamination(sliced, index).to_pylist() == whole


def test_has_the_schema_with_and_without_benchmarks_and_documents():
    comparison = comparison_of(13, ignore_whitespace=True, ignore_identifiers=False)
    for index in (None, build_index((), comparison), build_index(PROBLEMS, comparison)):
        for documents in ([], [b""], [FILLER, b"x"]):
            batch = find_contamination(large_binary(documents), index)
            batch.validate(full=True)
            assert batch.schema == CONTAMINATION
            assert batch["benchmark"].null_count == len(documents)


def test_an_index_is_the_same_from_its_file(tmp_path):
    comparison = comparison_of(13, ignore_whitespace=True, ignore_identifiers=True)
    index = build_index(PROBLEMS, comparison)
    (tmp_path / "index.arrow").write_bytes(index.to_bytes())
    loaded = BenchmarkIndex.load(str(tmp_path / "index.arrow"))
    assert loaded.comparison == comparison
    for left, right in zip(
        (*index.tables.words, *index.tables[1:]),
        (*loaded.tables.words, *loaded.tables[1:]),
        strict=True,
    ):
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)
    documents = large_binary([FILLER + RENAMED, OTHER])
    assert find_contamination(documents, loaded).equals(find_contamination(documents, index))


def test_no_path_is_no_index():
    assert BenchmarkIndex.load("") is None


def test_a_document_of_nothing_but_a_benchmark_costs_linear_time():
    documents = [PROMPT * 2000, SOLUTION * 2000, PROMPT + SOLUTION]
    rows = compare(*documents)
    assert [row["benchmark_match"] for row in rows] == ["exact"] * 3
    assert pa.array(rows).type.num_fields == len(CONTAMINATION)

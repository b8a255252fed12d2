import datetime
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.repositories import SCHEMA
from tests.transforms.builders import brief
from transforms.deduplicate.keep import NOBODY_REFUSED, KeepOrder, Refusals
from transforms.deduplicate.ranking import rank_repositories
from transforms.deduplicate.staging import StagedArrays
from transforms.optout import OptOuts, entry_keys
from transforms.optout import Places as OptOutPlaces
from transforms.parts import Workspace

OLD = datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC)
NEW = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def row(name, stars=None, released=None, files=1, revision="1", license_class="none"):
    return dict.fromkeys(SCHEMA.names) | {
        "repository": name,
        "revision": revision,
        "source": "directory",
        "status": "crawled" if files else "failed",
        "license_class": license_class,
        "files": files,
        "bytes": 0,
        "stars": stars,
        "released": released,
    }


def rank(parts, refusals=NOBODY_REFUSED, capacity=1 << 20):
    """The keep order of parts, which are lists of rows."""
    tables = (pa.Table.from_pylist(rows, SCHEMA) for rows in parts)
    with TemporaryDirectory() as folder:
        arrays = StagedArrays(Workspace(run=folder, staging=folder))
        return rank_repositories(arrays, tables, refusals, capacity)


def document_order(parts, refusals=NOBODY_REFUSED, capacity=1 << 20):
    """Repository, revision and number of file of all documents, best first."""
    order = rank(parts, refusals, capacity)
    ranked = []
    for part, rows in enumerate(parts):
        files = [(r["repository"], r["revision"], n) for r in rows for n in range(r["files"])]
        places = order.places(part)
        assert places.dtype == np.uint32
        ids = [part << 32 | number for number in range(len(files))]
        assert order.document_ids(places).tolist() == ids
        ranked += zip(places.tolist(), files, strict=True)
    assert sorted(place for place, _ in ranked) == list(range(order.documents))
    return [file for _, file in sorted(ranked)]


def repository_order(*rows):
    rows = sorted(rows, key=lambda each: (each["repository"], each["revision"]))
    return [f"{name}{revision}" for name, revision, _ in document_order([rows])]


def test_prefers_more_stars():
    assert repository_order(row("a", 1), row("b", 30), row("c", 4)) == ["b1", "c1", "a1"]


def test_unknown_stars_come_after_none():
    assert repository_order(row("a"), row("b", 0), row("c", 1)) == ["c1", "b1", "a1"]


def test_of_equal_stars_prefers_the_older_release():
    rows = [row("a", 5, NEW), row("b", 5, OLD), row("c", 5), row("d", 6, NEW)]
    assert repository_order(*rows) == ["d1", "b1", "a1", "c1"]


def test_then_goes_by_name_and_revision():
    rows = [row("b", 5, OLD), row("a", 5, OLD, revision="2"), row("a", 5, OLD, revision="10")]
    assert repository_order(*rows) == ["a10", "a2", "b1"]


def test_what_asks_the_least_of_its_users_goes_before_stars():
    classes = ["none", "unknown", "strong_copyleft", "weak_copyleft", "permissive"]
    rows = [
        row(name, stars, license_class=each)
        for stars, (name, each) in enumerate(zip("edcba", classes, strict=True), start=1)
    ]
    assert repository_order(*rows) == ["a1", "b1", "c1", "d1", "e1"]
    assert repository_order(*(each | {"stars": 9 - each["stars"]} for each in rows))[0] == "a1"


def test_rows_of_one_repository_in_two_data_files_go_by_the_file():
    first, second = (row("a", files=1) | {"collection": name} for name in ("x", "y"))
    orders = [rank([[each] for each in parts]) for parts in ([first, second], [second, first])]
    places = [[int(order.places(part)[0]) for part in (0, 1)] for order in orders]
    assert places == [[0, 1], [1, 0]]


def test_what_nobody_may_use_goes_last(tmp_path):
    entries = tmp_path / "entries"
    places = OptOutPlaces(frozenset())
    keys = [key for name in ("b", "x/d") for key in entry_keys(name, frozenset())]
    entries.write_bytes(OptOuts.of_keys(keys, places).to_bytes())
    rows = [
        row("a", 9, license_class="permissive") | {"license": "BSD-4-Clause"},
        row("b", 8, license_class="permissive"),
        row("c", 1),
        row("x/d", 5),
        row("e") | {"license": "MIT"},
    ]
    refusals = Refusals(deny=frozenset({"BSD-4-Clause"}), opt_outs=str(entries))
    order = [name for name, _, _ in document_order([rows], refusals)]
    assert order == ["c", "e", "a", "b", "x/d"]


def test_lists_of_wanted_licenses_refuse_others_but_not_unknown_ones():
    rows = [row("a", 9) | {"license": "GPL-3.0-only"}, row("b") | {"license": "MIT"}, row("c", 5)]
    order = document_order([rows], Refusals(allow=frozenset({"MIT"})))
    assert [name for name, _, _ in order] == ["c", "b", "a"]


def test_inside_a_repository_goes_by_the_order_of_files():
    parts = [[row("a", 1, files=2), row("b", 2, files=3)]]
    expected = [("b", "1", 0), ("b", "1", 1), ("b", "1", 2), ("a", "1", 0), ("a", "1", 1)]
    assert document_order(parts) == expected


def test_a_repository_without_documents_shifts_nobody():
    parts = [[row("a", files=2), row("b", 100, files=0), row("c", files=1)]]
    assert document_order(parts) == [("a", "1", 0), ("a", "1", 1), ("c", "1", 0)]


def test_ranks_no_documents():
    assert document_order([]) == []
    assert document_order([[], []]) == []


ROWS = st.lists(
    st.tuples(
        st.text("ab", min_size=1, max_size=2),
        st.sampled_from(["1", "2"]),
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([OLD, NEW]),
        st.integers(0, 3),
    ),
    unique_by=lambda each: each[:2],
    max_size=8,
).map(lambda rows: [row(n, s, r, f, v) for n, v, s, r, f in sorted(rows, key=str)])


@brief
@given(rows=ROWS, numbers=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_the_order_does_not_depend_on_the_division_into_parts_and_runs(rows, numbers):
    divided = [[], [], [], []]
    for each, number in zip(rows, numbers, strict=False):
        divided[number].append(each)
    assert document_order(divided, capacity=1) == document_order([rows])


CLASSES = ("permissive", "weak_copyleft", "strong_copyleft", "unknown", "none")
NAMES = st.text("ab\u00e9\uffff\U0001f600", min_size=1, max_size=2)
ANY_ROWS = st.lists(
    st.builds(
        lambda fields, collection, terms: (
            row(*fields[:-1], license_class=fields[-1])
            | {"collection": collection, "license": terms}
        ),
        st.tuples(
            NAMES,
            st.none() | st.sampled_from([0, 1, 2**60]),
            st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
            st.integers(0, 3),
            st.sampled_from(["1", "2", "10"]),
            st.sampled_from(CLASSES),
        ),
        st.none() | NAMES,
        st.sampled_from([None, "MIT", "GPL-3.0-only"]),
    ),
    max_size=8,
)


def slow_order(parts):
    """Part and entry of each repository, by tuples."""
    keys = [
        (
            each["license"] == "GPL-3.0-only",
            CLASSES.index(each["license_class"]),
            -(-1 if each["stars"] is None else each["stars"]),
            each["released"] or datetime.datetime.max.replace(tzinfo=datetime.UTC),
            *(each["repository"], each["revision"], each["collection"] or ""),
            *(part, entry),
        )
        for part, rows in enumerate(parts)
        for entry, each in enumerate(rows)
    ]
    return [key[-2:] for key in sorted(keys)]


@brief
@given(st.lists(ANY_ROWS, max_size=5), st.sampled_from([1, 40_000, 1 << 20]))
def test_the_order_is_that_of_tuples(parts, capacity):
    order = rank(parts, Refusals(deny=frozenset({"GPL-3.0-only"})), capacity)
    expected = slow_order(parts)
    assert list(zip(order.part.tolist(), order.entry.tolist(), strict=True)) == expected
    assert np.diff(order.starts).tolist() == [parts[p][e]["files"] for p, e in expected]
    for number, (part, entry) in enumerate(expected):
        assert order.row[number] == sum(each["files"] for each in parts[part][:entry])


def test_more_documents_than_places_are_refused():
    with pytest.raises(ValueError, match=r"4,294,967,296 documents are more than a run can"):
        rank([[row("a", files=1 << 31)], [row("b", files=1 << 31)]])


MANY = 200_000
PARTS = 200
ALLOWED = 24 << 20
"""Bytes of memory besides what a tiny ranking has taken; keys of all would be 40 MB."""


def many_rows(number):
    """The repositories of a part, whose names are like random ones."""
    names = [
        f"github.com/{entry * 2_654_435_761 % 2**32:08x}/repository-{entry}"
        for entry in range(number, MANY, PARTS)
    ]
    return [row(name, stars=len(name) % 3) for name in sorted(names)]


def rank_limited(folder, capacity):
    command = [sys.executable, "-m", "tests.transforms.deduplicate.ranking_limit"]
    arguments = [folder, str(capacity), str(ALLOWED)]
    # Arrow's own allocator holds addresses by the gigabyte, which the limit would not see.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*command, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )


@pytest.mark.timeout(300, method="thread")
def test_more_repositories_than_the_memory_there_is_are_ranked(tmp_path):
    ended = rank_limited(tmp_path, 2 << 20)
    assert ended.returncode == 0, ended.stderr[-2000:]
    order = KeepOrder.load(StagedArrays(Workspace(run=str(tmp_path), staging=str(tmp_path))))
    rows = [
        (-each["stars"], each["repository"], part, entry)
        for part in range(PARTS)
        for entry, each in enumerate(many_rows(part))
    ]
    expected = [each[2:] for each in sorted(rows)]
    assert list(zip(order.part.tolist(), order.entry.tolist(), strict=True)) == expected


@pytest.mark.timeout(300, method="thread")
def test_all_repositories_at_once_are_more_than_that_memory(tmp_path):
    ended = rank_limited(tmp_path, 1 << 40)
    assert ended.returncode != 0
    assert "MemoryError" in ended.stderr

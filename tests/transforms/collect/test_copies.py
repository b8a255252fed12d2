import itertools

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.collect.copies import CLAIMS, bucket_of, keep_best


def claim(task_id, fingerprint, rank=0):
    row = {"fingerprint": fingerprint, "behavior": None, "rank": rank, "task_id": task_id}
    return row | {"part": 0, "row": 0}


def divided(*batches):
    kept, others = keep_best([pa.RecordBatch.from_pylist(batch, CLAIMS) for batch in batches])
    dropped = zip(others["task_id"].to_pylist(), others["kept"].to_pylist(), strict=True)
    return set(kept["task_id"].to_pylist()), dict(dropped)


def test_the_best_of_a_fingerprint_stays_and_stands_for_the_others():
    found = divided([claim("a", "x", 2), claim("b", "x", 1)], [claim("c", "x", 1)])
    assert found == ({"b"}, {"a": "b", "c": "b"})


def test_claims_without_a_fingerprint_all_stay():
    assert divided([claim("a", None), claim("b", None)]) == ({"a", "b"}, {})


claims = st.lists(
    st.tuples(st.sampled_from([None, "x", "y", "z"]), st.integers(0, 3)), max_size=12
).map(lambda pairs: [claim(f"t{n}", *pair) for n, pair in enumerate(pairs)])


@given(claims, st.data())
def test_what_stays_depends_on_neither_order_nor_division(rows, data):
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    whole = divided(rows)
    assert divided(shuffled[:cut], shuffled[cut:]) == whole
    kept, dropped = whole
    assert kept | dropped.keys() == {row["task_id"] for row in rows}
    assert set(dropped.values()) <= kept
    by_fingerprint = {}
    for row in rows:
        by_fingerprint.setdefault(row["fingerprint"], []).append(row)
    for fingerprint, group in by_fingerprint.items():
        stays = {row["task_id"] for row in group} & kept
        assert len(stays) == (len(group) if fingerprint is None else 1)


def test_equal_fingerprints_meet_in_one_bucket_and_others_spread():
    assert len({bucket_of("same", f"t{n}", 16) for n in range(50)}) == 1
    spread = {bucket_of(None, f"t{n}", 16) for n in range(200)}
    assert spread == set(range(16))
    assert all(
        0 <= bucket_of(name, "t", count) < count
        for name, count in itertools.product(["a", "\udc80"], [1, 7])
    )

import numpy as np

from schemas.duplicates import DUPLICATES
from tests.transforms.deduplicate.test_ranking import rank, row
from transforms.deduplicate.decisions import (
    DROPS,
    LEVELS,
    describe_part,
    make_drops,
    resolve,
)

NORMALIZED, NEAR = LEVELS.index("normalized"), LEVELS.index("near")


def drops(*rows):
    place, kept, similarity, level = (np.array(column) for column in zip(*rows, strict=True))
    return make_drops(place, kept, similarity.astype(np.float64), level)


def pairs(*rows):
    members, firsts = zip(*rows, strict=True)
    return np.array(members, dtype=np.uint32), np.array(firsts, dtype=np.uint32)


def look_up(*dropped):
    """Finds what is dropped among some documents."""

    def look(places):
        found = np.zeros(places.size, dtype=DROPS)
        found["place"] = found["kept"] = places
        for index, place in enumerate(places.tolist()):
            for each in dropped:
                if each["place"] == place:
                    found[index] = each
        return found

    return look


def everybody(count):
    return np.arange(count, dtype=np.uint32)


NOBODY = np.zeros(0, np.uint32), np.zeros(0, np.uint32)


def test_an_exact_copy_of_a_dropped_document_is_dropped_in_favor_of_the_kept_one():
    dropped = drops((1, 0, 0.75, NEAR), (3, 2, 1.0, NORMALIZED))
    found = resolve(everybody(8), pairs((4, 1), (5, 0), (6, 3)), look_up(*dropped))
    expected = [
        (0, 0, 0.0, 0),
        (1, 0, 0.75, NEAR),
        (2, 2, 0.0, 0),
        (3, 2, 1.0, NORMALIZED),
        (4, 0, 0.75, NEAR),
        (5, 0, 1.0, LEVELS.index("exact")),
        (6, 2, 1.0, NORMALIZED),
        (7, 7, 0.0, 0),
    ]
    assert found.tolist() == expected
    some = np.array([6, 0, 5], dtype=np.uint32)
    of_some = resolve(some, pairs((5, 0), (6, 3)), look_up(*dropped))
    assert of_some.tolist() == [expected[place] for place in some]


def test_nothing_drops_nobody():
    assert resolve(everybody(2), NOBODY, look_up())["kept"].tolist() == [0, 1]
    assert resolve(everybody(0), NOBODY, look_up()).size == 0


def test_describes_each_row_of_a_part_once():
    # The repository of part 1 comes first in keep order.
    parts = [[row("a", 1, files=2)], [row("b", 9, files=2)]]
    order = rank(parts)
    found = resolve(everybody(4), pairs((1, 0)), look_up(*drops((2, 0, 0.75, NEAR))))
    shares = np.array([0.25, 0.5], dtype=np.float32)
    here, there = (
        describe_part(found[order.places(part)], order, shares).to_pylist() for part in (0, 1)
    )
    best = 1 << 32
    assert [tuple(each.values()) for each in here] == [
        (best, best, 0.75, "near", 0.5),
        (1, None, None, None, 0.5),
    ]
    assert [tuple(each.values()) for each in there] == [
        (best, None, None, None, 0.25),
        (best, best, 1.0, "exact", 0.25),
    ]


def test_describes_a_part_without_documents_and_shares_that_nobody_asked_for():
    order = rank([[row("a", files=1)]])
    found = resolve(everybody(1), NOBODY, look_up())
    batch = describe_part(found[:0], order, None)
    assert (batch.schema, batch.num_rows) == (DUPLICATES, 0)
    assert describe_part(found, order, None)["repository_share"].to_pylist() == [None]

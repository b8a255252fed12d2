import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.shards import Split
from tests.transforms.builders import thorough
from transforms.draws import draw_stream
from transforms.shard.layout import Layout, find_draws, lay_out

SEEDS = st.integers(-(2**63), 2**64)
COUNTS = st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=2, max_size=4)
"""Sequences by pass, of two sections."""


@thorough
@given(st.integers(1, 300), SEEDS, st.data(), st.integers(1, 9), st.integers(1, 50))
def test_draws_of_ranks_are_those_of_a_sorted_stream(count, seed, data, bits, at_once):
    ranks = sorted(data.draw(st.sets(st.integers(0, count - 1), max_size=8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("transforms.shard.layout._CELL_BITS", bits)
        patch.setattr("transforms.shard.layout._DRAWS_AT_ONCE", at_once)
        found = find_draws(count, seed, np.array(ranks, np.int64))
    assert found.tolist() == np.sort(draw_stream(count, seed))[ranks].tolist()


def test_draws_of_ranks_are_found_among_many():
    ranks = np.array([0, 1, 99_999, 100_000, 199_999])
    expected = np.sort(draw_stream(200_000, 5))[ranks]
    assert find_draws(200_000, 5, ranks).tolist() == expected.tolist()


@thorough
@given(COUNTS, st.integers(1, 7), st.integers(1, 60))
def test_each_row_is_in_the_bucket_of_its_shard(counts, per_shard, bucket_pieces):
    seeds = list(range(len(counts)))
    pieces = sum(map(sum, counts))
    layout = lay_out(counts, pieces, per_shard, bucket_pieces, seeds)
    splits = [each.split for each in layout.passes]
    shards_before = {Split.TRAIN: 0, Split.VALIDATION: layout.count_shards(Split.TRAIN)}
    rows = dict.fromkeys(Split, 0)
    buckets = set()
    for number, (split, own) in enumerate(zip(splits, counts, strict=True)):
        draws = np.sort(draw_stream(sum(own), seeds[number]))
        places = np.searchsorted(np.array(layout.borders[number], np.uint64), draws, side="right")
        for place in places.tolist():
            shard = shards_before[split] + rows[split] // per_shard
            bucket = layout.buckets_of(number)[place]
            assert bucket == shard // layout.shards_a_bucket
            assert layout.first_shard(split, bucket) <= shard - shards_before[split]
            buckets.add(bucket)
            rows[split] += 1
    assert rows == {split: layout.rows(split) for split in Split}
    assert sorted(buckets) == list(range(layout.buckets if buckets else 0))
    assert Layout.from_values(layout.to_values()) == layout
    for split in Split:
        held = layout.shard_rows(split)
        assert sum(held) == rows[split]
        assert set(held[:-1]) <= {per_shard}
        assert len(layout.names(split)) == len(held) == layout.count_shards(split)


def test_few_pieces_are_one_bucket_and_of_many_each_shard_is_one():
    counts = [[10, 10], [3, 4]]
    assert lay_out(counts, 100, 5, 100, [0, 0]).buckets == 1
    assert lay_out(counts, 100, 5, 1, [0, 0]).buckets == 6
    assert lay_out([[0], [0]], 0, 5, 1, [0, 0]).buckets == 1


def test_sequences_of_a_section_are_counted_from_those_before():
    layout = Layout(5, ((3, 4, 5), (1, 1, 1)))
    assert [layout.first_sequence(0, section) for section in range(3)] == [0, 3, 7]

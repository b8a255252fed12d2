import itertools

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.shards import Split
from tests.transforms.builders import thorough
from tests.transforms.shard.sections import measures_of
from transforms.shard.packing import concatenate_documents, pack_best_fit
from transforms.shard.sections import Documents, count_pieces, divide_parts

PIECES = st.lists(st.integers(0, 20), max_size=20)


@thorough
@given(PIECES, st.integers(1, 30), st.randoms(use_true_random=False))
def test_sections_are_runs_of_parts_and_as_few_as_go(pieces, most, random):
    names = [f"part-{number:05d}.arrow" for number in range(len(pieces))]
    parts = list(zip(names, pieces, strict=True))
    sections = divide_parts(random.sample(parts, len(parts)), most)
    assert [name for section in sections for name in section] == names
    of_name = dict(parts)
    held = [[of_name[name] for name in section] for section in sections]
    assert all(sum(own) <= most or len(own) == 1 for own in held)
    for own, following in itertools.pairwise(held):
        assert sum(own) + following[0] > most


@thorough
@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 9))
def test_pieces_are_counted_but_for_those_that_sequences_begin_with(lengths, context_length):
    lengths = measures_of(length=lengths)["length"].to_numpy()
    counted = count_pieces(lengths, context_length)
    for pack in (concatenate_documents, pack_best_fit):
        assert lengths.size <= pack(lengths, context_length).document.size <= counted + 1


def test_documents_are_those_of_a_split_and_their_repositories_those_of_the_section():
    measures = measures_of(repository_hash=[9, 4, 9, 7, 4], length=[1, 2, 3, 4, 5])
    sides = pa.table(
        {"repository_hash": pa.array([4, 7, 9], pa.uint64()), "validates": [False, True, False]}
    )
    train = Documents.of_split(measures, sides, Split.TRAIN)
    assert train.column("document").tolist() == [0, 1, 2, 4]
    assert train.tokens.tolist() == [2, 3, 4, 6]
    assert train.repositories.tolist() == [2, 0, 2, 0]
    some = train.within(train.hashes == 4)
    assert (some.count, some.lengths.tolist()) == (2, [2, 5])
    validation = Documents.of_split(measures, sides, Split.VALIDATION)
    assert validation.column("document").tolist() == [3]

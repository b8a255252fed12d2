import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.shards import Split
from tests.transforms.builders import thorough
from tests.transforms.shard.sections import FilesInMemory, documents_of, measures_of
from transforms.draws import draw_stream
from transforms.shard.buckets import plan_bucket, write_pieces
from transforms.shard.layout import lay_out
from transforms.shard.passes import list_passes, pack_copies
from transforms.shard.plan import PIECES, Packing

LENGTHS = st.lists(st.integers(0, 20), max_size=8)
SECTIONS = st.lists(st.tuples(LENGTHS, LENGTHS), min_size=1, max_size=3)
"""Lengths of the documents that train and that validate, by section."""
PACKINGS = st.builds(
    Packing,
    st.integers(3, 12),
    st.integers(1, 6),
    st.integers(0, 9),
    st.just(0),
    st.sampled_from(["concatenate", "best_fit"]),
)
START = 7


def documents_of_section(lengths, section):
    """Documents whose tokens follow each other in one chunk from a place on."""
    count = len(lengths)
    measures = measures_of(
        document=[1000 * section + number for number in range(count)],
        length=lengths,
        chunk=[section] * count,
        start=[START + sum(lengths[:number]) for number in range(count)],
    )
    return documents_of(measures)


def plan_divided(sections, packing, epochs, bucket_pieces):
    """The plans of all shards by name, made as the steps make them."""
    passes, files = list_passes(epochs), FilesInMemory()
    packed = [[pack_section(own, each, packing) for own in sections] for each in passes]
    layout = lay_out(
        [[each.first.size - 1 for _, each in own] for own in packed],
        sum(each.document.size for own in packed for _, each in own),
        packing.sequences_per_shard,
        bucket_pieces,
        [each.seed(packing.seed) for each in passes],
    )
    for number, own in enumerate(packed):
        for section, (documents, each) in enumerate(own):
            seed = passes[number].seed(packing.seed)
            write_pieces(files, layout, (number, section), each, documents, seed)
    return {
        name: batch
        for bucket in range(layout.buckets)
        for name, batch in plan_bucket(files, layout, bucket)
    }


def pack_section(section, which, packing):
    number, (train, validation) = section
    lengths = train if which.split is Split.TRAIN else validation
    documents = documents_of_section(lengths, 2 * number + (which.split is Split.VALIDATION))
    copies = np.ones(documents.count, np.int64)
    return documents, pack_copies(documents.lengths, copies, packing)


def slow_rows(sections, packing, epochs):
    """All pieces of each row of each split, in the order of rows, as nobody divides them."""
    rows = {split: [] for split in Split}
    for each in list_passes(epochs):
        sequences = []
        for section in sections:
            documents, packed = pack_section(section, each, packing)
            names = documents.column("document").tolist()
            pieces = list(zip(*(column.tolist() for column in packed[1:]), strict=True))
            pieces = [(names[document], *place) for document, *place in pieces]
            ends = packed.first.tolist()
            sequences += [pieces[a:b] for a, b in itertools.pairwise(ends)]
        draws = draw_stream(len(sequences), each.seed(packing.seed))
        rows[each.split] += [sequences[number] for number in np.argsort(draws)]
    return rows


@thorough
@given(SECTIONS, PACKINGS, st.integers(1, 3), st.integers(1, 60))
def test_shards_hold_all_sequences_of_all_sections_shuffled(
    sections, packing, epochs, bucket_pieces
):
    sections = list(enumerate(sections))
    plans = plan_divided(sections, packing, epochs, bucket_pieces)
    expected = slow_rows(sections, packing, epochs)
    for split in Split:
        own = [plan for name, plan in plans.items() if name.startswith(split)]
        held = [plan["row"][-1].as_py() + 1 for plan in own]
        assert set(held[:-1]) <= {packing.sequences_per_shard}
        assert all(rows <= packing.sequences_per_shard for rows in held)
        found = [rows for plan in own for rows in rows_of(plan)]
        assert found == expected[split]
    names = list(plans)
    assert names == sorted(names)


def rows_of(plan):
    """The pieces of each row of a plan."""
    rows = {}
    for piece in plan.to_pylist():
        rows.setdefault(piece["row"], []).append(
            (piece["document"], piece["offset"], piece["length"])
        )
    assert list(rows) == list(range(len(rows)))
    return list(rows.values())


@thorough
@given(SECTIONS, PACKINGS, st.integers(1, 60))
def test_shards_do_not_depend_on_how_they_are_divided_into_buckets(
    sections, packing, bucket_pieces
):
    sections = list(enumerate(sections))
    one = plan_divided(sections, packing, 2, 1 << 60)
    many = plan_divided(sections, packing, 2, bucket_pieces)
    assert list(one) == list(many)
    assert all(plan.equals(many[name]) for name, plan in one.items())


@thorough
@given(SECTIONS, PACKINGS)
def test_a_plan_says_where_the_tokens_of_each_piece_are(sections, packing):
    lengths = {
        1000 * (2 * number + place) + each: own
        for number, section in enumerate(sections)
        for place, documents in enumerate(section)
        for each, own in enumerate(documents)
    }
    plans = plan_divided(list(enumerate(sections)), packing, 1, 10)
    for plan in plans.values():
        assert plan.schema.equals(PIECES)
        place = {}
        for piece in plan.to_pylist():
            assert piece["position"] == place.get(piece["row"], 0)
            place[piece["row"]] = piece["position"] + piece["length"]
            section, number = divmod(piece["document"], 1000)
            begin = sum(lengths[1000 * section + each] for each in range(number)) + START
            assert piece["chunk"] == section
            assert piece["start"] == begin + piece["offset"]
            end = lengths[piece["document"]]
            assert piece["tokens"] == min(piece["length"], end - piece["offset"])
        assert all(end <= packing.context_length for end in place.values())

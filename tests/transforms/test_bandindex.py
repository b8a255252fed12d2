import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bands import BandIndexSettings, bands_schema
from tests.transforms.builders import MASK, thorough
from transforms.bandindex import first_ordinals, look_up

ROWS = (3, 0, 2, 4)
ORDINALS = first_ordinals(ROWS)
DOCUMENTS = [part << 32 | row for part, rows in enumerate(ROWS) for row in range(rows)]
HASHES = st.sampled_from([0, 1 << 32, 5 << 60, MASK, MASK - (1 << 32)]) | st.integers(0, MASK)


def write(claims, files):
    """The entries of each file, the hash space divided evenly among them, in odd chunks."""
    index = []
    for number in range(files):
        here = [(h, d) for h, d in claims if (h >> 32) * files >> 32 == number]
        entries = sorted(h >> 32 << 32 | int(ORDINALS[d >> 32]) + (d & 0xFFFFFFFF) for h, d in here)
        cuts = [0, len(entries) // 3, len(entries) // 3, len(entries)]
        chunks = [pa.array(entries[a:b], pa.uint64()) for a, b in itertools.pairwise(cuts)]
        index.append(pa.chunked_array(chunks, pa.uint64()))
    return index


def search(claims, wanted, files=3, most=100):
    found = look_up(write(claims, files), np.array(wanted, np.uint64), ORDINALS, most)
    return list(zip(found.documents.tolist(), found.bands.tolist(), strict=True)), found.cut


CLAIMS = st.lists(st.tuples(HASHES, st.sampled_from(DOCUMENTS)), unique=True, max_size=40)


@thorough
@given(CLAIMS, st.lists(HASHES, max_size=6, unique_by=lambda h: h >> 32), st.integers(1, 4))
def test_finds_who_shares_bands_and_how_many(claims, wanted, files):
    # Hashes that agree in their upper half are taken for the same.
    fragments = {h >> 32 for h in wanted}
    shared = {}
    for hashed, document in claims:
        if hashed >> 32 in fragments:
            shared[document] = shared.get(document, 0) + 1
    expected = sorted(shared.items(), key=lambda item: (-item[1], item[0]))
    assert search(claims, wanted, files) == (expected, False)


def test_reads_no_more_of_a_band_than_is_asked_for_and_says_so():
    claims = [(7 << 32, document) for document in DOCUMENTS]
    assert search(claims, [7 << 32], most=9) == ([(d, 1) for d in DOCUMENTS], False)
    assert search(claims, [7 << 32], files=1, most=2)[1]
    assert len(search(claims, [7 << 32], files=1, most=2)[0]) < len(DOCUMENTS)


def test_an_index_of_nothing_finds_nothing():
    assert search([], [1, 2]) == ([], False)
    assert search([(1, DOCUMENTS[0])], []) == ([], False)


def test_the_last_document_of_a_full_index_is_found():
    ordinals = first_ordinals([2**32 - 1, 1])
    index = [pa.chunked_array([pa.array([MASK], pa.uint64())])]
    found = look_up(index, np.array([MASK], np.uint64), ordinals, 1)
    assert found.documents.tolist() == [1 << 32]


def test_refuses_more_documents_than_an_index_can_name():
    with pytest.raises(ValueError, match="an index holds 4,294,967,296 documents"):
        first_ordinals([2**32, 1])


def test_a_file_says_how_bands_were_cut(tmp_path):
    settings = BandIndexSettings(permutations=256, seed=7, bands=39, rows=6)
    path = tmp_path / "part-00000.arrow"
    with pa.ipc.new_stream(path, bands_schema(settings)) as writer:
        writer.write_batch(pa.record_batch([pa.array([1], pa.uint64())], bands_schema(settings)))
    metadata = pa.ipc.open_stream(path).schema.metadata
    assert BandIndexSettings.from_metadata(metadata) == settings

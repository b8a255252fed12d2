import hashlib

import pyarrow as pa
import pytest

from transforms.hashes import content_keys, parse_hashes

SUMS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(5)]


def test_reads_any_slice_of_sums_in_either_case():
    sums = [*SUMS[:2], SUMS[2].upper(), *SUMS[3:]]
    found = parse_hashes(pa.array(sums, pa.string())[1:4], 16)
    assert [bytes(row) for row in found] == [bytes.fromhex(each)[:16] for each in SUMS[1:4]]


@pytest.mark.parametrize(
    "wrong", ["", "0" * 63, "0" * 65, "g" + "0" * 63, "0" * 31 + "\u00e9" * 16]
)
def test_refuses_what_is_no_sum(wrong):
    with pytest.raises(ValueError, match="SHA-256"):
        parse_hashes(pa.array(["0" * 64, wrong], pa.string()), 16)


def test_the_key_of_a_content_is_how_its_sum_begins():
    assert content_keys(pa.array(SUMS)).tolist() == [int(each[:16], 16) for each in SUMS]


def test_no_sums_have_no_keys():
    assert content_keys(pa.array([], pa.string())).tolist() == []

import hashlib

import pyarrow as pa
import pytest

from schemas.fingerprints import EMPTY_SIGNATURE, fingerprint_schema
from tests.transforms.builders import large_binary
from transforms.annotate.fingerprints import (
    FingerprintOptions,
    fingerprint_texts,
)

OPTIONS = FingerprintOptions(permutations=8, seed=1, normalized=True)
CODE = b"def f(x):\n    return x\n"


def fingerprint(*texts, language="python", options=OPTIONS):
    sums = pa.array([hashlib.sha256(text).hexdigest() for text in texts], pa.string())
    languages = pa.array([language] * len(texts), pa.string())
    batch = fingerprint_texts(large_binary(texts), sums, languages, options)
    assert batch.schema == fingerprint_schema(options.permutations)
    return batch.to_pydict()


def test_hashes_the_bytes_and_the_normalized_text():
    found = fingerprint(CODE, b"")
    digests = [hashlib.sha256(text).digest()[:16] for text in (CODE, b"")]
    assert found["content_hash"] == digests
    # Normalized already, so that both hashes are of the same bytes.
    assert found["normalized_hash"] == [digests[0], None]


def test_texts_that_differ_in_comments_and_blank_space_have_one_normalized_hash():
    same = [
        CODE,
        b"# license\n\n" + CODE,
        CODE.replace(b"\n", b"\r\n"),
        CODE.replace(b"x\n", b"x  # the value\n"),
        CODE + b"\n \n",
    ]
    found = fingerprint(*same, CODE.replace(b"return", b"yield"))
    assert len(set(found["content_hash"])) == 6
    assert len(set(found["normalized_hash"][:5])) == 1
    assert found["normalized_hash"][5] != found["normalized_hash"][0]


def test_what_a_comment_is_depends_on_the_language():
    python = fingerprint(CODE, b"# comment\n" + CODE)["normalized_hash"]
    text = fingerprint(CODE, b"# comment\n" + CODE, language="text")["normalized_hash"]
    assert python[0] == python[1]
    assert text[0] != text[1]


@pytest.mark.parametrize("text", [b"", b"\n\n", b"   \r\n", b"# nothing but\n# comments\n"])
def test_a_text_without_code_is_nobodys_duplicate_after_normalizing(text):
    assert fingerprint(text)["normalized_hash"] == [None]


def test_nothing_is_normalized_unless_asked_for():
    options = FingerprintOptions(permutations=8, seed=1, normalized=False)
    found = fingerprint(CODE, CODE, options=options)
    asked = fingerprint(CODE, CODE)
    assert found["normalized_hash"] == [None, None]
    assert found["signature"] == asked["signature"]


def test_counts_shingles_with_repeats_and_signs_them():
    found = fingerprint(b"a b c d e a b c d e", b"()")
    assert found["shingles"] == [6, 0]
    assert found["signature"][1] == [EMPTY_SIGNATURE] * 8


def test_fingerprints_no_texts():
    assert all(values == [] for values in fingerprint().values())


def test_rows_do_not_depend_on_how_texts_are_divided():
    texts = [CODE, b"", CODE * 300, b"word", b"\xff\xfe" * 9]
    together = fingerprint(*texts)
    alone = [fingerprint(text) for text in texts]
    for name, values in together.items():
        assert values == [row[name][0] for row in alone]

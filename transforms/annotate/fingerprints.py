"""Fingerprints of texts: hashes of what is the same, signatures of what is alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from schemas.fingerprints import HASH_BYTES, fingerprint_schema
from transforms.annotate.signatures import sign_words
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.comments import comment_syntaxes, normalize_texts
from transforms.hashes import parse_hashes
from transforms.shingles import Hashes, hash_words


@dataclass(frozen=True)
class FingerprintOptions:
    """How documents are signed, and whether they are also hashed after normalizing."""

    permutations: int
    seed: int
    normalized: bool


def fingerprint_texts(
    texts: pa.LargeBinaryArray,
    sha256: pa.StringArray,
    languages: pa.Array,
    options: FingerprintOptions,
    hashed: tuple[Hashes, Offsets] | None = None,
) -> pa.RecordBatch:
    """The fingerprints of UTF-8 texts in these languages, whose stored bytes have these hashes.

    ``hashed`` is what `hash_words` gives of the texts, where the caller has it already.
    """
    data, offsets = binary_buffers(texts)
    words = hashed or hash_words(data, offsets)
    signatures, shingles = sign_words(*words, options.permutations, options.seed)
    schema = fingerprint_schema(options.permutations)
    hash_type = schema.field("normalized_hash").type
    return pa.RecordBatch.from_arrays(
        [
            _content_hashes(sha256),
            hash_normalized(data, offsets, languages)
            if options.normalized
            else pa.nulls(len(texts), hash_type),
            pa.FixedSizeListArray.from_arrays(
                pa.array(signatures.reshape(-1)), type=schema.field("signature").type
            ),
            pa.array(shingles),
        ],
        schema=schema,
    )


def _content_hashes(sha256: pa.StringArray) -> pa.FixedSizeBinaryArray:
    values = pa.py_buffer(parse_hashes(sha256, HASH_BYTES).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(HASH_BYTES), len(sha256), [None, values])


def hash_normalized(data: Bytes, offsets: Offsets, languages: pa.Array) -> pa.FixedSizeBinaryArray:
    """The hash of each text without comments and blank space at ends; null where it is empty."""
    normalized, ends = normalize_texts(data, offsets, comment_syntaxes(languages))
    view = normalized.data
    hashes = [
        hashlib.sha256(view[start:end]).digest()[:HASH_BYTES] if end > start else None
        for start, end in pairwise(ends.tolist())
    ]
    return pa.array(hashes, pa.binary(HASH_BYTES))

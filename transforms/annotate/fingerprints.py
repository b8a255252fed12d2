"""Fingerprints of texts: hashes of what is the same, signatures of what is alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from schemas.fingerprints import HASH_BYTES, fingerprint_schema
from transforms.annotate.signatures import sign_texts
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.comments import comment_syntaxes, normalize_texts

_HEX_DIGITS = 64
_NO_DIGIT = 0xFF


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
) -> pa.RecordBatch:
    """The fingerprints of UTF-8 texts in these languages, whose stored bytes have these hashes."""
    data, offsets = binary_buffers(texts)
    signatures, shingles = sign_texts(data, offsets, options.permutations, options.seed)
    schema = fingerprint_schema(options.permutations)
    hash_type = schema.field("normalized_hash").type
    return pa.RecordBatch.from_arrays(
        [
            parse_hashes(sha256),
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


def parse_hashes(sha256: pa.Array) -> pa.FixedSizeBinaryArray:
    """The leading bytes of SHA-256 sums in hexadecimal.

    Raises:
      ValueError: one of them is none.
    """
    data, offsets = binary_buffers(sha256.cast(pa.large_binary()))
    if (np.diff(offsets) != _HEX_DIGITS).any():
        raise ValueError(f"a SHA-256 in hexadecimal has {_HEX_DIGITS} digits")
    digits = _DIGITS[data[offsets[0] : offsets[-1]].reshape(-1, _HEX_DIGITS)[:, : 2 * HASH_BYTES]]
    if (digits == _NO_DIGIT).any():
        raise ValueError("a SHA-256 has other characters than hexadecimal digits")
    values = digits[:, ::2] << 4 | digits[:, 1::2]
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(HASH_BYTES), len(sha256), [None, pa.py_buffer(values.tobytes())]
    )


def hash_normalized(data: Bytes, offsets: Offsets, languages: pa.Array) -> pa.FixedSizeBinaryArray:
    """The hash of each text without comments and blank space at ends; null where it is empty."""
    normalized, ends = normalize_texts(data, offsets, comment_syntaxes(languages))
    view = normalized.data
    hashes = [
        hashlib.sha256(view[start:end]).digest()[:HASH_BYTES] if end > start else None
        for start, end in pairwise(ends.tolist())
    ]
    return pa.array(hashes, pa.binary(HASH_BYTES))


def _digits() -> Bytes:
    table = np.full(256, _NO_DIGIT, dtype=np.uint8)
    for value, digit in enumerate("0123456789abcdef"):
        table[ord(digit)] = table[ord(digit.upper())] = value
    return table


_DIGITS = _digits()

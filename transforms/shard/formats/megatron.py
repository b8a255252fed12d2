"""Megatron-LM's indexed datasets: tokens in ``.bin``, where its sequences are in ``.idx``.

``.bin`` holds the real tokens of a shard's rows one after another, little-endian, without
padding, which is also what nanoGPT maps into memory (for ids of 16 bits as it is).

A sequence of the index is one piece of a document, and a document of it is that one
sequence. Megatron's GPTDataset shuffles sequences and joins them to samples; with
``inter_document_masking`` it masks attention between them. With whole rows for sequences
it would take the documents of a row for one. Other trainers find the ends of documents by
the end-of-text token that closes all pieces but those that a row cuts.

Layout: ``megatron/core/datasets/indexed_dataset.py`` of Megatron-LM, version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.shard.formats.pieces import piece_lengths, token_rows

_MAGIC = b"MMIDIDX\x00\x00"
_VERSION = 1
# Megatron has no code for uint32. Its int32 has the same bytes for ids below 2^31.
_CODES = {pa.uint16(): 8, pa.uint32(): 4}


def bin_chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[memoryview]:
    """The bytes of the ``.bin`` of a shard, a chunk for each of its record batches."""
    for batch in batches:
        rows, lengths = token_rows(batch), batch["length"].to_numpy()
        width = rows.shape[1]
        if lengths.size and lengths.min() < width:
            rows = rows[np.arange(width) < lengths[:, None]]
        yield rows.reshape(-1).view(np.uint8).data


def sequence_lengths(batches: Iterable[pa.RecordBatch]) -> npt.NDArray[np.int32]:
    """int32[pieces]: the tokens of each sequence of the index of a shard."""
    return np.concatenate([np.zeros(0, np.int32), *map(piece_lengths, batches)])


def index_bytes(lengths: npt.NDArray[np.int32], token: pa.DataType) -> bytes:
    """The bytes of the ``.idx`` of a shard.

    Args:
      lengths: what `sequence_lengths` gives.
      token: the type of the shard's ids.

    Raises:
      ValueError: ids are of another type than uint16 or uint32.
    """
    if token not in _CODES:
        raise ValueError(f"ids must be of {' or '.join(map(str, _CODES))}, got {token}")
    ends = np.cumsum(lengths, dtype="<i8") * (token.bit_width // 8)
    pointers = np.concatenate([np.zeros(1, "<i8"), ends])[:-1]
    # One more than there are documents: where each begins, and where the last one ends.
    documents = np.arange(lengths.size + 1, dtype="<i8")
    counts = struct.pack("<QBQQ", _VERSION, _CODES[token], lengths.size, documents.size)
    columns = (lengths.astype("<i4"), pointers.astype("<i8"), documents)
    return b"".join([_MAGIC, counts, *(column.tobytes() for column in columns)])

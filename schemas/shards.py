"""Shards: packed training sequences in uncompressed Arrow IPC streams.

One row is one sequence of ``context_length`` tokens. ``length`` counts its real
tokens; the rest is padded with end-of-text. The three lists say where its documents are:
the i-th piece begins at ``document_starts[i]`` in the sequence and is document
``documents[i]`` from its token ``offsets[i]`` on. A piece reaches to the next one's start,
or to ``length``, and includes the end-of-text token that follows its document.
Beside the shards are ``tokenizer.json``, the tokenizer that made the ids, and
``special_tokens.json``, which of its ids have a role (`schemas.tokenizers`), and the files
with which ``datasets.load_from_disk`` opens the folder. `docs/shards.md` is the specification.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

ROWS_PER_BATCH = 4096


class Split(StrEnum):
    """The sides of the train/validation split."""

    TRAIN = "train"
    VALIDATION = "validation"


def schema(token: pa.DataType, context_length: int) -> pa.Schema:
    """The schema of a shard for ids of one type and sequences of one length."""

    def listed(value: pa.DataType) -> pa.DataType:
        return pa.list_(pa.field("item", value, nullable=False))

    return pa.schema(
        [
            pa.field(
                "input_ids",
                pa.list_(pa.field("item", token, nullable=False), context_length),
                nullable=False,
            ),
            pa.field("length", pa.int32(), nullable=False),
            pa.field("document_starts", listed(pa.int32()), nullable=False),
            pa.field("documents", listed(pa.uint64()), nullable=False),
            pa.field("offsets", listed(pa.int64()), nullable=False),
        ]
    )


def file_name(split: Split, number: int, count: int) -> str:
    """The name of a shard, such as ``train-00003-of-00064.arrow``."""
    return f"{split}-{number:05d}-of-{count:05d}.arrow"


def is_shard(name: str) -> bool:
    """Whether a file beside the shards is one of them."""
    return name.endswith(".arrow")

"""Tokenizers and their engines, made once a process from the text of ``tokenizer.json``."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

import pyarrow as pa
from tokenizers import Tokenizer

from schemas import tables
from transforms.parts import Workspace, iterate_row_groups
from transforms.texts import document_texts
from transforms.tokenizers.engines import Engine, choose_engine

SAMPLE_BYTES = 200_000


@functools.lru_cache(maxsize=4)
def load_tokenizer(text: str) -> Tokenizer:
    """The tokenizer that a text describes; what spells a special token is text to it."""
    tokenizer = Tokenizer.from_str(text)
    # The format does not say it.
    tokenizer.encode_special_tokens = True
    return tokenizer


_choosing = threading.Lock()


def load_engine(text: str, sample: bytes) -> Engine:
    """The fast engine of a tokenizer if it equals the reference on a sample, else that."""
    # The cache alone would let every thread choose at once.
    with _choosing:
        return _choose_engine(text, sample)


@functools.lru_cache(maxsize=4)
def _choose_engine(text: str, sample: bytes) -> Engine:
    return choose_engine(load_tokenizer(text), pa.array([sample], pa.large_binary()))


def read_sample(workspace: Workspace, parts: Sequence[str]) -> bytes:
    """The first text of a run, to compare engines on."""
    for name in parts:
        for batch in iterate_row_groups(
            workspace.committed(tables.DOCUMENTS, name), ["content", "encoding", "language"]
        ):
            columns = batch["content"], batch["encoding"], batch["language"]
            texts = document_texts(*columns).to_pylist()
            joined = b"\n".join(texts)[:SAMPLE_BYTES]
            if joined:
                return joined.decode(errors="ignore").encode()
    return b""

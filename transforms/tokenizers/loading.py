"""Tokenizers and their engines, made once a process from the text of ``tokenizer.json``."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Sample:
    """Where a worker finds text of the run to compare engines on, and which text that is.

    A job that carried the text itself would be too large for some engines. ``part`` is empty
    where no document has any. Samples of equal text are equal, wherever the run is.
    """

    sha256: str = hashlib.sha256().hexdigest()
    part: str = field(default="", compare=False)
    workspace: Workspace | None = field(default=None, compare=False)

    @classmethod
    def find(cls, workspace: Workspace, parts: Sequence[str]) -> Sample:
        """The first text among some parts of a run's documents."""
        for part in parts:
            if text := _first_text(workspace, part):
                return cls(hashlib.sha256(text).hexdigest(), part, workspace)
        return cls()

    def read(self) -> bytes:
        """The text, UTF-8 and of bounded size."""
        return _first_text(self.workspace, self.part) if self.workspace else b""


def _first_text(workspace: Workspace, part: str) -> bytes:
    columns = ["content", "encoding", "language"]
    for batch in iterate_row_groups(workspace.committed(tables.DOCUMENTS, part), columns):
        texts = document_texts(*(batch[column] for column in columns)).to_pylist()
        if joined := b"\n".join(texts)[:SAMPLE_BYTES]:
            return joined.decode(errors="ignore").encode()
    return b""


def load_engine(text: str, sample: Sample) -> Engine:
    """The fast engine of a tokenizer if it equals the reference on a sample, else that."""
    # The cache alone would let every thread choose at once.
    with _choosing:
        return _choose_engine(text, sample)


@functools.lru_cache(maxsize=4)
def _choose_engine(text: str, sample: Sample) -> Engine:
    return choose_engine(load_tokenizer(text), pa.array([sample.read()], pa.large_binary()))

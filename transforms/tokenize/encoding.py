"""Texts as the tokens of training data: encoded, with gaps to fill, behind headers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import tables
from schemas.tokenizers import BASE_FILE, SPECIAL_TOKENS_FILE, TOKENIZER_FILE, Role
from transforms.parts import Workspace
from transforms.selected import Selected
from transforms.tokenize.fim import (
    WHOLE,
    CutLevel,
    FimOptions,
    FimTokens,
    Keys,
    arrange_tokens,
    cut_texts,
    join_pieces,
)
from transforms.tokenize.headers import (
    Header,
    HeaderTokens,
    distinct_names,
    header_tokens,
    prepend_segments,
    text_headers,
)
from transforms.tokenize.segments import Numbers, Segments
from transforms.tokenizers.engines import Engine
from transforms.tokenizers.loading import Sample, load_engine, load_tokenizer
from transforms.tokenizers.roles import SpecialToken, read_special_tokens
from transforms.tokenizers.runs import count_without_runs, run_lengths, spaces_stay_single


class Encoded(NamedTuple):
    """The tokens of documents.

    ``text_tokens`` int64[documents] are those of their texts, without headers and what
    stands for gaps. ``without_runs`` are so many tokens as the texts had without the runs of
    spaces that were added to the tokenizer.
    """

    documents: Segments
    text_tokens: Numbers
    without_runs: int


@dataclass(frozen=True)
class RunTokenizer:
    """The tokenizer of a run with its engine, and what tells the effect of its runs of spaces.

    ``base`` is the engine of the tokenizer without them, where its tokens must be counted;
    ``lengths`` uint8[vocabulary] for how many of its tokens each id stands, where that tells.
    """

    engine: Engine
    vocabulary: int
    special: Mapping[Role, SpecialToken]
    base: Engine | None = None
    lengths: npt.NDArray[np.uint8] | None = None

    def encode(self, texts: pa.LargeBinaryArray) -> Segments:
        """The tokens of texts."""
        return Segments(*self.engine.encode(texts))

    def count_without_runs(self, texts: pa.LargeBinaryArray, encoded: Segments) -> int:
        """The tokens that texts would have without the added runs of spaces."""
        if self.lengths is not None:
            return count_without_runs(encoded.ids, self.lengths)
        if self.base is not None:
            return self.base.encode(texts)[0].size
        return encoded.ids.size


def load_run_tokenizer(workspace: Workspace, digest: str, sample: Sample) -> RunTokenizer:
    """The tokenizer that a run has committed, read once a process.

    ``digest`` is that of its files, ``sample`` where text to compare engines on is.
    """
    with _reading:
        if (digest, sample) not in _read:
            _read.clear()
            _read[digest, sample] = _read_run_tokenizer(workspace, sample)
        return _read[digest, sample]


# A cache of functools would let every thread read at once.
_reading = threading.Lock()
_read: dict[tuple[str, Sample], RunTokenizer] = {}


def _read_run_tokenizer(workspace: Workspace, sample: Sample) -> RunTokenizer:
    names = (TOKENIZER_FILE, SPECIAL_TOKENS_FILE, BASE_FILE)
    text, special, of_base = (_read_if_there(workspace, name) for name in names)
    tokenizer = load_tokenizer(text)
    base, lengths = None, None
    if of_base and spaces_stay_single(load_tokenizer(of_base)):
        lengths = run_lengths(load_tokenizer(of_base), tokenizer)
    elif of_base:
        base = load_engine(of_base, sample)
    return RunTokenizer(
        engine=load_engine(text, sample),
        vocabulary=max(tokenizer.get_vocab().values()) + 1,
        special=read_special_tokens(special),
        base=base,
        lengths=lengths,
    )


def _read_if_there(workspace: Workspace, name: str) -> str:
    try:
        return workspace.committed(tables.TOKENIZER, name).read_text("utf-8")
    except FileNotFoundError:
        return ""


@dataclass(frozen=True)
class EncodingOptions:
    """What is made of a text besides tokens."""

    fim: FimOptions | None = None
    header: Header = Header.NONE


def encode_documents(
    selected: Selected, keys: Keys, tokenizer: RunTokenizer, options: EncodingOptions
) -> Encoded:
    """The tokens of selected documents; ``keys`` uint64[documents] identify their contents."""
    texts, orders = selected.texts, np.full(keys.size, WHOLE, np.uint8)
    if options.fim and options.fim.level is CutLevel.CHARACTER:
        texts, orders = cut_texts(texts, keys, options.fim)
    pieces = tokenizer.encode(texts)
    firsts = np.concatenate([[0], np.cumsum(np.where(orders == WHOLE, 1, 3))])
    contents = pieces
    if options.fim:
        tokens = _fim_tokens(tokenizer.special)
        if options.fim.level is CutLevel.CHARACTER:
            contents = join_pieces(pieces, orders, tokens)
        else:
            contents = arrange_tokens(pieces, keys, options.fim, tokens)
    return Encoded(
        documents=_add_headers(selected.rows, contents, tokenizer, options.header),
        text_tokens=np.diff(pieces.offsets[firsts]),
        without_runs=tokenizer.count_without_runs(texts, pieces),
    )


def _fim_tokens(special: Mapping[Role, SpecialToken]) -> FimTokens:
    return FimTokens(
        prefix=special[Role.FIM_PREFIX].id,
        suffix=special[Role.FIM_SUFFIX].id,
        middle=special[Role.FIM_MIDDLE].id,
    )


def _add_headers(
    rows: pa.RecordBatch, contents: Segments, tokenizer: RunTokenizer, header: Header
) -> Segments:
    if header is Header.NONE:
        return contents
    if header is Header.TEXT:
        lines = text_headers(rows["repository"], rows["path"], rows["language"])
        return prepend_segments(tokenizer.encode(lines), contents)
    names, places = distinct_names(rows["repository"])
    roles = (Role.REPOSITORY, Role.PATH, Role.CONTENT)
    return header_tokens(
        tokenizer.encode(names),
        places,
        tokenizer.encode(rows["path"].cast(pa.large_binary())),
        contents,
        HeaderTokens(*(tokenizer.special[role].id for role in roles)),
    )

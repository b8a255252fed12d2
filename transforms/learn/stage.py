"""Learn: the tokenizer that the configuration gives, or the selected documents, in; ``tokenizer``
out.

Nothing is shuffled. A tokenizer is learned by one worker from a sample of the run's text, of
which it holds at most so many bytes as the sample may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection
from tokenizers import Tokenizer

from schemas import tables
from schemas.tokenizers import (
    BASE_FILE,
    EMBEDDINGS_FILE,
    SPECIAL_TOKENS_FILE,
    TOKENIZER_FILE,
    Role,
)
from transforms.learn.sample import Sampling, sample_texts
from transforms.parts import Receipt, Workspace
from transforms.stage import ProcessUnits
from transforms.stores.store import store_at
from transforms.tokenizers.embeddings import embeddings_json, suggest_embeddings
from transforms.tokenizers.loading import load_tokenizer
from transforms.tokenizers.roles import add_roles, read_special_tokens, special_tokens_json
from transforms.tokenizers.runs import add_whitespace_runs
from transforms.tokenizers.training import train_tokenizer
from transforms.tokenizers.vocabulary import END_OF_TEXT

UNIT = "tokenizer"


@dataclass(frozen=True)
class Training:
    """How a tokenizer is learned: so many ids in all, and how text is cut before merging."""

    vocab_size: int
    pattern: str
    sampling: Sampling


@dataclass(frozen=True)
class LearnOptions:
    """Where the tokenizer comes from, and what is added to it.

    ``given`` is a folder with a ``tokenizer.json`` and its ``special_tokens.json``, empty where
    ``training`` says how to learn one. ``whitespace_runs`` is the longest run of spaces that
    is to be one token, 0 for none; ``roles`` are those for which there must be tokens.
    """

    given: str = ""
    training: Training | None = None
    whitespace_runs: int = 0
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True)
class LearnTokenizer:
    """Makes the tokenizer of a run."""

    workspace: Workspace
    parts: tuple[str, ...]
    options: LearnOptions

    def __call__(self, unit: str) -> Receipt:
        """Writes the files of the tokenizer."""
        options = self.options
        base, end_of_text = self._base()
        tokenizer = base
        if options.whitespace_runs:
            tokenizer = add_whitespace_runs(tokenizer, options.whitespace_runs)
        tokenizer, special = add_roles(tokenizer, end_of_text, options.roles)
        files = {
            TOKENIZER_FILE: tokenizer.to_str(),
            SPECIAL_TOKENS_FILE: special_tokens_json(special),
        }
        if tokenizer is not base:
            files[BASE_FILE] = base.to_str()
            # No checkpoint has a base that was learned just now.
            if options.training is None:
                files[EMBEDDINGS_FILE] = embeddings_json(suggest_embeddings(base, tokenizer))
        entries = tuple(
            self.workspace.write_file(tables.TOKENIZER, name, text.encode())
            for name, text in sorted(files.items())
        )
        counts = {"vocabulary": tokenizer.get_vocab_size()}
        return Receipt(files={tables.TOKENIZER: entries}, statistics=counts)

    def _base(self) -> tuple[Tokenizer, str]:
        """The tokenizer to which things are added, and its end-of-text token."""
        training = self.options.training
        if training is None:
            given = store_at(self.options.given)
            special = read_special_tokens(given.read(SPECIAL_TOKENS_FILE).decode())
            text = given.read(TOKENIZER_FILE).decode()
            return load_tokenizer(text), special[Role.END_OF_TEXT].token
        texts = sample_texts(self.workspace, self.parts, training.sampling)
        return train_tokenizer(
            texts, training.vocab_size, training.pattern, self.options.whitespace_runs
        ), END_OF_TEXT


@dataclass
class MakeTokenizer(beam.PTransform[Any, Any]):
    """Makes the tokenizer of a run, by itself or from the selected documents."""

    workspace: Workspace
    parts: Sequence[str]
    options: LearnOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, the name of the one finished unit out."""
        work = LearnTokenizer(self.workspace, tuple(self.parts), self.options)
        finished: PCollection[str] = begin | ProcessUnits([UNIT], work)
        return finished

"""The tokenizer of a configuration: one by name, one in a file, or one learned from the run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from pipeline.errors import UsageError
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE, Role
from transforms.crawl.lists import FilePath
from transforms.parts import Workspace
from transforms.stores.address import below
from transforms.stores.store import local_path

if TYPE_CHECKING:
    from pipeline.configuration import Configuration

GIVEN_FOLDER = "given"
"""The folder of a tokenizer that is not learned in the workspace of a stage."""

NamedTokenizer = Literal["p50k", "gpt2"]
Pattern = Literal["gpt2", "cl100k", "o200k"]
Runs = Annotated[int, Field(ge=0, le=255)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Training(_Settings):
    """How a tokenizer is learned from the selected documents of the run."""

    vocab_size: Annotated[int, Field(ge=300, le=1 << 20)] = 32_768
    """Ids in all: bytes, merges, end-of-text and runs of spaces."""
    whitespace_runs: Runs = 25
    """Runs of 2 to so many spaces are one token each; 0 for no more than are learned."""
    pattern: Pattern = "gpt2"
    """How text is cut before merging: as OpenAI's ``gpt2``, ``cl100k`` or ``o200k`` do."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the sample of documents."""
    sample_bytes: Annotated[int, Field(ge=1)] = 200_000_000
    """Text to learn from, about; all selected documents where there is less."""

    @model_validator(mode="after")
    def _has_room(self) -> Training:
        least = 257 + max(self.whitespace_runs - 1, 0)
        if self.vocab_size < least:
            raise ValueError(
                f"a `vocab_size` of {self.vocab_size} is too small: 256 bytes, the end of text and "
                f"runs of 2 to {self.whitespace_runs} spaces need {least}"
            )
        return self


class TokenizerChoice(_Settings):
    """Which tokenizer a run uses: a name, or a mapping with exactly one of these."""

    name: NamedTokenizer | None = None
    """``p50k``: GPT-2's byte-level BPE with 24 whitespace runs, ids as OpenAI's; ``gpt2``:
    the same without the runs. ``tokenizer: gpt2`` says it shorter."""
    file: FilePath | None = None
    """A ``tokenizer.json`` in the format of Hugging Face's ``tokenizers``."""
    train: Training | None = None
    """Learns a byte-level BPE from the selected documents of the run."""
    end_of_text: str | None = None
    """The token of a ``file`` that ends a document; one of the usual names if not given."""
    whitespace_runs: Runs = 0
    """Adds runs of 2 to so many spaces to the tokenizer of a ``file``; 0 for none."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _exactly_one(self) -> TokenizerChoice:
        if sum(value is not None for value in (self.name, self.file, self.train)) != 1:
            names = ", ".join(get_args(NamedTokenizer))
            raise ValueError(f"must be one of {names}, or a mapping with one of `file` and `train`")
        if self.file is None and (self.end_of_text is not None or self.whitespace_runs):
            raise ValueError("`end_of_text` and `whitespace_runs` belong to a `file`")
        if self.whitespace_runs == 1 or (self.train and self.train.whitespace_runs == 1):
            raise ValueError("`whitespace_runs` must be 0 or at least 2: one space has a token")
        return self

    @model_serializer
    def _shortest(self) -> Any:
        if self.name is not None:
            return self.name
        given = {"end_of_text": self.end_of_text, "whitespace_runs": self.whitespace_runs}
        if self.file is not None:
            return {"file": self.file, **{key: value for key, value in given.items() if value}}
        return {"train": self.train.model_dump() if self.train else None}


def state_of_tokenizer(choice: TokenizerChoice) -> Any:
    """What decides the tokenizer: of a file its content.

    Raises:
      UsageError: the file cannot be read.
    """
    state = choice.model_dump()
    if choice.file is not None:
        state["file"] = hashlib.sha256(_read(choice.file)).hexdigest()
    return state


def measuring_choice(configuration: Configuration) -> TokenizerChoice:
    """The tokenizer that rules measure text by: a learned one is not there yet."""
    choice = configuration.tokenize.tokenizer
    return TokenizerChoice(name="p50k") if choice.train else choice


def runs_to_add(choice: TokenizerChoice) -> int:
    """The longest run of spaces that is added to the tokenizer; 0 for none."""
    # It loads the compiler, which most commands need not wait for.
    from transforms.tokenizers.runs import LONGEST_RUN

    if choice.train:
        return choice.train.whitespace_runs
    return LONGEST_RUN if choice.name == "p50k" else choice.whitespace_runs


def given_address(workspace: Workspace, name: str = "") -> str:
    """Where the workers of a stage find the files of `prepare_tokenizer`, or one of them."""
    return workspace.files.address(below(GIVEN_FOLDER, name))


def prepare_tokenizer(
    choice: TokenizerChoice, *, whole: bool, roles: tuple[Role, ...] = ()
) -> dict[str, str]:
    """The files of a tokenizer that need not be learned, by name.

    With its runs of spaces where it is asked for ``whole``. Tokens for ``roles`` are tried
    out and named, and not in its file.

    Raises:
      UsageError: its file is no tokenizer, or none that gives back the text that it encodes,
        or nothing can be added to it.
    """
    from transforms.tokenizers.files import find_end_of_text, read_tokenizer
    from transforms.tokenizers.roles import add_roles, special_tokens_json
    from transforms.tokenizers.runs import add_whitespace_runs
    from transforms.tokenizers.vocabulary import END_OF_TEXT, gpt2_tokenizer

    if choice.file is None:
        tokenizer, end_of_text = gpt2_tokenizer(), END_OF_TEXT
    else:
        try:
            tokenizer = read_tokenizer(_read(choice.file).decode(), choice.end_of_text)
            end_of_text = find_end_of_text(tokenizer, choice.end_of_text)
        except ValueError as error:
            raise UsageError(f"tokenize.tokenizer.file: {choice.file}: {error}") from error
    # Of a file it must be known before any work whether it takes runs.
    runs = runs_to_add(choice) if whole or choice.file else 0
    try:
        extended = add_whitespace_runs(tokenizer, runs) if runs else tokenizer
    except ValueError as error:
        raise UsageError(f"tokenize.tokenizer.whitespace_runs: {error}") from error
    try:
        _, special = add_roles(extended, end_of_text, roles)
    except ValueError as error:
        raise UsageError(f"tokenize.tokenizer.file: {choice.file}: {error}") from error
    return {
        TOKENIZER_FILE: (extended if whole else tokenizer).to_str(),
        SPECIAL_TOKENS_FILE: special_tokens_json(special),
    }


def _read(path: str) -> bytes:
    try:
        return local_path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"tokenize.tokenizer.file: {path}: {error.strerror}") from error

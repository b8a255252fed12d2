"""The configuration of a run: one YAML file in which every key has a default.

A field's docstring is its documentation. Nothing is read or checked here but the
configuration itself.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.errors import UsageError
from schemas.attributes import SELECTED
from transforms.crawl.languages import is_known
from transforms.select.rules import Rule, RuleError, check_rule

PRESETS = ("codex",)


def read_preset(name: str) -> dict[str, str]:
    """The rules of a preset that repomill ships, in order."""
    if name not in PRESETS:
        raise UsageError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    resource = importlib.resources.files("pipeline").joinpath("presets", f"{name}.yaml")
    rules: dict[str, str] = yaml.safe_load(resource.read_text(encoding="utf-8"))
    return rules


class Settings(BaseModel):
    """What all parts of a configuration have in common: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PypiSource(Settings):
    """Projects of a Python package index."""

    projects: Annotated[tuple[str, ...], Field(min_length=1)]
    """Requirements such as ``more-itertools``, ``toolz>=0.12`` or
    ``boltons==25.0.0 --hash=sha256:HEX``, which names one exact file."""
    index: str | None = None
    """Address of the index's simple API; the one that pip is configured for if not given."""


class GitUrl(Settings):
    """A git repository at a branch, tag or commit."""

    url: str
    """Anything that git fetches by https, http, git, ssh or file."""
    ref: str | None = None
    """Branch, tag or full commit id; the server's HEAD if not given."""


class GitSource(Settings):
    """Git repositories."""

    urls: Annotated[tuple[str | GitUrl, ...], Field(min_length=1)]
    """Addresses, or mappings of ``url`` and ``ref``."""


class DirectorySource(Settings):
    """A folder on this machine."""

    path: str
    """The folder; relative to the working directory."""
    repositories: Literal["one", "each"] = "one"
    """``one``: the folder is a repository; ``each``: each folder in it is one."""
    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] | None = None
    """What the folder goes by instead of its own name: repositories are called
    ``directory/NAME``, or ``directory/NAME/FOLDER`` with ``each``."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return str(Path(path).expanduser().absolute())


class SourceEntry(Settings):
    """One entry of ``sources``: exactly one kind."""

    pypi: PypiSource | None = None
    """Projects of a Python package index."""
    git: GitSource | None = None
    """Git repositories."""
    directory: DirectorySource | None = None
    """A folder on this machine."""

    @model_validator(mode="after")
    def _exactly_one(self) -> SourceEntry:
        if len(self.model_fields_set) != 1 or self.settings is None:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"a source is a mapping with exactly one of {kinds}")
        return self

    @property
    def kind(self) -> str:
        """Which kind of source it is."""
        return next(iter(self.model_fields_set))

    @property
    def settings(self) -> Settings | None:
        """The settings of that kind."""
        value: Settings | None = getattr(self, self.kind)
        return value


class Crawl(Settings):
    """How repositories are fetched and read."""

    parts: Annotated[int, Field(ge=1, le=1 << 20)] = 32
    """Files that documents are divided among, by repository: the unit of parallel work."""
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("python",)
    """Languages whose files become documents."""
    max_file_bytes: Annotated[int, Field(ge=1, lt=1 << 31)] = 1_000_000
    """Files above this are not documents (recorded as ``file_too_large``)."""
    max_repository_bytes: Annotated[int, Field(ge=1)] = 1_000_000_000
    """A repository whose files come to more than this fails."""
    max_repository_files: Annotated[int, Field(ge=1)] = 200_000
    """A repository of more files than this fails."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 600.0
    """Time for fetching one repository, all attempts together."""
    attempts: Annotated[int, Field(ge=1)] = 4
    """Tries of a download before its repository fails."""
    downloads: Annotated[int, Field(ge=1, le=64)] = 4
    """Repositories that each worker fetches ahead."""

    @field_validator("languages")
    @classmethod
    def _known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for language in languages:
            if not is_known(language):
                raise ValueError(f"no language {language!r} is known; python is")
        return languages


class Annotate(Settings):
    """How documents are signed."""

    permutations: Annotated[int, Field(ge=16, le=1024)] = 256
    """Values of a MinHash signature."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the permutations."""


class Deduplicate(Settings):
    """What counts as a near-duplicate."""

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Jaccard similarity of 5-word shingles from which on documents are near-duplicates."""


class Select(Settings):
    """Which documents are rejected, and for what."""

    preset: Literal["codex"] | None = "codex"
    """A set of rules that repomill ships; null for none."""
    rules: dict[str, str | None] = {}
    """More rules as ``name: expression``; a name of the preset replaces that rule, and
    null removes it."""

    @model_validator(mode="after")
    def _valid(self) -> Select:
        from transforms.select.columns import rule_schema

        for rule in self.resolved():
            if rule.name == SELECTED or not rule.name.isidentifier():
                raise ValueError(f"{rule.name!r} cannot be the name of a rule")
            try:
                check_rule(rule, rule_schema())
            except RuleError as error:
                raise ValueError(str(error)) from error
        return self

    def resolved(self) -> tuple[Rule, ...]:
        """The rules in the order in which they are tried."""
        rules: dict[str, str | None] = dict(read_preset(self.preset)) if self.preset else {}
        rules |= self.rules
        return tuple(Rule(name, text) for name, text in rules.items() if text is not None)


class Tokenize(Settings):
    """How text becomes token ids."""

    tokenizer: Literal["p50k"] = "p50k"
    """``p50k``: GPT-2's byte-level BPE with 24 whitespace runs, ids as OpenAI's."""


class Shard(Settings):
    """How tokens become training sequences."""

    context_length: Annotated[int, Field(ge=2, le=1 << 20)] = 2048
    """Tokens of a sequence."""
    sequences_per_shard: Annotated[int, Field(ge=1)] = 16_384
    """Sequences of a shard file; 2048 tokens of two bytes make 64 MiB."""
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of repositories whose documents go to the validation split, at least one."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the split and of the order of sequences."""


class Configuration(Settings):
    """Everything that decides what a run contains."""

    sources: Annotated[tuple[SourceEntry, ...], Field(min_length=1)]
    """Where repositories come from."""
    output: Annotated[str, Field(min_length=1)] = "repomill-run"
    """Folder of the run; relative to the working directory."""
    crawl: Crawl = Crawl()
    """How repositories are fetched and read."""
    annotate: Annotate = Annotate()
    """How documents are signed."""
    deduplicate: Deduplicate = Deduplicate()
    """What counts as a near-duplicate."""
    select: Select = Select()
    """Which documents are rejected, and for what."""
    tokenize: Tokenize = Tokenize()
    """How text becomes token ids."""
    shard: Shard = Shard()
    """How tokens become training sequences."""
    cache: str | None = None
    """Folder for downloads, kept between runs; the user's cache folder if not given."""

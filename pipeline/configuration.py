"""The configuration of a run: one YAML file in which every key has a default.

A field's docstring is its documentation. Nothing is read or checked here but the
configuration itself.
"""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING, Annotated, Literal, get_args
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from pipeline.contamination import Contamination
from pipeline.engine import Runner
from pipeline.errors import UsageError
from pipeline.mixture import check_values
from pipeline.optouts import check_entry
from pipeline.tokenizer import TokenizerChoice
from pipeline.tracing_settings import Collect, Trace
from schemas.duplicates import Level
from schemas.mixture import Attribute
from schemas.secrets import SecretClass
from schemas.selection import OPTED_OUT, SELECTED
from transforms.crawl.lists import FilePath, LocalPath
from transforms.crawl.registry import known_sources
from transforms.crawl.source import Source
from transforms.languages import resolve_languages
from transforms.license_expressions import canonical_expression, licenses_in
from transforms.optout import EntryError
from transforms.select.licenses import LicenseLists
from transforms.select.rules import Rule, RuleError, check_rule

Preset = Literal["codex", "bigcode", "opencoder"]
PRESETS: tuple[Preset, ...] = get_args(Preset)


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


class _SourceEntry(Settings):
    """One entry of ``sources``: exactly one kind, with its settings."""

    @model_validator(mode="after")
    def _exactly_one(self) -> _SourceEntry:
        if len(self.model_fields_set) != 1 or getattr(self, self.kind) is None:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"a source is a mapping with exactly one of {kinds}")
        return self

    @property
    def kind(self) -> str:
        """Which kind of source it is."""
        return next(iter(self.model_fields_set))

    @property
    def source(self) -> Source:
        """The source of that kind."""
        value: Source = getattr(self, self.kind)
        return value


if TYPE_CHECKING:
    SourceEntry = _SourceEntry
else:
    SourceEntry = create_model(
        "SourceEntry",
        __base__=_SourceEntry,
        **{kind: (source | None, None) for kind, source in known_sources().items()},
    )


class OptOut(Settings):
    """Which repositories are left out because their owners asked for it."""

    repositories: tuple[str, ...] = ()
    """Repositories and owners: ``owner/name`` or ``owner`` on any host, ``HOST/owner/name``,
    ``HOST/owner``, ``pypi/NAME``, ``PLACE/*`` or a URL, in any case."""
    lists: tuple[FilePath, ...] = ()
    """Files of one such entry a line."""

    @field_validator("repositories")
    @classmethod
    def _entries(cls, repositories: tuple[str, ...]) -> tuple[str, ...]:
        for entry in repositories:
            try:
                check_entry(entry)
            except EntryError as error:
                raise ValueError(f"{entry!r:.80}: {error}") from error
        return repositories


class Crawl(Settings):
    """How repositories are fetched and read."""

    parts: Annotated[int, Field(ge=1, le=1 << 20)] = 32
    """Files that documents are divided among, by repository: the unit of parallel work."""
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("python",)
    """Languages whose files become documents; ``all`` for all that are known."""
    max_file_bytes: Annotated[int, Field(ge=1, lt=1 << 31)] = 1_000_000
    """Files above this are not documents (recorded as ``file_too_large``)."""
    max_repository_bytes: Annotated[int, Field(ge=1)] = 1_000_000_000
    """A repository whose files come to more than this fails."""
    max_repository_files: Annotated[int, Field(ge=1)] = 200_000
    """A repository of more files than this fails."""
    max_ratio: Annotated[int, Field(ge=2)] = 200
    """An archive that expands to more than this many times its size fails; source code does
    so 3 to 50 times."""
    max_depth: Annotated[int, Field(ge=1)] = 64
    """Files in more folders than this are not documents (recorded as ``path_too_deep``)."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 600.0
    """Time for fetching one repository, all attempts together."""
    attempts: Annotated[int, Field(ge=1)] = 4
    """Tries of a download before its repository fails."""
    first_wait_seconds: Annotated[float, Field(gt=0)] = 0.5
    """Wait before the second try; twice as long before each further one, less a random part."""
    max_wait_seconds: Annotated[float, Field(gt=0)] = 30.0
    """The longest of these waits; a server may ask for more."""
    requests_per_second: Annotated[float, Field(gt=0)] = 20.0
    """Requests to one host from each worker process."""
    max_cache_bytes: Annotated[int, Field(ge=0)] = 20_000_000_000
    """What all downloads that are kept may come to; least recently used go first."""
    downloads: Annotated[int, Field(ge=1, le=64)] = 8
    """Repositories that each worker fetches ahead."""

    @field_validator("languages")
    @classmethod
    def _known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return resolve_languages(languages)


class Annotate(Settings):
    """How documents are signed."""

    permutations: Annotated[int, Field(ge=16, le=1024)] = 256
    """Values of a MinHash signature."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the permutations."""


class Deduplicate(Settings):
    """What counts as a duplicate."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = (Level.EXACT, Level.NEAR)
    """What makes documents duplicates: ``exact``, ``normalized`` (but for comments and blank
    space), ``near``; ``repository`` says how much of a repository is in another one."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Jaccard similarity of 5-word shingles from which on documents are near-duplicates."""
    memory_bytes: Annotated[int, Field(ge=1 << 26)] = 1 << 30
    """What the stage holds of the corpus in memory at a time; results do not depend on it."""

    @field_validator("levels")
    @classmethod
    def _comparing(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if set(levels) == {Level.REPOSITORY}:
            raise ValueError("`repository` counts duplicates of other levels: name one of them too")
        return tuple(level for level in Level if level in levels)


class Licenses(Settings):
    """Lists of licenses that rules can ask about, as ``license_allowed``."""

    allow: tuple[str, ...] = ()
    """SPDX identifiers of the licenses that are wanted; all that are not denied if not given."""
    deny: tuple[str, ...] = ()
    """SPDX identifiers of licenses that are not wanted, whatever else is allowed."""

    @field_validator("allow", "deny")
    @classmethod
    def _identifiers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        found = {name: canonical_expression(name) for name in names}
        for name, expression in found.items():
            if expression is None or len(licenses_in(expression)) != 1:
                raise ValueError(f"{name!r:.80} is not the SPDX identifier of a license")
        return tuple(expression for expression in found.values() if expression)

    def lists(self) -> LicenseLists:
        """The lists in the form in which documents are held against them."""
        return LicenseLists(frozenset(self.allow), frozenset(self.deny))


class Select(Settings):
    """Which documents are rejected, and for what."""

    preset: Preset | None = "codex"
    """A set of rules that repomill ships; null for none."""
    rules: dict[str, str | None] = {}
    """More rules as ``name: expression``; a name of the preset replaces that rule, and
    null removes it."""
    licenses: Licenses = Licenses()
    """Lists of licenses that rules can ask about, as ``license_allowed``."""

    @model_validator(mode="after")
    def _valid(self) -> Select:
        from transforms.select.columns import rule_schema

        for rule in self.resolved():
            if rule.name in (SELECTED, OPTED_OUT) or not rule.name.isidentifier():
                raise ValueError(f"{rule.name!r} cannot be the name of a rule")
            try:
                check_rule(rule, rule_schema())
            except RuleError as error:
                raise ValueError(str(error)) from error
        asked = any("license_allowed" in rule.expression for rule in self.resolved())
        if self.licenses != Licenses() and not asked:
            raise ValueError(
                "`licenses` are given and no rule asks about them: add one, such as "
                "`license_not_allowed: not license_allowed`"
            )
        return self

    def resolved(self) -> tuple[Rule, ...]:
        """The rules in the order in which they are tried."""
        rules: dict[str, str | None] = dict(read_preset(self.preset)) if self.preset else {}
        rules |= self.rules
        return tuple(Rule(name, text) for name, text in rules.items() if text is not None)


class FillInTheMiddle(Settings):
    """Documents arranged so that a model learns to fill gaps (arXiv 2207.14255)."""

    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of documents that are arranged so; the paper finds .5 to .9 harmless."""
    spm_rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of these whose suffix comes first (SPM); the others begin with the prefix (PSM)."""
    level: Literal["character", "token"] = "character"
    """Where documents are cut: between any two characters, as in the paper, or between tokens."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the choice of documents and cuts."""


class Tokenize(Settings):
    """How text becomes token ids."""

    tokenizer: TokenizerChoice = TokenizerChoice(name="p50k")
    """``p50k`` if not given; or ``gpt2``, one in a file, or one that is learned from the run."""
    redact: tuple[SecretClass, ...] = tuple(SecretClass)
    """Classes of secrets that are replaced in the text: ``key``, ``email``, ``ip_address``;
    ``[]`` for none. Documents stay as they are."""
    fill_in_the_middle: FillInTheMiddle = FillInTheMiddle()
    """Documents arranged so that a model learns to fill gaps."""
    order: Literal["path", "imports"] = "path"
    """The files of a repository by ``path``, or those that a file ``imports`` before it."""
    header: Literal["none", "text", "special"] = "none"
    """What stands before a document: ``none``; its repository and path as a comment
    (``text``), or as text between special tokens (``special``)."""


class Mixture(Settings):
    """How often documents of the training split are seen."""

    weights: dict[Attribute, dict[str, Annotated[float, Field(ge=0, le=1000)]]] = {}
    """How often an epoch has documents, as ``language: {python: 2}``; also by ``license``
    (SPDX expression, or class), ``source`` and ``repository``. 1 for all that are not named;
    of 0.1 a tenth; what more than one attribute names has their product, and where both a
    license and its class are named, the license counts."""
    shares: dict[Attribute, dict[str, Annotated[float, Field(ge=0, le=1_000_000)]]] = {}
    """Shares of an epoch's tokens, as ``language: {python: 7, c: 3}``, by one attribute; all
    that is not named is left out."""
    max_repository_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """No repository has more than this share of an epoch's tokens; what is too much is left out."""

    @model_validator(mode="after")
    def _known(self) -> Mixture:
        if len(self.shares) > 1:
            raise ValueError(f"shares are by one attribute, not by {', '.join(self.shares)}")
        for part in (self.weights, self.shares):
            for attribute, values in part.items():
                check_values(attribute, values)
        if any(sum(shares.values()) == 0 for shares in self.shares.values()):
            raise ValueError("shares must not all be 0")
        return self


class Shard(Settings):
    """How tokens become training sequences."""

    context_length: Annotated[int, Field(ge=2, le=1 << 20)] = 2048
    """Tokens of a sequence."""
    packing: Literal["concatenate", "best_fit"] = "concatenate"
    """``concatenate``: documents one after another, cut at the end of a sequence. ``best_fit``:
    documents that fit into a sequence are never cut (arXiv 2404.10830), the rest is padded."""
    epochs: Annotated[int, Field(ge=1, le=100)] = 1
    """So many passes over the training documents are in the shards, each in an order of its own."""
    mixture: Mixture = Mixture()
    """How often documents of the training split are seen."""
    sequences_per_shard: Annotated[int, Field(ge=1)] = 16_384
    """Sequences of a shard file; 2048 tokens of two bytes make 64 MiB."""
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of repositories whose documents go to the validation split, at least one."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    """Seed of the split, of the mixture and of the order of sequences."""
    formats: tuple[Literal["megatron", "mds"], ...] = ()
    """Formats in which the shards are written, too: ``megatron`` (``.bin`` and ``.idx``, which
    nanoGPT reads as well) and ``mds`` (MosaicML Streaming)."""

    @field_validator("formats")
    @classmethod
    def _in_one_order(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(formats)))


class Configuration(Settings):
    """Everything that decides what a run contains."""

    sources: Annotated[tuple[SourceEntry, ...], Field(min_length=1)]
    """Where repositories come from."""
    output: Annotated[str, Field(min_length=1)] = "repomill-run"
    """Folder of the run, relative to the working directory, or ``s3://BUCKET/NAME`` or
    ``gs://BUCKET/NAME``."""
    endpoint: str | None = None
    """Address of the server that has ``s3://``, such as ``https://minio.example.org:9000``;
    Amazon's, or that of AWS_ENDPOINT_URL, if not given. Credentials come from the environment."""
    opt_out: OptOut = OptOut()
    """Which repositories are left out because their owners asked for it."""
    crawl: Crawl = Crawl()
    """How repositories are fetched and read."""
    annotate: Annotate = Annotate()
    """How documents are signed."""
    contamination: Contamination = Contamination()
    """Which benchmarks documents are compared with, and how."""
    deduplicate: Deduplicate = Deduplicate()
    """What counts as a duplicate."""
    select: Select = Select()
    """Which documents are rejected, and for what."""
    tokenize: Tokenize = Tokenize()
    """How text becomes token ids."""
    shard: Shard = Shard()
    """How tokens become training sequences."""
    trace: Trace | None = None
    """Whose tests are run and traced; none without this section, which may be ``{}``."""
    collect: Collect = Collect()
    """Which traced functions become problems."""
    runner: Runner = Runner()
    """Which engine does the work."""
    cache: LocalPath | None = None
    """Folder for downloads, kept between runs; the user's cache folder if not given."""

    @field_validator("endpoint")
    @classmethod
    def _without_credentials(cls, endpoint: str | None) -> str | None:
        if endpoint is None:
            return None
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://HOST or https://HOST, with :PORT if it needs one")
        if parts.username is not None or parts.query:
            raise ValueError(
                "must hold no credentials, which are those of AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        return endpoint

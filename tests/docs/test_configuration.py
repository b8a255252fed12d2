"""docs/configuration.md says what the code says: each key, its default and its docstring."""

from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.configuration import (
    Annotate,
    Configuration,
    Crawl,
    Deduplicate,
    FillInTheMiddle,
    Licenses,
    Mixture,
    OptOut,
    Select,
    Shard,
    Tokenize,
)
from pipeline.contamination import Contamination
from pipeline.engine import Runner
from pipeline.tokenizer import TokenizerChoice, Training
from pipeline.tracing_settings import Collect, PassRateBounds, Trace
from runners.settings import DataflowSettings, WorkerSettings
from transforms.crawl.datasets.columns import Columns
from transforms.crawl.sources.archive import ArchiveSource
from transforms.crawl.sources.directory import DirectorySource
from transforms.crawl.sources.git import GitSource, GitUrl
from transforms.crawl.sources.github import GithubSource
from transforms.crawl.sources.pypi import PypiSource
from transforms.crawl.sources.rows import JsonLinesSource, ParquetSource

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
SECTIONS = {
    "The file": Configuration,
    "sources: pypi": PypiSource,
    "sources: git": GitSource,
    "sources: git, a URL with a ref": GitUrl,
    "sources: github": GithubSource,
    "sources: archive": ArchiveSource,
    "sources: directory": DirectorySource,
    "sources: parquet": ParquetSource,
    "sources: jsonl": JsonLinesSource,
    "sources: parquet and jsonl, columns": Columns,
    "opt_out": OptOut,
    "crawl": Crawl,
    "annotate": Annotate,
    "contamination": Contamination,
    "deduplicate": Deduplicate,
    "select": Select,
    "select: licenses": Licenses,
    "tokenize": Tokenize,
    "tokenize: tokenizer": TokenizerChoice,
    "tokenize: tokenizer, train": Training,
    "tokenize: fill_in_the_middle": FillInTheMiddle,
    "shard": Shard,
    "shard: mixture": Mixture,
    "trace": Trace,
    "collect": Collect,
    "collect: pass_rates": PassRateBounds,
    "runner": Runner,
    "runner: worker": WorkerSettings,
    "runner: dataflow": DataflowSettings,
}


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if isinstance(field.default, BaseModel):
        return "see below"
    value = field.default
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return "none" if value in (None, "", {}) else f"`{value}`"


def reference() -> str:
    lines = []
    for title, model in SECTIONS.items():
        lines += [f"## {title}", "", "| key | default | |", "|---|---|---|"]
        for name, field in model.model_fields.items():
            text = " ".join((field.description or "").replace("``", "`").split())
            lines.append(f"| `{name}` | {default_of(field)} | {text} |")
        lines.append("")
    return "\n".join(lines)


def test_every_field_has_a_docstring():
    for model in SECTIONS.values():
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


def test_the_reference_is_that_of_the_code():
    text = PAGE.read_text()
    expected = reference()
    assert expected in text, f"replace the sections of {PAGE.name} by:\n{expected}"

"""Tiny committed runs for tests, and the slow obvious versions that kernels are held against."""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from runners.direct import pipeline_options
from runners.settings import EngineSettings
from schemas import documents, repositories, tables
from schemas.documents import part_of_repository
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE, Role
from transforms.parts import PartWriter, Workspace, read_part
from transforms.stores.files import write_whole
from transforms.tokenizers.roles import SpecialToken, special_tokens_json

thorough = settings(max_examples=100)
brief = settings(max_examples=50)

MASK = 2**64 - 1

_RUNS = ("\n", " ", "  ", " " * 24, " " * 26, " " * 51, "\t", "\r\n", "_" * 40, "!?" * 20)
_CODE = ("def f(x):\n", "return", "self.x", "'s", "'LL", "0123", "==", "#", "<|endoftext|>")
_LETTERS = ("caf\u00e9", "\u4f60\u597d", "\U0001f600", "e\u0301", "\u0660", "\u00bd", "\u16ee")
_SPACES = ("\u00a0", "\u2003", "\u0085", "\x1c", "\u200b", "\ufeff", "\u3000", "\u180e", "\u2028")
_PIECES = st.sampled_from(("\x00", *_RUNS, *_CODE, *_LETTERS, *_SPACES))

TOKENIZED_TEXT = st.text(max_size=40) | st.lists(_PIECES, max_size=15).map("".join)
"""Texts of what tokenizers differ on: runs of white space, pieces of code, Unicode."""


@dataclass(frozen=True)
class Repository:
    """A repository of a test.

    ``encodings`` and ``languages`` name those of files that are not UTF-8 and not Python;
    ``file_license`` is that of all its documents.
    """

    name: str
    files: Mapping[str, bytes]
    revision: str = "1"
    stars: int | None = None
    released: datetime.datetime | None = None
    encodings: Mapping[str, str] | None = None
    license_class: str = "none"
    license: str | None = None
    languages: Mapping[str, str] | None = None
    file_license: str | None = None
    source: str = "directory"


def write_run(run: Path, crawled: Iterable[Repository], parts: int = 2) -> Workspace:
    """Commits documents and repositories, divided as the crawl divides them."""
    divided: list[list[Repository]] = [[] for _ in range(parts)]
    for repository in sorted(crawled, key=lambda each: (each.name, each.revision)):
        divided[part_of_repository(repository.name, parts)].append(repository)
    for number, members in enumerate(divided):
        rows = [row for repository in members for row in _document_rows(repository)]
        _write(run, tables.DOCUMENTS, number, documents.SCHEMA, rows)
        rows = [_repository_row(repository) for repository in members]
        _write(run, tables.REPOSITORIES, number, repositories.SCHEMA, rows)
    return Workspace(run=str(run), staging=str(run / "staging"))


def _document_rows(repository: Repository) -> list[dict[str, object]]:
    return [
        {
            "repository": repository.name,
            "revision": repository.revision,
            "path": path,
            "content": content,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "encoding": (repository.encodings or {}).get(path, "utf-8"),
            "language": (repository.languages or {}).get(path, "python"),
            "license": repository.file_license,
            "license_class": "none",
            "license_evidence": None,
            "license_confidence": None,
        }
        for path, content in sorted(repository.files.items())
    ]


def _repository_row(repository: Repository) -> dict[str, object]:
    return dict.fromkeys(repositories.SCHEMA.names) | {
        "repository": repository.name,
        "source": repository.source,
        "revision": repository.revision,
        "status": "crawled",
        "license": repository.license,
        "license_class": repository.license_class,
        "files": len(repository.files),
        "bytes": sum(map(len, repository.files.values())),
        "stars": repository.stars,
        "released": repository.released,
    }


def _write(run: Path, table: str, number: int, schema: pa.Schema, rows: list[dict]) -> None:
    path = run / table / tables.part_name(number)
    # Small row groups, so that no test passes only because everything is in one.
    with PartWriter(path, schema, row_group_bytes=1) as writer:
        for first in range(0, len(rows), 2):
            writer.write(pa.RecordBatch.from_pylist(rows[first : first + 2], schema=schema))


ANNOTATED = (tables.QUALITY, tables.FINGERPRINT, tables.CONTAMINATION, tables.SECRETS)
"""The tables that annotate writes."""


def part_names(workspace: Workspace, table: str = tables.DOCUMENTS) -> list[str]:
    """The files of a committed table, in order."""
    return sorted(path.name for path in Path(workspace.run, table).glob("part-*"))


def run_stage(transform: beam.PTransform, workers: int = 2) -> None:
    """Runs a stage as the local runner would."""
    options = pipeline_options(EngineSettings(workers=workers))
    with beam.Pipeline(options=options) as pipeline:
        pipeline | transform


def commit(workspace: Workspace, *names: str) -> None:
    """Moves staged tables among the committed ones and clears the staging folder."""
    for name in names:
        target = Path(workspace.run, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(workspace.staging, name).rename(target)
    shutil.rmtree(workspace.staging)


def write_table(workspace: Workspace, table: str, number: int, rows: pa.RecordBatch) -> None:
    """Commits one part of a table, whose format is that of its name."""
    suffix = "arrow" if table == tables.TOKENS else "parquet"
    path = workspace.committed(table, tables.part_name(number, suffix))
    with PartWriter(path, rows.schema, row_group_bytes=100) as writer:
        for first in range(0, len(rows), 2):
            writer.write(rows[first : first + 2])


def write_tokenizer(workspace: Workspace, tokenizer: Tokenizer, **special: str) -> None:
    """Commits a tokenizer with special tokens by role, as the stage learn does."""
    named = {
        Role(role): SpecialToken(name, tokenizer.token_to_id(name))
        for role, name in special.items()
    }
    files = {TOKENIZER_FILE: tokenizer.to_str(), SPECIAL_TOKENS_FILE: special_tokens_json(named)}
    for name, text in files.items():
        write_whole(workspace.committed(tables.TOKENIZER, name), text.encode())


def read_column(workspace: Workspace, table: str, column: str) -> dict[tuple[str, str], object]:
    """A committed or staged attribute by the document's repository and path."""
    found = {}
    for name in part_names(workspace):
        names = read_part(workspace.committed(tables.DOCUMENTS, name), ["repository", "path"])
        path = workspace.committed(table, name)
        values = read_part(path if path.exists() else workspace.staged(table, name), [column])
        assert len(values) == len(names)
        keys = zip(names["repository"].to_pylist(), names["path"].to_pylist(), strict=True)
        found |= dict(zip(keys, values[column].to_pylist(), strict=True))
    return found


def document_names(workspace: Workspace) -> dict[int, tuple[str, str]]:
    """Repository and path of each document by its id."""
    found = {}
    for part, name in enumerate(part_names(workspace)):
        table = read_part(workspace.committed(tables.DOCUMENTS, name), ["repository", "path"])
        for row, values in enumerate(table.to_pylist()):
            found[part << 32 | row] = (values["repository"], values["path"])
    return found


def large_binary(texts: Sequence[bytes]) -> pa.LargeBinaryArray:
    """Texts as kernels take them, behind bytes of other texts that they must not read."""
    return pa.array([b"before them", *texts, b"after them"], pa.large_binary())[1:-1]


def slow_mix(value: int) -> int:
    """The finalizer of MurmurHash3, on Python's integers."""
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


def slow_shingles(text: bytes) -> list[int]:
    """The shingle hashes of a text in order of appearance."""
    words = []
    for word in re.findall(rb"[A-Za-z0-9_\x80-\xff]+", text):
        value = 0
        for place in range(0, len(word), 8):
            value = slow_mix(value ^ int.from_bytes(word[place : place + 8], "little"))
        words.append(value)
    runs = [words[i : i + 5] for i in range(len(words) - 4)] if len(words) >= 5 else [words]
    shingles = []
    for run in runs if words else []:
        value = 0
        for word in run:
            value = value * 0x9E3779B97F4A7C15 + word & MASK
        shingles.append(value)
    return shingles


def slow_jaccard(left: bytes, right: bytes) -> float:
    """The exact similarity of two texts' shingles."""
    one, other = set(slow_shingles(left)), set(slow_shingles(right))
    return len(one & other) / len(one | other) if one | other else 0.0


def words(first: int, last: int) -> bytes:
    """A text of the distinct words of these numbers, four a line."""
    lines = [
        " ".join(f"word{number}" for number in range(start, min(start + 4, last)))
        for start in range(first, last, 4)
    ]
    return "\n".join([*lines, ""]).encode()

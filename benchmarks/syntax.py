"""Syntax: whether texts are Python, and what their lines say, against parsers of others."""

from __future__ import annotations

import itertools
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.corpus import REFERENCE, crawled_run, parts, text_bytes
from benchmarks.environments import interpreter
from benchmarks.harness import Report, measure, spread
from schemas.syntax import SYNTAX
from transforms.buffers import binary_buffers
from transforms.parse.lexer import lex_into, max_tokens
from transforms.parse.syntax import measure_syntax
from transforms.parts import read_part

PEER = Path("benchmarks/peers/python_parsers.py")
ENVIRONMENT = "parsers"
ORACLE = "python3.13"
ROUNDS = 3
LIBCST_TEXTS = 100
DAMAGED_FILES = 2_000
DAMAGES = 6
SEED = 20260101
SIGNS = ("", "", "(", ")", "]", "{", ":", ",", "=", "*", "'", '"', "\n", "    ", " not ", " 1 ")
HOSTILE_BYTES = 1_000_000
HOSTILE = {
    "open brackets": "(",
    "open f-strings": 'f"{',
    "operators": "1+",
    "unary operators": "not ",
    "functions of functions": "lambda:",
    "conditions": "a if b else ",
    "attributes": "a.",
    "calls": "()",
    "statements": "a;",
    "assignments": "a=",
    "arguments": "a=1,",
    "soft keywords": "match;",
    "contexts": "with (a)\n",
    "quotes": "'",
    "triple quotes": '"""',
    "escapes": '"\\N{',
    "line continuations": "\\\n",
    "digits": "1_",
    "letters beyond ASCII": "\u00e9",
    "NUL": "\0",
}


@dataclass(frozen=True)
class Verdicts:
    """Which texts a parser takes for Python, and the CPU seconds."""

    parses: np.ndarray
    seconds: float


def report() -> Report:
    """Times all parsers on the same texts and compares what they say."""
    found = Report("Python's syntax")
    crawled_run()
    texts, documents, size = _distinct_contents()
    oracle = _oracle()
    damaged = _damaged(texts)
    _say_agreement(found, texts, damaged, oracle)
    _say_speed(found, texts)
    found.say(
        f"A part measures each distinct content once: of {documents:,} documents, {size / 1e6:.0f} "
        f"MB, {len(texts):,} contents, {text_bytes(texts) / 1e6:.0f} MB, are distinct."
    )
    _say_hostile(found)
    return found


def _distinct_contents() -> tuple[pa.LargeBinaryArray, int, int]:
    """The distinct contents of the corpus, the number of its documents and their bytes."""
    contents: dict[str, bytes] = {}
    documents = size = 0
    for path in parts(REFERENCE):
        table = read_part(path, ["content", "sha256", "encoding"])
        assert set(table["encoding"].to_pylist()) <= {"utf-8"}
        documents += len(table)
        size += table["content"].nbytes
        contents |= dict(
            zip(table["sha256"].to_pylist(), table["content"].to_pylist(), strict=True)
        )
    return pa.array(contents.values(), pa.large_binary()), documents, size


def _oracle() -> str:
    """An interpreter whose grammar is ours; raises RuntimeError where there is none."""
    for python in (sys.executable, ORACLE):
        try:
            version = subprocess.check_output([python, "-V"], text=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            continue
        if version.startswith("Python 3.13."):
            return python
    raise RuntimeError(f"install {ORACLE}, whose verdicts the others are held against")


def _damaged(texts: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """Files with a sign changed, a line or the end left out."""
    rng = random.Random(SEED)
    chosen = [text for text in texts.to_pylist() if 200 < len(text) < 8_000]
    found = []
    for content in rng.sample(chosen, DAMAGED_FILES):
        text = content.decode()
        marks = [place for place, sign in enumerate(text) if sign in "()[]{}:,='\"\n"]
        for number in range(DAMAGES):
            place = rng.choice(marks)
            if number == 0:
                damaged = text[:place]
            elif number == 1:
                lines = text.split("\n")
                del lines[rng.randrange(len(lines))]
                damaged = "\n".join(lines)
            else:
                damaged = text[:place] + rng.choice(SIGNS) + text[place + (number > 3) :]
            found.append(damaged.encode())
    return pa.array(found, pa.large_binary())


def _ask(python: str | Path, parser: str, texts: pa.LargeBinaryArray) -> Verdicts:
    """What a parser says, in an interpreter of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch, "texts"), Path(scratch, "verdicts")
        values = texts.to_pylist()
        source.write_bytes(b"".join(values))
        Path(f"{source}.json").write_text(json.dumps([len(value) for value in values]))
        measure([python, PEER, parser, source, output])
        verdicts, seconds = json.loads(output.read_text())
    return Verdicts(np.array(verdicts), seconds)


def _ours(texts: pa.LargeBinaryArray) -> Verdicts:
    measure_syntax(texts[:1], ["parses"])
    started = time.process_time()
    parses = measure_syntax(texts, ["parses"])["parses"]
    return Verdicts(parses.to_numpy(zero_copy_only=False), time.process_time() - started)


def _say_agreement(
    found: Report, texts: pa.LargeBinaryArray, damaged: pa.LargeBinaryArray, oracle: str
) -> None:
    peers = interpreter(ENVIRONMENT)
    few = texts.take(pa.array(range(0, len(texts), len(texts) // LIBCST_TEXTS)))
    rows = []
    for name, ask in {
        "repomill": _ours,
        "ast.parse of Python 3.13": lambda some: _ask(oracle, "ast", some),
        f"ast.parse of {platform.python_version()}": lambda some: _ask(sys.executable, "ast", some),
        "ruff, the program": lambda some: _ask(peers, "ruff", some),
        "tree-sitter": lambda some: _ask(peers, "tree-sitter", some),
    }.items():
        rows.append((name, ask(texts), ask(damaged)))
    truth = rows[1][1].parses, rows[1][2].parses
    size = text_bytes(texts)
    found.say(
        f"{len(texts):,} distinct files of the corpus, of which CPython 3.13 parses "
        f"{truth[0].sum():,}, and {len(damaged):,} damaged ones, of which it parses "
        f"{truth[1].sum():,}. Wrong is what it says otherwise. One run each, one thread, start-up "
        "left out; ruff reads files that "
        "were written for it, the writing left out."
    )
    found.table(
        ("parser", "CPU s", "MB/s", "wrong on files", "damaged accepted", "damaged rejected"),
        [
            (
                name,
                f"{whole.seconds:.1f}",
                f"{size / whole.seconds / 1e6:.1f}",
                int((whole.parses != truth[0]).sum()),
                int((broken.parses & ~truth[1]).sum()),
                int((~broken.parses & truth[1]).sum()),
            )
            for name, whole, broken in rows
        ],
    )
    libcst = _ask(peers, "libcst", few)
    found.say(f"libcst's native parser: {text_bytes(few) / libcst.seconds / 1e6:.1f} MB/s.")


def _say_speed(found: Report, texts: pa.LargeBinaryArray) -> None:
    size = text_bytes(texts)
    data, offsets = binary_buffers(texts)
    tokens = np.empty((max_tokens(int(np.diff(offsets).max())), 4), np.int32)
    lines = [name for name in SYNTAX.names if name != "parses"]
    calls: Mapping[str, Callable[[], object]] = {
        "the lexer alone": lambda: [
            lex_into(data, begin, end, tokens) for begin, end in itertools.pairwise(offsets)
        ],
        "`parses`": lambda: measure_syntax(texts, ["parses"]),
        "all columns but `parses`": lambda: measure_syntax(texts, lines),
        "all columns": lambda: measure_syntax(texts, SYNTAX.names),
    }
    rows = []
    for name, call in calls.items():
        call()
        seconds = [_timed(call) for _ in range(ROUNDS)]
        rows.append(
            (name, spread(seconds), f"{size / statistics.median(seconds) / 1e6:.0f}"),
        )
    found.say(f"What is asked for decides the cost. {ROUNDS} rounds, one thread:")
    found.table(("what", "CPU s", "MB/s"), rows)


def _timed(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _say_hostile(found: Report) -> None:
    rows: list[tuple[float, str, str]] = []
    for name, piece in HOSTILE.items():
        text = (piece * (HOSTILE_BYTES // len(piece.encode()))).encode()
        batch = pa.array([text], pa.large_binary())
        seconds = min(_timed(lambda batch=batch: measure_syntax(batch, SYNTAX.names)) for _ in "ab")
        rows.append((len(text) / seconds / 1e6, name, repr(piece)))
    slowest: Sequence[tuple[float, str, str]] = sorted(rows)
    found.say(
        f"Texts of {HOSTILE_BYTES / 1e6:.0f} MB that are one thing again and again, all columns; "
        f"the slowest of {len(rows)}:"
    )
    found.table(
        ("text", "piece", "MB/s"),
        [(name, piece, f"{rate:.0f}") for rate, name, piece in slowest[:6]],
    )

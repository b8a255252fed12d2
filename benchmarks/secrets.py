"""Secrets: precision and recall on planted and innocent strings, and speed, by a peer too."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.corpus import crawled_run, sample_texts, text_bytes
from benchmarks.environments import interpreter
from benchmarks.harness import Report, interleave, measure, spread
from benchmarks.innocents import innocents
from benchmarks.planted import PER_KIND, Case, planted
from schemas.secrets import SecretClass, secret_class
from transforms.annotate.secrets.finding import find_secrets
from transforms.redaction import redact_texts

SAMPLE_BYTES = 64_000_000
PEER_BYTES = 3_000_000
ROUNDS = 5
PEER = Path("benchmarks/peers/detect_secrets_files.py")
JUDGED = (
    "Judged by eye on 2026-11-24, all 471 MB of the reference corpus: 1,321 addresses of mail, 100 "
    "drawn: all are addresses, about 80 of people and lists, 20 made up for tests; 22 addresses of "
    "hosts, all read: 21 are public addresses in documentation and tests, 1 a special range in a "
    "table of them; 4 keys, all read: 2 are a token that its owners published on purpose, 1 a "
    "session's token in a test, 1 a documented stand-in for a password. The corpus is of published "
    "packages, which were scanned before: it says little of keys elsewhere."
)
HOSTILE = (b"a@b.co ", b"1.1.1.1 ", b"AKIA ", b"eyJ.", b"key=", b"://a:b@c ", b"81.2.30.44 ")
HOSTILE_BYTES = 1_000_000


def report() -> Report:
    """Scores both finders on the labelled set, and times them on the reference corpus."""
    found = Report("Secrets and personal data")
    cases = [*planted(), *innocents()]
    ours = _ours(cases)
    theirs, _ = _theirs([(case.name, case.text) for case in cases])
    _say_kinds(found, cases, ours, theirs)
    _say_innocents(found, cases, ours, theirs)
    found.say(JUDGED)
    _say_speed(found)
    _say_hostile(found)
    return found


def _ours(cases: Sequence[Case]) -> list[list[tuple[int, int, str]]]:
    batch = find_secrets(pa.array([case.text for case in cases], pa.large_binary()))
    return [
        [(span["start"], span["end"], span["kind"]) for span in spans]
        for spans in batch["spans"].to_pylist()
    ]


def _theirs(files: Sequence[tuple[str, bytes]]) -> tuple[Mapping[str, list[list[str]]], float]:
    """What the peer finds in files by name, and its CPU seconds without its start-up."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, output = Path(scratch, "files"), Path(scratch, "found")
        folder.mkdir()
        for name, text in files:
            (folder / name).write_bytes(text)
        measure([interpreter("detect-secrets"), PEER, folder, output])
        *lines, seconds = map(json.loads, output.read_text().splitlines())
    return dict(lines), seconds


def _covers(case: Case, value: str) -> bool:
    """Whether a value of the peer, which says no place, is of the planted secret."""
    secret = case.text[case.start : case.end].decode()
    return bool(value) and (value in secret or secret in value)


def _say_kinds(
    found: Report,
    cases: Sequence[Case],
    ours: Sequence[list[tuple[int, int, str]]],
    theirs: Mapping[str, list[list[str]]],
) -> None:
    whole, named, other, peer = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for case, spans in zip(cases, ours, strict=True):
        if case.start == case.end:
            continue
        exact = [kind for start, end, kind in spans if (start, end) == (case.start, case.end)]
        whole[case.kind] += any(secret_class(k) == secret_class(case.kind) for k in exact)
        named[case.kind] += case.kind in exact
        other[case.kind] += any(end <= case.start or start >= case.end for start, end, _ in spans)
        peer[case.kind] += any(_covers(case, value) for _, value, _ in theirs[case.name])
    found.say(
        f"{PER_KIND} planted secrets of each kind in lines of a dozen languages. Recall: the span "
        "is exactly the secret, and its class is right. For the peer, which says no place, any "
        "value that holds or is part of the secret counts; it does not look for mail, and its own "
        "filters drop all values without letters, such as addresses of hosts."
    )
    found.table(
        ("kind", "recall", "kind right", "files with another span", "recall of detect-secrets"),
        [
            (kind, *(f"{c[kind] / PER_KIND:.3f}" for c in (whole, named)), other[kind],
             f"{peer[kind] / PER_KIND:.3f}")
            for kind in whole
        ],
    )  # fmt: skip


def _say_innocents(
    found: Report,
    cases: Sequence[Case],
    ours: Sequence[list[tuple[int, int, str]]],
    theirs: Mapping[str, list[list[str]]],
) -> None:
    wrong, peer, total = Counter[str](), Counter[str](), Counter[str]()
    for case, spans in zip(cases, ours, strict=True):
        if case.start == case.end:
            total[case.kind] += 1
            wrong[case.kind] += bool(spans)
            peer[case.kind] += bool(theirs[case.name])
    planted_count = len(cases) - total.total()
    found.say(
        f"{total.total():,} innocent files of {len(total)} families: a span is found in "
        f"{wrong.total()} of them, by detect-secrets in {peer.total()}. With the "
        f"{planted_count:,} planted ones that is a precision of "
        f"{planted_count / (planted_count + wrong.total()):.4f} at most. Families with any:"
    )
    found.table(
        ("family", "files", "repomill", "detect-secrets"),
        [
            (name, count, wrong[name], peer[name])
            for name, count in total.items()
            if wrong[name] or peer[name]
        ],
    )


def _say_speed(found: Report) -> None:
    run = crawled_run()
    texts = sample_texts(run, SAMPLE_BYTES)
    size = text_bytes(texts)
    spans = find_secrets(texts)["spans"]
    seconds = interleave(
        {
            "find": lambda: find_secrets(texts),
            "redact": lambda: redact_texts(texts, spans, tuple(SecretClass)),
        },
        ROUNDS,
    )
    small = sample_texts(run, PEER_BYTES)
    files = [(f"{number:06}.py", text) for number, text in enumerate(small.to_pylist())]
    _, peer = _theirs(files)
    rates = {name: size / statistics.median(values) / 1e6 for name, values in seconds.items()}
    theirs = text_bytes(small) / peer / 1e6
    found.say(
        f"{size / 1e6:.0f} MB of the reference corpus, one thread, CPU seconds of {ROUNDS} rounds; "
        f"detect-secrets on {text_bytes(small) / 1e6:.0f} MB, once."
    )
    found.table(
        ("what", "CPU s", "MB/s"),
        [
            *((name, spread(seconds[name], 3), f"{rate:.0f}") for name, rate in rates.items()),
            ("detect-secrets", f"{peer:.2f}", f"{theirs:.2f}"),
        ],
    )
    found.say(f"Times detect-secrets: {rates['find'] / theirs:,.0f}.")


def _say_hostile(found: Report) -> None:
    rows = []
    for unit in HOSTILE:
        text = pa.array([(unit * HOSTILE_BYTES)[:HOSTILE_BYTES]], pa.large_binary())
        seconds = interleave({"find": lambda text=text: find_secrets(text)}, 1)["find"][0]
        rows.append((unit.decode(), f"{seconds:.3f}"))
    found.say("A file of 1 MB that is nothing but one string:")
    found.table(("string", "CPU s"), rows)

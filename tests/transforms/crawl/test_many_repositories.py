"""Two thousand small repositories from servers on this machine, every twentieth of them bad.

Everything good is in, everything bad is named, the counts add up, memory does not grow with
the number of repositories, and what was committed before a SIGKILL is not fetched again.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from pipeline.folder import RunFolder
from schemas import tables
from transforms.parts import Workspace, read_part

REPOSITORIES = 2_000
BAD_EVERY = 20
FILES = 6
PARTS = 40
# What the whole process may hold: 285 MB before the first repository, and 315 MB at the end of
# one thousand as of two.
MAX_MEMORY_BYTES = 450 << 20
GIT_ENVIRONMENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def import_commit(repository: Path, entries: dict[str, bytes], mode: str = "100644") -> None:
    """A bare repository of one commit, made by one process."""
    (repository / "objects").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    (repository / "config").write_text(
        "[core]\n\tbare = true\n[uploadpack]\n\tallowFilter = true\n"
    )
    stream = b"commit refs/heads/main\ncommitter t <t@example.org> 1700000000 +0000\ndata 1\nm\n"
    for path, content in entries.items():
        stream += f"M {mode} inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
    command = ["git", "--git-dir", str(repository), "fast-import", "--quiet"]
    subprocess.run(command, input=stream, env=os.environ | GIT_ENVIRONMENT, check=True)


def module(number: int, file: int) -> bytes:
    return f"def function_{number}_{file}(x):\n    return x * {number} + {file}\n".encode() * 20


def good(root: Path, name: str, number: int) -> None:
    entries = {f"package/module_{file}.py": module(number, file) for file in range(FILES)}
    import_commit(root / name, entries)


def missing(root: Path, name: str, number: int) -> None:
    """Nothing is there."""


def empty(root: Path, name: str, number: int) -> None:
    import_commit(root / name, {"a.py": b""})
    (root / name / "refs" / "heads" / "main").unlink()


def astray(root: Path, name: str, number: int) -> None:
    good(root, name, number)
    (root / name / "HEAD").write_text("ref: refs/heads/gone\n")


def flipped(root: Path, name: str, number: int) -> None:
    good(root, name, number)
    for pack in damaged_files(root / name):
        content = bytearray(pack.read_bytes())
        for place in range(40, len(content), 7):
            content[place] ^= 0x55
        pack.chmod(0o644)
        pack.write_bytes(content)


def truncated(root: Path, name: str, number: int) -> None:
    good(root, name, number)
    for pack in damaged_files(root / name):
        pack.chmod(0o644)
        os.truncate(pack, pack.stat().st_size // 3)


def damaged_files(repository: Path) -> list[Path]:
    packs = list(repository.glob("objects/pack/*.pack"))
    return packs or [path for path in repository.glob("objects/??/*") if path.is_file()]


def unfit(root: Path, name: str, number: int) -> None:
    """A repository whose files are bad, each in its way, and one that is good."""
    import_commit(
        root / name,
        {
            "good.py": module(number, 0),
            "zero.py": b"x = 1\0\n",
            "latin.py": b"name = '\xe9'\n",
            "large.py": b"#" * 70_000,
            "pointer.py": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
            + b"0" * 64
            + b"\nsize 5\n",
            "con.py": b"x = 1\n",
        },
    )


def linked(root: Path, name: str, number: int) -> None:
    import_commit(root / name, {"secrets.py": b"../../../../etc/passwd"}, mode="120000")


BAD: list[tuple[Callable[[Path, str, int], None], str]] = [
    (missing, "not_found"),
    (empty, "no_commit"),
    (astray, "no_commit"),
    # The server dies in the middle of its answer, which is all that can be seen of it here.
    (flipped, "unreachable"),
    (truncated, "unreachable"),
    (unfit, ""),
    (linked, ""),
]


@dataclass
class Servers:
    """A git daemon whose requests are counted, and a server that accepts and never answers."""

    root: Path
    log: Path
    url: str = ""
    silent_url: str = ""

    def fetches(self) -> collections.Counter[str]:
        """How often each repository was asked for."""
        text = self.log.read_text(errors="replace")
        return collections.Counter(re.findall(r"Request upload-pack for '/([^']+)'", text))


@contextlib.contextmanager
def daemon(servers: Servers) -> Iterator[None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--verbose", "--reuseaddr", "--listen=127.0.0.1"]
    command += [f"--port={port}", f"--base-path={servers.root}", "--export-all"]
    command += ["--max-connections=64", str(servers.root)]
    with servers.log.open("w") as log:
        process = subprocess.Popen(command, start_new_session=True, stderr=log)
        try:
            servers.url = f"git://127.0.0.1:{port}"
            for _ in range(500):
                with (
                    contextlib.suppress(ConnectionError),
                    socket.create_connection(("127.0.0.1", port)),
                ):
                    break
                time.sleep(0.01)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


@contextlib.contextmanager
def silent(servers: Servers) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        servers.silent_url = f"git://127.0.0.1:{server.getsockname()[1]}"
        yield


@dataclass
class Corpus:
    """What the servers have: URLs, and for each repository's name what must become of it."""

    urls: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)


def build(servers: Servers, count: int) -> Corpus:
    corpus = Corpus()
    for number in range(count):
        name = f"r{number:04d}"
        if number % BAD_EVERY:
            good(servers.root, name, number)
            corpus.good.add(name)
        else:
            make, reason = BAD[number // BAD_EVERY % len(BAD)]
            make(servers.root, name, number)
            corpus.reasons[name] = reason
        corpus.urls.append(f"{servers.url}/{name}")
    odd = {f"{servers.silent_url}/hangs-{n}": "timed_out" for n in range(2)}
    odd |= {"ext::sh -c touch% /tmp/owned": "request_refused", "--upload-pack=x": "request_refused"}
    corpus.urls += odd
    corpus.reasons |= odd
    return corpus


def command_for(configuration: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", "run", str(configuration), "--workers", "2", *more]


def crawl_and_kill(command: list[str], run: Path, receipts: int) -> None:
    """Starts a run and kills it when so many parts are finished."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    staging = Workspace(str(run), str(run / ".staging" / "crawl"))
    deadline = time.monotonic() + 240
    while len(staging.receipts()) < receipts and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


def rows_of(run: RunFolder, table: str) -> list[dict]:
    manifest = run.manifest(table)
    assert manifest is not None
    paths = [run.path / table / entry.name for entry in manifest.files]
    return [row for path in paths for row in read_part(path).to_pylist()]


@pytest.mark.timeout(600)
def test_two_thousand_repositories_of_which_some_are_bad(tmp_path):
    servers = Servers(tmp_path / "served", tmp_path / "daemon.log")
    servers.root.mkdir()
    with daemon(servers), silent(servers):
        corpus = build(servers, REPOSITORIES)
        lists = tmp_path / "urls.txt"
        lists.write_text("".join(f"{url}\n" for url in corpus.urls))
        configuration = tmp_path / "config.yaml"
        body = {
            "sources": [{"git": {"lists": [str(lists)]}}],
            "output": str(tmp_path / "run"),
            "crawl": {
                "parts": PARTS,
                "timeout_seconds": 15,
                "attempts": 1,
                "requests_per_second": 1_000,
                "max_file_bytes": 60_000,
            },
        }
        configuration.write_text(yaml.safe_dump(body))
        command = command_for(configuration, "--stage", "crawl")
        run = RunFolder(tmp_path / "run")
        crawl_and_kill(command, run.path, PARTS // 3)
        staging = Workspace(str(run.path), str(run.path / ".staging" / "crawl"))
        finished = {
            row["repository"].rpartition("/")[2]
            for unit in staging.receipts()
            for row in read_part(staging.staged(tables.REPOSITORIES, f"{unit}.parquet")).to_pylist()
        }
        before = servers.fetches()
        assert len(finished) > REPOSITORIES // 8
        subprocess.run(command, check=True, capture_output=True, text=True)
        after = servers.fetches()
    assert {name for name in finished if after[name] > before[name]} == set()
    assert_everything_is_accounted_for(run, corpus)
    history = [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]
    (crawled,) = (line for line in history if line["stage"] == "crawl")
    assert crawled["peak_memory_bytes"] < MAX_MEMORY_BYTES
    shutil.rmtree(tmp_path / "served")


def assert_everything_is_accounted_for(run: RunFolder, corpus: Corpus) -> None:
    repositories = rows_of(run, tables.REPOSITORIES)
    by_name = {row["repository"].rpartition("/")[2]: row for row in repositories}
    assert len(repositories) == len(corpus.urls)
    assert {name for name in corpus.good if by_name[name]["status"] != "crawled"} == set()
    found: dict[str, collections.Counter[str]] = {}
    for row in rows_of(run, tables.REPOSITORIES):
        name = row["repository"].rpartition("/")[2]
        if corpus.reasons.get(name):
            found.setdefault(corpus.reasons[name], collections.Counter())[row["reason"]] += 1
    assert all(set(reasons) == {reason} for reason, reasons in found.items()), found
    assert sum(row["reason"] == "timed_out" for row in repositories) == 2
    assert sum(row["reason"] == "request_refused" for row in repositories) == 2
    documents = rows_of(run, tables.DOCUMENTS)
    counts = collections.Counter(row["repository"].rpartition("/")[2] for row in documents)
    assert all(counts[name] == FILES for name in corpus.good)
    assert sum(row["files"] for row in repositories) == len(documents)
    assert sum(row["bytes"] for row in repositories) == sum(row["size"] for row in documents)
    unfit_names = {name for name, row in by_name.items() if counts[name] == 1}
    reasons = collections.Counter(
        row["reason"]
        for row in rows_of(run, tables.failures_of("crawl"))
        if row["repository"].rpartition("/")[2] in unfit_names
    )
    kinds = ("binary_content", "undecodable", "file_too_large", "lfs_pointer", "unsafe_path")
    assert reasons == dict.fromkeys(kinds, len(unfit_names))
    assert len(unfit_names) >= REPOSITORIES // BAD_EVERY // len(BAD)
    statistics = run.manifest(tables.REPOSITORIES).statistics
    statuses = collections.Counter(row["status"] for row in repositories)
    assert {f"repositories.{status}": count for status, count in statuses.items()}.items() <= (
        statistics.items()
    )

"""Tries an attack against a harness in a process of its own, and watches it from here."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.transforms.sandbox.attacks.attack import LIMITS, Attack, Run, Scene, answer
from tests.transforms.sandbox.attacks.needs import in_private_pids

ROOT = Path(__file__).parents[3]
TESTS = "tests.transforms.sandbox"
PATIENCE = 60.0
"""Seconds until a harness that says nothing counts as hanging; far above all limits."""
SAMPLING = 0.01
"""Seconds between two looks at what is watched."""


@dataclass(frozen=True)
class Attempt:
    """How an attack went."""

    succeeded: bool
    run: Run
    well_after: bool
    """Whether a harmless program fared as ever after it; of sandboxes alone."""
    answer: int | None
    """The error number that a program reported of a call, 0 for success."""
    said: str
    """What the harness wrote to standard error."""


def attempt_bare(attack: Attack) -> Attempt:
    """Runs an attack by a plain `exec`."""
    with Scene() as scene:
        return _attempt(attack, scene, "bare", {})


def attempt_boxed(attack: Attack, tier: str) -> Attempt:
    """Runs an attack in the sandbox."""
    with Scene() as scene:
        return _attempt(attack, scene, "boxed", {"tier": tier})


def attempt_in_workshop(attack: Attack) -> Attempt:
    """Runs an attack as a command, which may start programs."""
    with Scene() as scene:
        return _attempt(attack, scene, "shop", {})


def _attempt(attack: Attack, scene: Scene, module: str, extra: Mapping[str, object]) -> Attempt:
    values = {"TOKEN": scene.token, "FOLDER": str(scene.folder), **attack.prepare(scene)}
    texts = [attack.program] if attack.later is None else [attack.program, attack.later]
    job = {
        **extra,
        "programs": [attack.source(text, values) for text in texts],
        "secret": scene.secret,
        "terminal": scene.terminal,
        "neighbor": attack.harness.private_pids,
        "limits": LIMITS | dict(attack.limits),
        "in_process": attack.harness.in_process,
        "patience": attack.harness.patience,
        "soft_limits": dict(attack.harness.soft_limits),
        "drops": attack.harness.drops,
    }
    with tempfile.TemporaryFile() as said, _started(attack, scene, module, said) as keeper:
        report, peak = _talk(keeper, job, attack.watch)
        run = _seen(report, peak)
        said.seek(0)
        return Attempt(
            succeeded=attack.succeeded(scene, run),
            run=run,
            answer=answer(scene, run),
            well_after=bool(report) and "all well" in report["runs"][-1]["output"],
            said=said.read().decode(errors="replace"),
        )


@contextmanager
def _started(
    attack: Attack, scene: Scene, module: str, said: Any
) -> Iterator[subprocess.Popen[bytes]]:
    within = in_private_pids() if attack.harness.private_pids else []
    harness = [*within, sys.executable, "-m", f"{TESTS}.{module}", *scene.arguments]
    keeper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
    inherited = [*scene.inherited, *([] if scene.terminal is None else [scene.terminal])]
    process = subprocess.Popen(
        [*keeper, *harness],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        cwd=scene.workplace,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(scene.workplace),
            "REPOMILL_SECRET": scene.secret,
        },
        pass_fds=inherited,
        # The keeper is out of reach of what an attack does to the group of its harness.
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            _wait_or_end(process)


def _wait_or_end(keeper: subprocess.Popen[bytes]) -> None:
    """Waits for a keeper, which ends all it started when it is asked to end."""
    try:
        keeper.wait(5)
    except subprocess.TimeoutExpired:
        keeper.terminate()
        keeper.wait(30)


def _talk(
    keeper: subprocess.Popen[bytes], job: Mapping[str, Any], watch: Callable[[int], int] | None
) -> tuple[dict[str, Any] | None, int]:
    """Gives a harness its job; its report, nothing if it died; and the most that was watched.

    Raises:
      TimeoutError: the harness says nothing.
    """
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.write(json.dumps(job).encode() + b"\n")
    keeper.stdin.flush()
    end = time.monotonic() + PATIENCE
    heard, peak = b"", 0
    while time.monotonic() < end:
        if watch is not None:
            peak = max(peak, watch(keeper.pid))
        if select.select([keeper.stdout], [], [], SAMPLING)[0]:
            read = os.read(keeper.stdout.fileno(), 1 << 20)
            heard += read
            report = _report_in(heard)
            if report or not read:
                return report, peak
    raise TimeoutError(f"the harness said nothing in {PATIENCE} seconds")


def _report_in(heard: bytes) -> dict[str, Any] | None:
    """The first line that is a report, whoever wrote it."""
    for line in heard.split(b"\n")[:-1]:
        with suppress(ValueError):
            report = json.loads(line)
            if isinstance(report, dict) and "runs" in report:
                return report
    return None


def _seen(report: Mapping[str, Any] | None, peak: int) -> Run:
    if report is None:
        return Run(harness_died=True, peak=peak)
    first, *later = report["runs"]
    return Run(
        ending=first["ending"],
        output=first["output"].encode("latin-1"),
        later=later[0]["output"].encode("latin-1") if later else b"",
        seconds=first["seconds"],
        overran=first.get("overran", False),
        survived=first.get("survived", False),
        intact=report["intact"],
        neighbor_died=report["neighbor_died"],
        peak=peak,
    )

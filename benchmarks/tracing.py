"""The cost of tracing suites of tests, against the same suites untraced and under MonkeyType."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import FOLDER
from benchmarks.harness import ROOT, Report, spread
from transforms.trace.records import read_records
from transforms.trace.tracer import tracer_files

ROUNDS = 3
PACKAGES = ("pytest==8.3.5", "MonkeyType==23.3.0", "toolz==1.0.0", "networkx==3.1", "mpmath==1.3.0")
"""Wheels that hold their own tests, for all Pythons from 3.8 on."""

MONKEYTYPE = "MonkeyType"
SUITES: Mapping[str, tuple[str, ...]] = {
    "toolz": ("--pyargs", "toolz"),
    "networkx": ("--pyargs", "networkx.classes.tests.test_digraph", "networkx.utils"),
    "mpmath": ("--pyargs", "mpmath.tests.test_functions", "mpmath.tests.test_basic_ops"),
}
VERSIONS = ("3.8", "3.11", "3.12", "3.13")
WAYS = ("untraced", MONKEYTYPE, "repomill")

_INTRODUCTION = (
    "CPU seconds of pytest on the tests that come with packages, all processes together, by hook "
    f"into the interpreter: `sys.monitoring` from 3.12 on. In turn, {ROUNDS} rounds after a "
    "warm-up, MonkeyType once; seconds are medians (least-greatest). Functions are those "
    "that were traced, calls the distinct ones that can be replayed. MonkeyType is told to trace "
    "the package alone."
)
_RECORDS = ROOT / "benchmarks" / "runs" / "tracing"


@dataclass(frozen=True)
class _Environment:
    """The Python of a virtual environment."""

    python: Path
    site: Path


def report() -> Report:
    """Every suite in every Python that is on the machine."""
    found = Report("The cost of tracing")
    found.say(_INTRODUCTION)
    rows = []
    for version in VERSIONS:
        python = _interpreter(version)
        if python is None:
            found.say(f"There is no Python {version} on this machine.")
            continue
        environment = _make(version, python)
        rows += [_row(version, environment, suite) for suite in SUITES]
    header = ("suite", *WAYS, f"{MONKEYTYPE} to untraced", "repomill to untraced")
    found.table((*header, "functions", "calls"), rows)
    found.say(f"Load average at the end: {os.getloadavg()[0]:.1f}.")
    shutil.rmtree(_RECORDS, ignore_errors=True)
    return found


def _row(version: str, environment: _Environment, suite: str) -> tuple[object, ...]:
    ways: dict[str, Callable[[], float]] = {way: _way(way, environment, suite) for way in WAYS}
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS + 1):
        for way, run in ways.items():
            if way != MONKEYTYPE or number == 1:
                cost = run()
                if number:
                    seconds[way].append(cost)
    plain, *others = (statistics.median(seconds[way]) for way in WAYS)
    traced = read_records(_RECORDS, {str(environment.site): ""})
    return (
        f"{suite}, {version}",
        *(spread(seconds[way]) for way in WAYS),
        *(f"{other / plain:.2f}" for other in others),
        len(traced),
        sum(len(each.calls) for each in traced),
    )


def _way(way: str, environment: _Environment, suite: str) -> Callable[[], float]:
    tests = ("pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *SUITES[suite])
    command = [str(environment.python), "-m"]
    command += ["monkeytype", "run", "-m", *tests] if way == MONKEYTYPE else tests
    variables = {"PYTHONHASHSEED": "0", "MONKEYTYPE_TRACE_MODULES": suite}
    if way == "repomill":
        roots = str(environment.site / suite)
        variables |= {"REPOMILL_TRACE": str(_RECORDS), "REPOMILL_TRACE_ROOTS": roots}

    def run() -> float:
        for name in (_RECORDS, _RECORDS.with_suffix(".store")):
            shutil.rmtree(name, ignore_errors=True)
            name.mkdir(parents=True)
        store = {"MT_DB_PATH": str(_RECORDS.with_suffix(".store") / "traces.sqlite3")}
        return _cpu_seconds(command, {**variables, **store})

    return run


def _cpu_seconds(command: list[str], variables: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, cwd=_RECORDS, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout.decode()[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _interpreter(version: str) -> str | None:
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python3"))
    return str(found[0]) if found else shutil.which(f"python{version}")


def _make(version: str, python: str) -> _Environment:
    """A virtual environment with the packages and the tracer, which is made on first use."""
    folder = ROOT / FOLDER / f"tracing-{version}"
    marker = folder / "requirements.txt"
    wanted = "\n".join((python, *PACKAGES))
    if not marker.exists() or marker.read_text() != wanted:
        print(f"Installing suites into {folder.relative_to(ROOT)}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", *PACKAGES], check=True)
        marker.write_text(wanted)
    (site,) = folder.glob("lib/python*/site-packages")
    for name, text in tracer_files().items():
        (site / name).write_text(text)
    compiled = [folder / "bin" / "python", "-m", "compileall", "-q", site / "repomill_tracer.py"]
    subprocess.run(compiled, check=True)
    return _Environment(folder / "bin" / "python", site)

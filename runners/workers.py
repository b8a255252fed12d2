"""Python workers of a cluster: how it starts them, and whether they are of this version."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from runners.settings import RunnerError, WorkerSettings

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

PACKAGES = ("repomill", "apache-beam")
"""What must be of one version here and on the workers: our classes and Beam's travel by name."""

_VERSIONS = (
    "import importlib.metadata as m, json\n"
    f"print(json.dumps([m.version(name) for name in {PACKAGES}]))"
)
_LOOK_SECONDS = 60
_MARK = "workers of another version"


def environment_arguments(workers: WorkerSettings) -> list[str]:
    """Beam's options for where workers come from."""
    if workers.command:
        variables = {"RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1"}
        if workers.environment:
            programs = f"{workers.environment}/bin"
            variables["PATH"] = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        config = json.dumps({"command": workers.command, "env": variables})
        return ["--environment_type=PROCESS", f"--environment_config={config}"]
    if workers.image:
        return ["--environment_type=DOCKER", f"--environment_config={workers.image}"]
    if workers.pool:
        return ["--environment_type=EXTERNAL", f"--environment_config={workers.pool}"]
    return ["--environment_type=LOOPBACK"]


def local_problems(workers: WorkerSettings) -> list[str]:
    """What is wrong with workers that are processes of this machine, each with its cure."""
    if not workers.command:
        return []
    if not os.access(workers.command, os.X_OK):
        return [
            f"runner.worker.command: {workers.command} is no program that can be run. It is Beam's "
            f"boot program: go install github.com/apache/beam/sdks/v2/python/container@"
            f"v{version('apache-beam')} makes it"
        ]
    if not workers.environment:
        return []
    python = Path(workers.environment, "bin", "python")
    try:
        said = subprocess.run(
            [python, "-c", _VERSIONS],
            capture_output=True,
            text=True,
            timeout=_LOOK_SECONDS,
            check=False,
        )
    except OSError as error:
        return [f"runner.worker.environment: {python} does not run ({error.strerror})"]
    if said.returncode:
        return [f"runner.worker.environment: {workers.environment} has no repomill. {_cure()}"]
    problem = compare_versions(json.loads(said.stdout))
    return [f"runner.worker.environment: {problem}. {_cure()}"] if problem else []


def installed_versions() -> list[str]:
    """The versions of `PACKAGES` in this process, empty for one that is not there."""
    return [_version(name) for name in PACKAGES]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def compare_versions(theirs: list[str]) -> str:
    """How the workers' versions of `PACKAGES` differ from those of this process, or nothing."""
    differences = [
        f"{name} {other or 'not at all'} and not {own}"
        for name, own, other in zip(PACKAGES, installed_versions(), theirs, strict=True)
        if own != other
    ]
    return f"workers have {', '.join(differences)}" if differences else ""


def _cure() -> str:
    return f"Install repomill {version('repomill')} there, the same wheel as here"


def check_workers(options: PipelineOptions) -> None:
    """Runs a job that does nothing, which tells whether there are workers of this version.

    Raises `RunnerError`.
    """
    import apache_beam as beam

    pipeline = beam.Pipeline(options=options)
    (
        pipeline
        | "Name versions" >> beam.Create([",".join(installed_versions())])
        | "Compare versions" >> beam.Map(refuse_another_version).with_output_types(str)
    )
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:
        raise RunnerError(explain_failure(str(error))) from error


def refuse_another_version(expected: str) -> str:
    """Raises ValueError on a worker whose versions are not these."""
    found = ",".join(installed_versions())
    if found != expected:
        raise ValueError(f"{_MARK}: {found} and not {expected}")
    return found


def explain_failure(text: str) -> str:
    """What it means that `check_workers` failed with this text."""
    if _MARK in text:
        line = next(line for line in text.splitlines() if _MARK in line)
        return f"{line[line.index(_MARK) :].split(' [while')[0]} ({', '.join(PACKAGES)}). {_cure()}"
    if "ModuleNotFoundError" in text or "No module named" in text:
        return f"the cluster's workers have no repomill. {_cure()}"
    last = [line for line in text.splitlines() if line.strip()][-1:]
    return f"the cluster did not run a job that does nothing: {''.join(last):.500}"

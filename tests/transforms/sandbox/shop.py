"""A harness with the sandbox for commands."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from tests.transforms.sandbox.boxed import HARMLESS
from tests.transforms.sandbox.harness import Harness, Report, started
from transforms.sandbox.folders import empty_folder
from transforms.sandbox.limits import CommandLimits
from transforms.sandbox.workshop import Workshop

INTERPRETER = Path(sys.base_prefix)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/place", "LANG": "C.UTF-8"}


def run(harness: Harness) -> None:
    """Runs the programs as commands, and a harmless one after them."""
    names = {field.name for field in fields(CommandLimits)}
    limits = {name: value for name, value in harness.job["limits"].items() if name in names}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder, "tmp").mkdir()
        workshop = Workshop(Path(folder), [INTERPRETER])
        workshop.prepare()
        reports: list[Report] = []
        for number, program in enumerate([*harness.programs, HARMLESS]):
            script = Path(folder, f"program{number}.py")
            script.write_text(program, encoding="utf-8", errors="surrogatepass")
            command = [str(INTERPRETER / "bin" / "python3"), "-I", f"/place/{script.name}"]
            outcome = workshop.run(command, ENVIRONMENT, "/place", CommandLimits(**limits))
            reports.append(
                {
                    "ending": outcome.breach or f"status {outcome.status}",
                    "output": outcome.output.decode("latin-1"),
                    "seconds": outcome.seconds,
                }
            )
        harness.report(reports)
        empty_folder(folder)


if __name__ == "__main__":
    run(started())

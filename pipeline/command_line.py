"""What all commands share: the application, options, and ways to print."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

app = typer.Typer(
    name="repomill",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns source-code repositories into deduplicated, tokenized training shards.",
    epilog="Example: repomill run my.yaml && repomill why my-run pypi/boltons:boltons/iterutils.py",
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def print_json(value: Any) -> None:
    """Prints a value for programs."""
    print(json.dumps(value, indent=1, default=str))


def output_console() -> Console:
    """Standard output for people."""
    console = Console()
    # Where nobody looks at a terminal, tables keep their width instead of wrapping at 80.
    return console if console.is_terminal else Console(width=max(console.width, 100))

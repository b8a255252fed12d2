"""Tables and lines on standard output, as all commands print them."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table


def say(console: Console, line: str) -> None:
    """Prints a line as it is."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def make_table(*columns: str) -> Table:
    """A table without rows; the first column is of words, the others of numbers."""
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return table


def print_table(console: Console, title: str, table: Table) -> None:
    """Prints a table below its title."""
    # A table's own title would be folded to the width of the table.
    console.print(title, style="bold", highlight=False, markup=False)
    console.print(table)

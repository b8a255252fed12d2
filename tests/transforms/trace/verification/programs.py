"""Lifted functions for tests of verification, written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.trace.records import Call


@dataclass(frozen=True)
class Program:
    """What verification needs of a lifted function."""

    entry_point: str
    prompt: str
    body: str
    receiver: bool = False
    own_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[int, int]:
        first = self.prompt.count("\n") + 1
        return first, first + self.body.count("\n") - 1


def program(text: str, **more: Any) -> Program:
    """A program whose entry point's body starts after the line ``# body``."""
    prompt, body = text.split("# body\n")
    name = prompt.rpartition("def ")[2].partition("(")[0]
    return Program(more.pop("entry_point", name), prompt, body, **more)


def calls(*arguments: Any) -> list[Call]:
    """Calls whose arguments are given, a tuple for each."""
    return [Call(each, ()) for each in arguments]


def run_as_human_eval(given: Program, test: str, body: str | None = None) -> None:
    """Raises what the test of a problem raises."""
    completion = given.body if body is None else body
    exec(f"{given.prompt}{completion}\n{test}\ncheck({given.entry_point})", {})

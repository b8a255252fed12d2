"""Docstrings: examples in them that a program cannot run are left out."""

from __future__ import annotations

import ast
import builtins
import doctest
import re
from collections.abc import Collection, Iterable, Sequence

from transforms.syntax_trees import parse_module

LITERAL = re.compile(r"([rRuU]?(\"\"\"|'''|\"|'))(.*)\2", re.DOTALL)
"""A string in one piece: what it begins with, its quotes, and what stands between them."""

_HEADING = re.compile(r"[ \t]*(\W{0,2}examples?( usage)?|usage)\W{0,3}", re.IGNORECASE)
_MOST_TEXT = 50_000


def with_own_examples(text: str, packages: Iterable[str], known: Collection[str]) -> str:
    """A docstring with those examples that use nothing but names of the program.

    Args:
      text: between the quotes, as written.
      packages: of the project; where their names stand before one of the program's, as in
        ``package.function()``, they go.
      known: names of the program.
    """
    if ">>>" not in text or len(text) > _MOST_TEXT:
        return text
    text = _without_packages(text, packages, known)
    try:
        examples = doctest.DocTestParser().get_examples(text)
        names = [_names(example.source) for example in examples]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    have = {*known, *dir(builtins), "_"}
    gone: set[int] = set()
    for example, (bound, used) in zip(examples, names, strict=True):
        if used <= have | bound and not _imports_own(example.source, packages):
            have |= bound
            continue
        count = example.source.count("\n") + example.want.count("\n")
        gone.update(range(example.lineno, example.lineno + count))
    return _without_lines(text, gone) if gone else text


def _without_packages(text: str, packages: Iterable[str], known: Collection[str]) -> str:
    """Names of the program without the modules that they came from, in lines of examples."""
    roots = "|".join(sorted(map(re.escape, packages))) or r"\b\B"
    dotted = re.compile(rf"(?<![\w.])(?:{roots})(?:\.\w+)+")

    def shorter(match: re.Match[str]) -> str:
        parts = match[0].split(".")
        own = next((at for at, part in enumerate(parts) if at and part in known), 0)
        return ".".join(parts[own:])

    lines = text.split("\n")
    return "\n".join(
        dotted.sub(shorter, line) if line.lstrip().startswith((">>> ", "... ")) else line
        for line in lines
    )


def _names(source: str) -> tuple[set[str], set[str]]:
    """Names that an example binds, and those that it reads."""
    bound: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(parse_module(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.partition(".")[0])
    return bound, used


def _imports_own(source: str, packages: Iterable[str]) -> bool:
    roots = "|".join(map(re.escape, packages)) or r"\b\B"
    return re.match(rf"(import|from)\s+({roots})\b", source) is not None


def _without_lines(text: str, gone: Collection[int]) -> str:
    """The text without some lines, and without headings that nothing is left below."""
    lines = text.split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        is_heading = _HEADING.fullmatch(line) and _is_empty_below(lines, number, gone)
        is_blank = not line.strip() and bool(kept) and not kept[-1].strip()
        if number == len(lines) - 1:
            # What stands in front of the closing quotes.
            while len(kept) > 1 and not kept[-1].strip():
                kept.pop()
            is_blank = False
        if number not in gone and not is_heading and not is_blank:
            kept.append(line)
    return "\n".join(kept)


def _is_empty_below(lines: Sequence[str], heading: int, gone: Collection[int]) -> bool:
    """Whether all examples below a heading are gone."""
    below = ((number, line) for number, line in enumerate(lines) if number > heading)
    has_any = False
    for number, line in below:
        if number in gone:
            has_any = True
        elif line.strip():
            return has_any and not line.lstrip().startswith(">>>")
    return has_any

"""Shell text as a list of simple commands, for those who follow only what they know.

Read are lines, continued lines, ``&&``, ``;``, assignments and redirections. Blocks
(``if``, ``for``, ...), here-documents, subshells and what comes behind ``||`` and ``|`` are
left out, with a note. Nothing is run, and nothing expanded but by `expand`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINES = 2_000
_MAX_LINE = 8_000
_MAX_JOINED = 40

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w{0,100})=(?P<value>.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?::?-(?P<default>[^${}]*))?\})")
_HEREDOC = re.compile(r"<<-?\s*[\"']?(?P<word>\w+)")
_OPENERS = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac"}
_TESTS = frozenset(("[", "[[", "test"))
_ARGUMENTS = frozenset(("$@", "$*", "${@}", "${*}"))


@dataclass(frozen=True)
class ShellCommand:
    """A simple command: its words, the variables set for it, and its line from 0 on.

    A command without words sets variables of the shell.
    """

    words: tuple[str, ...]
    assignments: tuple[tuple[str, str], ...]
    line: int


@dataclass(frozen=True)
class ShellScript:
    """Simple commands of a text, and notes on what of it is left out."""

    commands: tuple[ShellCommand, ...]
    notes: tuple[str, ...]


def read_shell(text: str) -> ShellScript:
    """The simple commands of a shell text; never raises."""
    commands: list[ShellCommand] = []
    notes: list[str] = []
    closers: list[str] = []
    for line, tokens in _tokenized(text, notes):
        for words in _simple(tokens, notes):
            _take(words, line, closers, commands, notes)
    return ShellScript(tuple(commands), tuple(notes))


def _take(
    words: list[str],
    line: int,
    closers: list[str],
    commands: list[ShellCommand],
    notes: list[str],
) -> None:
    """Adds a simple command unless it is in a block, of which it may open or close one."""
    if closers:
        if words[0] in _OPENERS:
            closers.append(_OPENERS[words[0]])
        elif words[0] == closers[-1]:
            closers.pop()
        return
    if words[0] in _OPENERS:
        closers.append(_OPENERS[words[0]])
        notes.append(f"block {' '.join(words)[:80]!r} not followed")
        return
    if _is_opaque(words):
        notes.append(f"command {' '.join(words)[:80]!r} not followed: it is computed")
        return
    assignments = []
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        assignments.append((match["name"], match["value"]))
        words = words[1:]
    if words or assignments:
        commands.append(ShellCommand(tuple(words), tuple(assignments), line))


def _is_opaque(words: list[str]) -> bool:
    return any("`" in word or "$(" in word or word[:1] in {"(", ")"} for word in words) or (
        words[0] in {"{", "}", "function"}
    )


def _tokenized(text: str, notes: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines as tokens, continued ones and those with open quotes joined."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        notes.append(f"only the first {MAX_LINES} of {len(lines)} lines are read")
        del lines[MAX_LINES:]
    number = 0
    while number < len(lines):
        first = number
        joined = ""
        tokens: list[str] | None = None
        while number < len(lines) and number - first < _MAX_JOINED:
            line = lines[number]
            number += 1
            if line.endswith("\\"):
                joined += line[:-1] + " "
                continue
            joined += line
            tokens = _tokens(joined)
            if tokens is not None:
                break
            joined += "\n"
        if tokens is None:
            tokens = _tokens(joined.strip())
        if tokens is None:
            notes.append(f"line {lines[first].strip()[:80]!r} not followed: quotes are open")
        elif heredoc := _HEREDOC.search(joined):
            notes.append(f"here-document {lines[first].strip()[:80]!r} not followed")
            number = _after(lines, number, heredoc["word"])
        elif tokens:
            yield first, tokens


def _after(lines: list[str], number: int, word: str) -> int:
    for place in range(number, len(lines)):
        if lines[place].strip() == word:
            return place + 1
    return len(lines)


def _tokens(line: str) -> list[str] | None:
    """Words and operators of a line, None while a quote is open."""
    if len(line) > _MAX_LINE:
        return None
    lexer = shlex.shlex(_without_comment(line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return None


def _without_comment(line: str) -> str:
    """A line up to a comment, which begins where a word could, unlike for `shlex`."""
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (place == 0 or line[place - 1] in " \t\n;&|"):
            return line[:place]
    return line


def _simple(tokens: list[str], notes: list[str]) -> Iterator[list[str]]:
    """The simple commands of a line that are to be followed, redirections taken off."""
    words: list[str] = []
    skips = False
    for token in [*_without_redirections(tokens), ";"]:
        if not token or set(token) - set(";&|"):
            words.append(token)
            continue
        if words and skips:
            notes.append(f"{' '.join(words)[:80]!r} not followed: it depends on what is before")
        elif words and words[0] in _TESTS:
            skips = token in {"&&", "||"}
        elif words:
            # Keywords of blocks stand before a command on the same line.
            while len(words) > 1 and words[0] in {"then", "else", "do", "!"}:
                del words[0]
            yield words
        if token in {";", "&", ";;"}:
            skips = False
        elif token in {"|", "||", "|&"}:
            skips = True
        words = []


def _without_redirections(tokens: list[str]) -> Iterator[str]:
    pending: str | None = None
    skip = False
    for token in tokens:
        if skip:
            skip = False
        elif token and not set(token) - set("<>&") and set(token) & set("<>"):
            # The number before it is the stream's, not a word.
            if pending is not None and not pending.isdigit():
                yield pending
            pending = None
            skip = True
        else:
            if pending is not None:
                yield pending
            pending = token
    if pending is not None:
        yield pending


def expand(words: tuple[str, ...], variables: Mapping[str, str]) -> list[str] | None:
    """Words with known variables in place; None where one is not known.

    The script's own arguments are none. A word that is just a variable becomes several, as
    if it was not quoted.
    """
    found: list[str] = []
    for word in words:
        if word in _ARGUMENTS:
            continue
        text = expand_text(word, variables)
        if text is None:
            return None
        found += text.split() if _VARIABLE.fullmatch(word) else [text]
    return found


def expand_text(text: str, variables: Mapping[str, str]) -> str | None:
    """A text with known variables in place, None where one is not known."""
    if "$" not in text:
        return text
    if len(text) > _MAX_LINE:
        return None
    unknown = False

    def replace(match: re.Match[str]) -> str:
        nonlocal unknown
        value = variables.get(match["name"] or match["braced"], match["default"])
        unknown |= value is None
        return (value or "")[:_MAX_LINE]

    expanded = _VARIABLE.sub(replace, text)
    return None if unknown or "$" in expanded else expanded

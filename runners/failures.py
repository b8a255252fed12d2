"""What went wrong in a job, out of what its engine says of it."""

from __future__ import annotations

import re

_STEP = re.compile(r" \[while running '[^']*'\]$")
_FRAME = re.compile(r"^(\s+at |\s*\.\.\. \d+ more|\s+File |\s{4,})")
_JAVA_CLASS = re.compile(r"^(?:Caused by: )?(?:[a-z][\w]*\.)+[A-Z][\w$]*(?:: |$)")


def cause_of(text: str) -> str:
    """The line that names the cause, in a text of traces of Python or Java or of both.

    Of Python's traces the first is that of the worker's own code; of Java's causes the last is
    the deepest.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    traces = [n for n, line in enumerate(lines) if line.startswith("Traceback (most recent")]
    if not traces and not any(line.startswith("Caused by: ") for line in lines):
        return _plain(lines[0]) if lines and _JAVA_CLASS.match(lines[0]) else _last(lines)
    if traces:
        ends = [line for line in lines[traces[0] + 1 :] if not _FRAME.match(line)]
        return _STEP.sub("", ends[0]) if ends else _last(lines)
    return _plain([line for line in lines if line.startswith("Caused by: ")][-1])


def _last(lines: list[str]) -> str:
    return _STEP.sub("", lines[-1]) if lines else ""


def _plain(line: str) -> str:
    """A Java exception's message, or its name where it has none."""
    match = _JAVA_CLASS.match(line)
    return line[match.end() :].strip() or line if match else line

"""Candidate: runs one untrusted program, and calls its functions for whoever asks.

Runs inside the sandbox, in the process of the program: the standard library alone, and
nothing that would tell what a right answer is. What it reports is as trustworthy as the
program.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading
import traceback
from types import ModuleType
from typing import Any

from transforms.sandbox.frames import FrameReader, frame, frame_bytes, read_bytes, write_frame
from transforms.sandbox.values import ValueRefusedError, decode, encode

PROGRAM_NAME = "<program>"
MOST_MESSAGE = 2000
_CHANNEL = 3
_MOST_FRAME_BYTES = 1 << 28
_NOTHING = frame({})
_MODULE_NAME = "program"
_REHEARSALS = 16
_REHEARSED = b"def f(value):\n    return [value, sorted(str(value)), 1 + 1 if value else None]\n"


def rehearse() -> None:
    """Runs a program of this module's in this process.

    What Python does once, or faster after some times, its children then find done.
    """
    for _ in range(_REHEARSALS):
        source, given = os.pipe()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            os.write(given, frame_bytes(_REHEARSED))
            for value in (1, 0.5, "a", [1, [2]], (1, "b"), {"a": 1}, {1, 2}, True, None):
                write_frame(ours.fileno(), ["f", encode([value]), encode({})])
            ours.shutdown(socket.SHUT_WR)
            serve_calls(source, theirs.fileno())
        os.close(source)
        os.close(given)
    del sys.modules[_MODULE_NAME]


def run_script() -> None:
    """Runs the program as a script whose input follows it, and says how it ended."""
    source = _source(0)
    module = _module("__main__")
    try:
        exec(compile(source, PROGRAM_NAME, "exec"), module.__dict__)
        ending: dict[str, Any] = {}
    except SystemExit as error:
        ending = _describe_exit(error)
    except BaseException as error:
        ending = describe(error, PROGRAM_NAME)
    # What an interpreter does when it ends.
    getattr(threading, "_shutdown", lambda: None)()
    atexit._run_exitfuncs()
    _flush()
    _report(ending)


def serve_calls(source_place: int = 0, channel: int = _CHANNEL) -> None:
    """Loads the program as a module, then calls its functions until nobody asks any more.

    A call is [name, arguments, keyword arguments]; the answer has the value and the arguments
    as they are after the call, or the exception.
    """
    source = _source(source_place)
    module = _module(_MODULE_NAME)
    try:
        exec(compile(source, PROGRAM_NAME, "exec"), module.__dict__)
    except BaseException as error:
        _report(describe(error, PROGRAM_NAME), channel)
        return
    _report({}, channel)
    calls = FrameReader(channel, _MOST_FRAME_BYTES)
    while (call := calls.read()) is not None:
        write_frame(channel, _answer(module, *call))
    _flush()


def _source(place: int) -> str:
    # As text, of which no comment says that it is in another encoding.
    return (read_bytes(place, _MOST_FRAME_BYTES) or b"").decode("utf-8", "surrogatepass")


def _report(ending: dict[str, Any], channel: int = _CHANNEL) -> None:
    # To have it ready saves most runs a walk through the encoder, each page of which is copied.
    os.write(channel, _NOTHING) if not ending else write_frame(channel, ending)


def _answer(module: ModuleType, name: str, arguments: Any, keywords: Any) -> dict[str, Any]:
    given, named = decode(arguments), decode(keywords)
    try:
        value = getattr(module, name)(*given, **named)
        return {"value": encode(value), "arguments": encode(given)}
    except ValueRefusedError as error:
        return {"refused": str(error)}
    except BaseException as error:
        return describe(error, PROGRAM_NAME)


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    return module


def _describe_exit(error: SystemExit) -> dict[str, Any]:
    if error.code is None or error.code == 0:
        return {}
    return {"exception": "SystemExit", "message": str(error.code)[:MOST_MESSAGE]}


def describe(error: BaseException, file: str) -> dict[str, Any]:
    """The name, message and line in a file of an exception, and its number if it has one."""
    try:
        message = str(error)[:MOST_MESSAGE]
    except Exception:
        message = ""
    names = [kind.__name__ for kind in type(error).__mro__]
    found: dict[str, Any] = {"exception": names[0], "bases": names[1:], "message": message}
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file
    ]
    if lines:
        found["line"] = lines[-1]
    if isinstance(error, OSError):
        found["number"] = error.errno
    return found


def _flush() -> None:
    """Writes what the program printed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def open_streams() -> None:
    """Standard streams on the first descriptors, whatever they will be in a child."""
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)

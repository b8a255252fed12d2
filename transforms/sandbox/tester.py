"""Tester: runs the code of a test against functions of a program in another process.

A process in a sandbox of its own, but nothing of the program is in it: arguments and values
cross as plain data, so that the test's assertions compare what they believe to compare, and
their outcome cannot be written by anyone else. It serves one test after another, each in a
namespace of names of its own.
"""

from __future__ import annotations

import builtins
import random
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

from transforms.sandbox.candidate import describe
from transforms.sandbox.confinement import Confinement
from transforms.sandbox.frames import FrameError, FrameReader, write_frame
from transforms.sandbox.server import address_space, preload
from transforms.sandbox.settings import Settings
from transforms.sandbox.values import ValueFormatError, decode, encode
from transforms.sandbox.worlds import enter_world

TEST_NAME = "<test>"
_MOST_FRAME_BYTES = 1 << 26
_MOST_KEPT = 1 << 14


class _ProgramEndedError(BaseException):
    """The program is gone amid a test; only tests that catch everything catch this."""


class _Link:
    """The way to the program, by the number of its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.is_cut = False
        self.failed: dict[str, Any] = {}
        """What the program last said of an exception."""
        self._descriptor = descriptor
        self._answers = FrameReader(descriptor, _MOST_FRAME_BYTES)

    def ask(self, call: list[Any]) -> dict[str, Any]:
        """What the program answers to a call; raises `_ProgramEndedError`."""
        try:
            write_frame(self._descriptor, call)
        except OSError:
            self.is_cut = True
        answer = None if self.is_cut else self.listen()
        if answer is None:
            self.is_cut = True
            raise _ProgramEndedError
        return answer

    def listen(self) -> dict[str, Any] | None:
        """What the program says next, which is a dictionary if it is anything."""
        try:
            message = self._answers.read()
        except (FrameError, OSError):
            return None
        return message if isinstance(message, dict) else None


class _TimeIsUpError(BaseException):
    """The test's own code has used its CPU time."""


def main(arguments: list[str]) -> None:
    """Tests on the socket whose number comes first, by the settings that come second."""
    control = socket.socket(fileno=int(arguments[0]))
    settings = Settings.from_json(arguments[1])
    preload(settings.preload)
    try:
        own_bytes = address_space()
        world = enter_world(settings)
        confinement = Confinement(settings, world)
        confinement.prepare(own_bytes)
        confinement.enter()
    except Exception as error:
        write_frame(control.fileno(), {"refused": f"{type(error).__name__}: {error}"})
        return
    signal.signal(signal.SIGVTALRM, _stop)
    write_frame(control.fileno(), {"ready": True})
    tests = FrameReader(control.fileno(), _MOST_FRAME_BYTES)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        test = tests.read()
        # For code that is not Python's, which no exception stops.
        confinement.limit_cpu_from_here()
        with socket.socket(fileno=descriptors[0]) as candidate:
            outcome = _run(test, candidate.fileno(), settings.limits.cpu_seconds)
        write_frame(control.fileno(), outcome)


def _stop(number: int, frame: object) -> None:
    raise _TimeIsUpError


def _run(test: dict[str, Any], candidate: int, seconds: float) -> dict[str, Any]:
    """Runs a test, and says how it ended: ``passed``, or what was raised where."""
    random.seed(0)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        return _outcome(test, candidate)
    except _TimeIsUpError:
        return {"late": True}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _outcome(test: dict[str, Any], candidate: int) -> dict[str, Any]:
    link = _Link(candidate)
    started = link.listen()
    if started is None:
        return {"ended": True}
    if started:
        return _failure(started)
    proxy = _proxy(test["entry_point"], link)
    module = ModuleType("test")
    module.__dict__["__builtins__"] = builtins
    try:
        exec(_compiled(test["setup"], "<setup>"), module.__dict__)
        module.__dict__[test["entry_point"]] = proxy
        exec(_compiled(test["code"], TEST_NAME), module.__dict__)
        if test["check"]:
            module.__dict__["check"](proxy)
    except _ProgramEndedError:
        return {"ended": True}
    except _TimeIsUpError:
        raise
    except BaseException as error:
        if getattr(error, "__notes__", None) != [_FROM_PROGRAM]:
            return {"of": "test", **describe(error, TEST_NAME)}
        if "exception" in link.failed:
            return _failure(link.failed)
        return {"of": "program", **describe(error, "")}
    return {"ended": True} if link.is_cut else {"passed": True}


def _failure(said: dict[str, Any]) -> dict[str, Any]:
    """The exception that a program says it has raised, and nothing else that it says."""
    if "exception" not in said:
        return {"ended": True}
    known = ("exception", "bases", "message", "line", "number")
    return {"of": "program", **{key: said[key] for key in known if key in said}}


def _compiled(code: str, name: str) -> CodeType:
    """The same tests come many times."""
    return _compiled_once(code, name) if len(code) <= _MOST_KEPT else compile(code, name, "exec")


@lru_cache(maxsize=1024)
def _compiled_once(code: str, name: str) -> CodeType:
    return compile(code, name, "exec")


_FROM_PROGRAM = "raised by the program"
_ENDS_OF_LOOPS = (StopIteration, StopAsyncIteration)
"""Would end a loop of the test as if all were done."""


def _proxy(name: str, link: _Link) -> Callable[..., Any]:
    """A function that has the program's function of a name called, and returns its value."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        answer = link.ask([name, encode(list(arguments)), encode(keywords)])
        if "value" not in answer:
            link.failed = answer
            raise _raised(answer)
        try:
            value = decode(answer["value"])
            _update(arguments, decode(answer.get("arguments")))
        except ValueFormatError as error:
            raise _marked(TypeError(str(error))) from None
        return value

    call.__name__ = call.__qualname__ = name
    return call


def _raised(answer: dict[str, Any]) -> Exception:
    """The exception that the program raised, as far as its name is one of Python's own."""
    if "refused" in answer:
        return _marked(TypeError(str(answer["refused"])))
    message = str(answer.get("message", ""))
    for name in [answer.get("exception"), *_listed(answer.get("bases"))]:
        kind = getattr(builtins, name, None) if isinstance(name, str) else None
        if isinstance(kind, type) and issubclass(kind, Exception) and kind not in _ENDS_OF_LOOPS:
            with suppress(Exception):
                return _marked(kind(message))
    return _marked(RuntimeError(f"{answer.get('exception')}: {message}"))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _marked(error: Exception) -> Exception:
    error.add_note(_FROM_PROGRAM)
    return error


def _update(arguments: tuple[Any, ...], after: Any) -> None:
    """Changes lists, dictionaries and sets among the arguments as the function did."""
    if not isinstance(after, list) or len(after) != len(arguments):
        return
    for one, other in zip(arguments, after, strict=True):
        if type(one) is not type(other) or one == other:
            continue
        if isinstance(one, (list, bytearray)):
            one[:] = other
        elif isinstance(one, (dict, set)):
            one.clear()
            one.update(other)

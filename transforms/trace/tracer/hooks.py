"""Hooks into the interpreter, and what happens at the start of a function."""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType

from transforms.trace.tracer.functions import Scope, Traced, is_function
from transforms.trace.tracer.objects import Snapshots
from transforms.trace.tracer.values import MOST_NODES, MOST_TEXT, Opaque, write_json
from transforms.trace.tracer.writer import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_DISTINCT = 20
MOST_CALLS = 200
"""Of a function; it is not traced beyond either."""

MOST_FUNCTIONS = 20_000
MOST_BYTES_A_CALL = 1 << 17
_MOST_HOPELESS = 50
"""Calls of a function of which none can be recorded."""

_MOST_NODES = 100_000
"""Values walked over for one function: few calls, where arguments are large."""

_LEAST_FRAMES = 150
"""Room for frames that a snapshot needs, before 3.12."""

_frame = sys._getframe
_limit = sys.getrecursionlimit
_is_monitored = sys.version_info >= (3, 12)


class Tracer:
    """Records calls of functions in some folders."""

    def __init__(self, folder: str, roots: list[str]) -> None:
        self._writer = Writer(folder)
        self._scope = Scope(roots)
        self._functions: dict[int, Traced | None] = {}
        self._count = 0

    def starts(self, code: CodeType, frame: FrameType) -> bool:
        """Records the call that a frame is at the start of; True if it is the last."""
        function = self._functions.get(id(code))
        if function is None:
            path = self._scope.path(code.co_filename)
            if path is None or not is_function(code) or self._count >= MOST_FUNCTIONS:
                return True
            function = self._functions[id(code)] = Traced(self._count, code, path)
            self._count += 1
        if not function.is_done:
            try:
                self._record(function, frame)
            except Exception as error:  # whatever it is, it is none of the project's business
                if _is_of_others(error):
                    raise
                function.is_done = type(error) is not RecursionError
        return function.is_done

    def _record(self, function: Traced, frame: FrameType) -> None:
        if not _is_monitored and not _has_room(frame):
            return
        function.seen += 1
        seen = function.seen
        if not function.is_found and seen < 5:
            function.describe(frame)
        if not self._writer.ready():
            function.is_done = True
            return
        if function.file_number != self._writer.number:
            self._define(function)
        refusal = function.refusal()
        if refusal is None:
            self._take(function, frame)
        else:
            self._refuse(function, refusal)
        function.is_done = (
            seen >= MOST_CALLS
            or (refusal is not None and function.is_found)
            or len(function.kept) >= MOST_DISTINCT
            or function.nodes >= _MOST_NODES
            or (seen >= _MOST_HOPELESS and not function.kept)
        )
        if function.is_done or not seen & (seen - 1):
            self._writer.write(write_json({"seen": [function.number, seen]}))

    def _define(self, function: Traced) -> None:
        function.file_number = self._writer.number
        fields = [function.number, function.path, function.module, function.qualname]
        fields += [function.code.co_firstlineno, function.kind]
        fields += [function.is_generator, function.is_decorated]
        self._writer.write(write_json({"function": fields}))

    def _take(self, function: Traced, frame: FrameType) -> None:
        walk = Snapshots({}, self._scope.owns)
        try:
            receiver, positional, keywords = function.arguments(frame)
            if function.kind == "class_method":
                _check_class(function, receiver)
                receiver = []
            tree = [
                walk.items(receiver, 0),
                walk.items(positional, 0),
                [[name, walk.take(value)] for name, value in keywords.items()],
            ]
            text = write_json(tree)[1:-1]
            if len(text) > MOST_TEXT:
                raise Opaque("large")
        except Opaque as error:
            self._refuse(function, str(error))
        except KeyError:
            self._refuse(function, "arguments that are gone")
        else:
            if hash(text) not in function.kept:
                function.kept.add(hash(text))
                self._writer.write('{"call":[%d,%s]}' % (function.number, text))
        function.nodes += MOST_NODES - walk.nodes

    def _refuse(self, function: Traced, reason: str) -> None:
        count = function.opaque.get(reason, 0) + 1
        function.opaque[reason] = count
        if not count & (count - 1):
            fields = [function.number, reason[:200], count]
            self._writer.write(write_json({"opaque": fields}))


def _check_class(function: Traced, receiver: list[Any]) -> None:
    """A class method that was called of a subclass is not the one that has its name."""
    if not receiver or not issubclass(type(receiver[0]), type):
        raise Opaque("class")
    owner = function.qualname.rpartition(".")[0]
    if type.__dict__["__qualname__"].__get__(receiver[0]) != owner:
        raise Opaque("subclass")


def _has_room(frame: FrameType | None) -> bool:
    """Whether snapshots can be taken without coming to the limit of recursion."""
    left = _limit() - _LEAST_FRAMES
    while frame is not None and left > 0:
        frame = frame.f_back
        left -= 1
    return left > 0


def _is_of_others(error: BaseException) -> bool:
    """Whether code of others raised it while the tracer was running: a handler of signals."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals is not globals() and False


def start_from_environment() -> None:
    """Starts the tracer as environment variables say; does nothing where something is amiss."""
    module = sys.modules.pop(__name__, None)
    try:
        folder = os.environ["REPOMILL_TRACE"]
        roots = os.environ["REPOMILL_TRACE_ROOTS"].split(os.pathsep)
        start(folder, [root for root in roots if root])
    except Exception:
        return
    _KEPT.append(module)


_KEPT: list[Any] = []
"""The module, which nobody finds among those that are imported."""


def start(folder: str, roots: list[str]) -> None:
    """Traces this process, its threads, and those that it forks."""
    tracer = Tracer(folder, roots)
    if _is_monitored:
        _monitor(tracer.starts)
    else:
        _profile(tracer.starts)


def _monitor(starts: Callable[[CodeType, FrameType], bool]) -> None:
    monitoring = sys.monitoring  # type: ignore[attr-defined]
    disable = monitoring.DISABLE

    def on_start(code: CodeType, offset: int) -> Any:
        return disable if starts(code, _frame(1)) else None

    for tool in (4, 3, 2, 1, 0):
        if monitoring.get_tool(tool) is None:
            monitoring.use_tool_id(tool, "repomill")
            monitoring.register_callback(tool, monitoring.events.PY_START, on_start)
            monitoring.set_events(tool, monitoring.events.PY_START)
            return


def _profile(starts: Callable[[CodeType, FrameType], bool]) -> None:
    done: dict[int, CodeType] = {}

    def on_event(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            if id(code) not in done and starts(code, frame):
                done[id(code)] = code

    sys.setprofile(on_event)
    threading.setprofile(on_event)

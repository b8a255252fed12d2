"""Hooks into the interpreter, and what happens at the start of a function."""

from __future__ import annotations

import os
import sys
import time
from types import CodeType, FrameType

from transforms.trace.tracer.constructions import CONSTRUCTORS, Constructions
from transforms.trace.tracer.functions import Scope, Traced, is_function
from transforms.trace.tracer.names import Constants
from transforms.trace.tracer.objects import Snapshots
from transforms.trace.tracer.values import MOST_TEXT, Opaque, write_json
from transforms.trace.tracer.writer import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_DISTINCT = 20
MOST_CALLS = 200
"""Of a function; it is not traced beyond either."""

MOST_FUNCTIONS = 20_000
_MOST_WITHOUT_NEWS = 30
"""Calls of a function in a row that are those seen before, or cannot be recorded."""

_MOST_SEARCHES = 5
"""For the name of a function, which may be called before it gets it."""

_TOLD = (1, 10, 30, 100)
"""Counts that are written at once: a process may end at any time."""

_MOST_NODES = 100_000
"""Values walked over for one function: few calls, where arguments are large."""

_MOST_LOST, _LEAST_NODES = 200_000, 400
"""Values walked over for nothing, in all, and how many a walk has once there were more."""

_LEAST_FRAMES = 150
"""Room for frames that a snapshot needs, before 3.12."""

_CALLED = ("fractions", "ipaddress", "pathlib", "pathlib._local", "uuid", "_pydecimal")
"""Modules in Python that snapshots call."""

_MOST_IDLE = 10_000
"""Calls in a row that bring nothing, after which nothing is traced for a while."""

_PAUSE_SECONDS = 0.02
_NEXT_TEST = "os.putenv"
"""The event of pytest's that ends a pause: it puts the name of each test into the environment."""

_frame = sys._getframe
_now = time.perf_counter
_get_profile, _get_trace = sys.getprofile, sys.gettrace
_set_profile, _set_trace = sys.setprofile, sys.settrace
_limit = sys.getrecursionlimit
_YIELDS = 0x20 | 0x80 | 0x200
_RESUME_AT_START = b"\x97\x00"
"""Of Python 3.11, where generators have run by the time they start."""

_is_monitored = sys.version_info >= (3, 12)


class Tracer:
    """Records calls of functions in some folders."""

    def __init__(self, folder: str, roots: list[str]) -> None:
        self.scope = Scope(roots)
        self._writer = Writer(folder)
        self._constants = Constants(self.scope.owns)
        self._failures: dict[int, list[Any]] = {}
        self._lost = 0
        self._constructions = Constructions(self.scope.owns, self._walk)
        self._functions: dict[int, Traced | None] = {}
        self._count = 0

    def find(self, code: CodeType) -> Traced | None:
        """The function of a code object, if it is traced any more."""
        function = self._functions.get(id(code))
        if function is None:
            path = self.scope.path(code.co_filename)
            if path is None or not is_function(code) or self._count >= MOST_FUNCTIONS:
                return None
            function = self._functions[id(code)] = Traced(self._count, code, path)
            self._count += 1
        return None if function.is_done else function

    def record(self, function: Traced, frame: FrameType) -> bool:
        """Records the call that a frame is at the start of; True if it is the last."""
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
        if not function.is_found and seen < _MOST_SEARCHES:
            function.describe(frame)
        refusal = function.refusal
        line = self._take(function, frame) if refusal is None else self._refuse(function, refusal)
        function.is_done = (
            len(function.kept) >= MOST_DISTINCT
            or seen - function.last_new >= _MOST_WITHOUT_NEWS
            or seen >= MOST_CALLS
            or (refusal is not None and function.is_found)
            or function.nodes >= _MOST_NODES
        )
        if function.is_done or seen in _TOLD:
            line += '{"seen":[%d,%d]}\n' % (function.number, seen)
        if line:
            self._write(function, line)

    def _write(self, function: Traced, lines: str) -> None:
        writer = self._writer
        with writer.lock():
            if not writer.ready():
                function.is_done = True
                return
            if function.file_number != writer.number:
                function.file_number = writer.number
                lines = write_json({"function": function.fields()}) + "\n" + lines
            writer.write(lines)

    def _take(self, function: Traced, frame: FrameType) -> str:
        """The line that says what a call was made with; empty if that is not news."""
        walk = self._walk()
        if self._lost > _MOST_LOST:
            walk.nodes = _LEAST_NODES
        before = walk.nodes
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
            self._lost += before - walk.nodes
            return self._refuse(function, str(error))
        except KeyError:
            return self._refuse(function, "arguments that are gone")
        finally:
            function.nodes += before - walk.nodes
        if hash(text) in function.kept:
            return ""
        function.kept.add(hash(text))
        function.last_new = function.seen
        return '{"call":[%d,%s]}\n' % (function.number, text)

    def _walk(self) -> Snapshots:
        walk = Snapshots({}, self.scope.owns)
        walk.constant, walk.failures = self._constants.name, self._failures
        walk.remembered = self._constructions.take
        return walk

    def constructs(self, code: CodeType, frame: FrameType) -> bool:
        """Watches a constructor that starts; False if it is watched no more."""
        try:
            return self._constructions.start(code, frame)
        except Exception as error:
            if _is_of_others(error):
                raise
            return False

    def constructed(self, code: CodeType, frame: FrameType, value: object) -> None:
        """Looks at what a constructor that ends has made."""
        try:
            self._constructions.end(code, frame, value)
        except Exception as error:
            if _is_of_others(error):
                raise

    def _refuse(self, function: Traced, reason: str) -> str:
        """The line that says how many calls could not be recorded; empty between some counts."""
        count = function.opaque.get(reason, 0) + 1
        function.opaque[reason] = count
        if count not in _TOLD:
            return ""
        return write_json({"opaque": [function.number, reason[:200], count]}) + "\n"


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
    while trace is not None:
        names = trace.tb_frame.f_globals
        if names is not globals() and names.get("__name__") not in _CALLED:
            return True
        trace = trace.tb_next
    return False


def start_from_environment() -> None:
    """Starts the tracer as environment variables say; does nothing where something is amiss."""
    module = sys.modules.pop(__name__, None)
    # A folder that has two names has its files of paths read twice.
    if vars(sys).setdefault("_" + __name__, module) is not module:
        return
    try:
        roots = os.environ["REPOMILL_TRACE_ROOTS"].split(os.pathsep)
        start(os.environ["REPOMILL_TRACE"], [root for root in roots if root])
    except Exception:
        return


def start(folder: str, roots: list[str]) -> None:
    """Traces this process, its threads, and those that it forks."""
    tracer = Tracer(folder, roots)
    if _is_monitored:
        _monitor(tracer)
    else:
        _trace(tracer)


def _monitor(tracer: Tracer) -> None:
    monitoring = sys.monitoring  # type: ignore[attr-defined]
    disable = monitoring.DISABLE
    path, find, record = tracer.scope.path, tracer.find, tracer.record
    watched: set[int] = set()
    held = -1

    def on_start(code: CodeType, offset: int) -> Any:
        if path(code.co_filename) is None:
            return disable
        if code.co_name in CONSTRUCTORS:
            return on_constructor(code, _frame(1))
        function = find(code)
        return disable if function is None or record(function, _frame(1)) else None

    def on_constructor(code: CodeType, frame: FrameType) -> Any:
        function = find(code)
        if function is not None:
            record(function, frame)
        if not tracer.constructs(code, frame):
            monitoring.set_local_events(held, code, 0)
            return disable
        if id(code) not in watched:
            watched.add(id(code))
            monitoring.set_local_events(held, code, monitoring.events.PY_RETURN)
        return None

    def on_return(code: CodeType, offset: int, value: object) -> Any:
        tracer.constructed(code, _frame(1), value)

    for tool in (4, 3, 2, 1, 0):
        if monitoring.get_tool(tool) is None:
            monitoring.use_tool_id(tool, "repomill")
            held = tool
            monitoring.register_callback(tool, monitoring.events.PY_START, on_start)
            monitoring.register_callback(tool, monitoring.events.PY_RETURN, on_return)
            monitoring.set_events(tool, monitoring.events.PY_START)
            return


def _trace(tracer: Tracer) -> None:
    """Before 3.12: as the function of `sys.settrace`, or of `sys.setprofile` where others trace."""
    import threading  # not before it is needed: every process of a suite pays for it

    switch = _Switch()
    switch.on_call = on_call = _on_call(tracer, switch)
    _set_trace(on_call)
    threading.settrace(on_call)
    sys.addaudithook(switch.on_audit)


def _on_call(tracer: Tracer, switch: _Switch) -> Callable[[FrameType, str, Any], None]:
    """What is called at the start of each function, and when a generator goes on."""
    idle = 0
    files: dict[str, dict[int, tuple[CodeType, ...]] | None] = {}
    path, find, record = tracer.scope.path, tracer.find, tracer.record

    def on_call(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal idle
        # Without `id`, of which audit hooks are told, and without hashes of code objects,
        # which are made anew each time.
        code = frame.f_code
        done = files.get(code.co_filename, _UNKNOWN)
        if done is None or code in done.get(code.co_firstlineno, ()):
            idle += 1
            if idle > _MOST_IDLE:
                idle = 0
                switch.pause()
            return
        if done is _UNKNOWN:
            is_traced = path(code.co_filename) is not None
            done = files[code.co_filename] = {} if is_traced else None
        idle += 1
        if done is not None and _is_first(code, frame):
            idle = 0
            function = find(code)
            if function is None or record(function, frame):
                done[code.co_firstlineno] = (*done.get(code.co_firstlineno, ()), code)

    return on_call


class _Switch:
    """Keeps ``on_call`` the function that traces: an audit hook, at which all threads come by.

    It is told of functions alone by `sys.settrace`; profilers are also told of each end and of
    what is written in C. Where others trace, it profiles. After many calls of nothing new it
    pauses.
    """

    on_call: Callable[[FrameType, str, Any], None]

    def __init__(self) -> None:
        self._resume_at = 0.0
        self._is_setting = False
        self._on_event = self.on_event
        """One object, which is found again by its identity."""

    def on_event(self, frame: FrameType, event: str, argument: Any) -> None:
        """What profiles."""
        if event == "call":
            self.on_call(frame, event, argument)

    def pause(self) -> None:
        """Traces nothing in this thread for a while, or until the next test."""
        self._resume_at = _now() + _PAUSE_SECONDS
        if _get_trace() is self.on_call:
            _set_trace(None)
        if _get_profile() is self._on_event:
            _set_profile(None)

    def on_audit(self, event: str, arguments: object) -> None:
        """Goes on where a pause is over, or others have begun or ended to trace."""
        if event == "sys.setprofile" or self._is_setting:
            return
        if self._resume_at and event != _NEXT_TEST and _now() < self._resume_at:
            return
        self._resume_at = 0.0
        self._is_setting = True
        try:
            self._set(event)
        finally:
            self._is_setting = False

    def _set(self, event: str) -> None:
        tracing, profiling = _get_trace(), _get_profile()
        if event == "sys.settrace" or tracing not in (None, self.on_call):
            if profiling is None:
                _set_profile(self._on_event)
            return
        # An error in a deep recursion ends it, too.
        if tracing is None:
            _set_trace(self.on_call)
        if profiling is self._on_event:
            _set_profile(None)


_UNKNOWN: dict[int, tuple[CodeType, ...]] = {}


def _is_first(code: CodeType, frame: FrameType) -> bool:
    """Whether a frame starts, where it might be a generator that goes on."""
    at = frame.f_lasti
    return not code.co_flags & _YIELDS or at < 0 or code.co_code[at : at + 2] == _RESUME_AT_START

"""Clock: another time of day and year for a program, to find what depends on it.

Replaces what the standard library asks for the time by what adds to it. Runs inside the sandbox:
the standard library alone.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

_OF_NOW = ("localtime", "gmtime", "ctime")


def shift_clock(seconds: int) -> None:
    """Has the time be later by some seconds, for programs that are loaded from here on."""
    read, read_ns = time.time, time.time_ns
    time.time = lambda: read() + seconds
    time.time_ns = lambda: read_ns() + seconds * 1_000_000_000
    for name in _OF_NOW:
        setattr(time, name, _with_default(getattr(time, name)))
    format_time, text_of_time = time.strftime, time.asctime
    time.strftime = lambda form, *given: format_time(form, *(given or [time.localtime()]))
    time.asctime = lambda *given: text_of_time(*(given or [time.localtime()]))
    for name, kind in zip(("date", "datetime"), _later_classes(), strict=True):
        setattr(datetime, name, kind)


def _with_default(function: Any) -> Any:
    """A function of seconds since the epoch, where none and `None` are now."""

    def call(moment: float | None = None) -> Any:
        return function(time.time() if moment is None else moment)

    return call


def _later_classes() -> tuple[type, type]:
    """Classes that take the place of `date` and `datetime`, with all objects of those in them."""
    real_date, real_datetime = datetime.date, datetime.datetime

    class OfDates(type):
        def __instancecheck__(cls, value: object) -> bool:
            return (
                isinstance(value, real_date)
                if cls is date
                else type.__instancecheck__(cls, value)
                or (cls is moment and isinstance(value, real_datetime))
            )

        def __subclasscheck__(cls, kind: type) -> bool:
            real = {date: real_date, moment: real_datetime}.get(cls)  # type: ignore[call-overload]
            return issubclass(kind, real) if real else type.__subclasscheck__(cls, kind)

    class date(real_date, metaclass=OfDates):  # type: ignore[misc,valid-type]  # noqa: N801
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time.time())

    class moment(real_datetime, metaclass=OfDates):  # type: ignore[misc,valid-type]  # noqa: N801
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time.time())

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

        def date(self) -> Any:
            return date(self.year, self.month, self.day)

    for kind, name in ((date, "date"), (moment, "datetime")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
    return date, moment

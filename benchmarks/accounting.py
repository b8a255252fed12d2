"""Exclusive CPU time by named piece: a clock that is handed over as functions call each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

OTHER = "other"


class Account:
    """Adds up the CPU time of this process by piece; pieces inside others count for themselves."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack = [OTHER]
        self._since = time.process_time()
        self._undo: list[tuple[Any, str, Any]] = []

    def _switch(self) -> None:
        now = time.process_time()
        piece = self._stack[-1]
        self.seconds[piece] = self.seconds.get(piece, 0.0) + now - self._since
        self._since = now

    @contextmanager
    def piece(self, name: str) -> Iterator[None]:
        """Counts what runs inside as a piece."""
        self._switch()
        self._stack.append(name)
        try:
            yield
        finally:
            self._switch()
            self._stack.pop()

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Counts every call of a function or method as a piece, until `restore`."""
        function = getattr(owner, attribute)
        self._undo.append((owner, attribute, function))
        setattr(owner, attribute, self._counted(function, name))

    def _counted(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        if isgeneratorfunction(function):

            @wraps(function)
            def generate(*args: Any, **options: Any) -> Iterator[Any]:
                items = function(*args, **options)
                while True:
                    with self.piece(name):
                        try:
                            item = next(items)
                        except StopIteration:
                            return
                    yield item

            return generate

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with self.piece(name):
                return function(*args, **options)

        return call

    def restart(self) -> None:
        """Forgets what was counted so far."""
        self.seconds = {}
        self._since = time.process_time()

    def finish(self) -> dict[str, float]:
        """The seconds of each piece so far, most first; begins anew."""
        self._switch()
        found = dict(sorted(self.seconds.items(), key=lambda item: -item[1]))
        self.restart()
        return found

    def restore(self) -> None:
        """Puts back the functions that are watched."""
        for owner, attribute, function in reversed(self._undo):
            setattr(owner, attribute, function)
        self._undo.clear()

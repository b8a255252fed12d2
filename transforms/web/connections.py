"""Connections that know which machine they reach and end with their time.

The time-outs of sockets bound each wait, not their sum: a server that sends one byte a
second meets none of them, be it in the handshake, the headers or the trailers of a
body. So each call has a timer, which shuts its connection down.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from schemas.failures import Reason
from transforms.web.errors import FetchError
from transforms.web.reach import Reach, reach_of

IDLE_CONNECTIONS = 64  # kept for each host, as many as a worker may have downloads


class Call:
    """One request: how long it may take and how near it may come."""

    def __init__(self, seconds: float, nearest: Reach) -> None:
        self.reach = Reach.PUBLIC
        self.ended = False
        self._nearest = nearest
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    @contextlib.contextmanager
    def running(self) -> Iterator[Call]:
        """The time runs, and connections that this thread opens or uses belong to the call."""
        self._timer.start()
        _calls.current = self
        try:
            yield self
        finally:
            _calls.current = None
            self._timer.cancel()
            with self._lock:
                self._socket = None

    def use(self, connected: socket.socket, reach: Reach) -> None:
        """Takes a connection; raises `FetchError` where it comes too near."""
        if reach > self._nearest:
            detail = f"a server leads to a {reach.name.lower()} address, where it is not itself"
            raise FetchError(Reason.REQUEST_REFUSED, detail)
        self.reach = reach
        with self._lock:
            self._socket = connected
        if self.ended:
            self._end()

    def _end(self) -> None:
        self.ended = True
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                # Not SSLSocket's own, which takes the state of the reading thread away.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Calls(threading.local):
    current: Call | None = None


_calls = _Calls()


class _Connection(HTTPConnection):
    _reach = Reach.PUBLIC

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        # A proxy is the user's own, and what lies behind it is known by name only.
        peer = self.host if self.proxy else str(connected.getpeername()[0])
        self._reach = max(reach_of(peer), reach_of(self.host))
        try:
            self._use(connected)
        except FetchError:
            connected.close()
            raise
        return connected

    def request(self, *arguments: Any, **options: Any) -> None:
        if self.sock is not None:
            self._use(self.sock)
        super().request(*arguments, **options)

    def _use(self, connected: socket.socket) -> None:
        if _calls.current is not None:
            _calls.current.use(connected, self._reach)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(HTTPAdapter):
    """Gives a session of `requests` these connections, with and without a proxy."""

    def __init__(self) -> None:
        super().__init__(pool_connections=IDLE_CONNECTIONS, pool_maxsize=IDLE_CONNECTIONS)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Makes the pools of connections."""
        super().init_poolmanager(*arguments, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools of connections to a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

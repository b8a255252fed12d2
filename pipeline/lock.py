"""One process at a time works on a run in an object store: it holds an object and renews it.

The object is put only where there is none. Its holder writes it anew every few seconds, so
that one that has not been written for a minute, by the clock of the store, was left by a
process that died. Whoever takes such a lock over replaces exactly the object that it has
seen, which one of several can. A process that finds its lock replaced stops.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import LostLockError, UserError
from transforms.stores.errors import MissingObjectError, StoreError
from transforms.stores.store import Held, ObjectStore

BEAT_SECONDS = 10.0
STALE_SECONDS = 60.0
# Before anybody may take it for stale, what holds it must have stopped.
_LOST_SECONDS = 45.0
_TRIES = 5


class ObjectLock:
    """A lock that is an object of a store."""

    def __init__(self, store: ObjectStore, name: str) -> None:
        self._store = store
        self._name = name
        self._etag = ""
        self._beats = 0
        self._renewed = 0.0
        self._lost = ""
        self._done = threading.Event()
        self._holder = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": _machine(),
            "token": os.urandom(16).hex(),
        }

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock.

        Raises:
          UserError: another process has it.
          LostLockError: another one took it meanwhile, or it could not be renewed.
        """
        self._acquire()
        renewing = threading.Thread(target=self._renew, name="lock", daemon=True)
        renewing.start()
        try:
            yield
        except KeyboardInterrupt:
            # What the thread below sends is no wish of the user.
            self.check()
            raise
        finally:
            self._done.set()
            renewing.join()
            self._release()

    def check(self) -> None:
        """Raises `LostLockError` if the lock may be somebody else's."""
        silent = time.monotonic() - self._renewed
        if not self._lost and silent > _LOST_SECONDS:
            self._lost = f"the store has not answered for {silent:.0f} seconds"
        if self._lost:
            raise LostLockError(
                f"{self._store.root} is no longer held by this process: {self._lost}. "
                "Nothing half-written is visible; run the same command again to resume"
            )

    def _body(self) -> bytes:
        # The count makes each object differ from the one before, and so its ETag.
        return json.dumps({**self._holder, "beats": self._beats}, sort_keys=True).encode()

    def _acquire(self) -> None:
        for _ in range(_TRIES):
            began = time.monotonic()
            etag = self._store.add(self._name, self._body())
            if etag is None:
                try:
                    held = self._store.hold(self._name)
                except MissingObjectError:
                    continue
                if not _is_stale(held):
                    raise UserError(_refusal(self._store.root, held))
                etag = self._store.replace(self._name, self._body(), held.etag)
            if etag is not None:
                self._etag, self._renewed = etag, began
                return
        raise UserError(f"{self._store.root} is in use by processes that come and go. Try again")

    def _renew(self) -> None:
        while not self._done.wait(BEAT_SECONDS):
            self._beats += 1
            began = time.monotonic()
            with contextlib.suppress(StoreError):
                etag = self._store.replace(self._name, self._body(), self._etag)
                if etag is None:
                    self._lost = self._who()
                else:
                    self._etag, self._renewed = etag, began
            try:
                self.check()
            except LostLockError:
                _stop_main_thread()
                return

    def _who(self) -> str:
        try:
            return f"{_describe(self._store.hold(self._name))} has taken it"
        except StoreError:
            return "its lock is gone"

    def _release(self) -> None:
        """Removes the lock if it is ours; if it stays, it will be stale in a minute."""
        with contextlib.suppress(StoreError):
            if not self._lost and self._store.hold(self._name).etag == self._etag:
                self._store.delete([self._name])


def _stop_main_thread() -> None:
    # Of a process that is to ignore Ctrl-C, such as one in the background of a script.
    deaf = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None)
    number = signal.SIGTERM if deaf else signal.SIGINT
    main = threading.main_thread().ident
    if main is not None:
        # To the thread itself, which it wakes from whatever it waits for.
        signal.pthread_kill(main, number)


def _holder(held: Held) -> dict[str, Any]:
    try:
        found = json.loads(held.data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _describe(held: Held) -> str:
    holder = _holder(held)
    named = {key: str(holder.get(key, "?"))[:100] for key in ("process", "host", "since")}
    return "process {process} on {host}, which has it since {since},".format(**named)


def _refusal(run: str, held: Held) -> str:
    return (
        f"{run} is in use by {_describe(held).rstrip(',')} and was there {held.age_seconds:.0f} "
        f"seconds ago. Wait for it, or name another --output; if it has died, its lock ends "
        f"{STALE_SECONDS:.0f} seconds after its last sign"
    )


def _is_stale(held: Held) -> bool:
    if held.age_seconds > STALE_SECONDS:
        return True
    holder = _holder(held)
    # Of a process of this machine it can be known at once that it is dead.
    process = holder.get("process")
    if holder.get("machine") != _machine() or not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _machine() -> str:
    """What processes have in common that can see one another; differs for each start of it."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)

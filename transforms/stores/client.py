"""Clients of S3: one for each process and family of operations, whose requests are counted.

Credentials and the server's address come from where boto3 looks for them: the environment,
the user's files, the machine's role. Nothing of them is kept or written here.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections import Counter
from enum import Enum
from typing import Any

from transforms.stores.errors import StoreError

ATTEMPTS = 2
"""Tries of a request that gets 500, 503, 429 or no answer, before `patiently` waits."""
CONNECT_SECONDS = 5.0
ENDPOINT = "AWS_ENDPOINT_URL_S3"
"""The variable by which boto3, Arrow and Beam know the server of S3 alone."""


class Family(Enum):
    """Operations that wait alike; the value is how many seconds an answer may take."""

    CONTROL = 20.0
    TRANSFER = 60.0


_making = threading.Lock()
_counting = threading.Lock()
_clients: dict[Family, Any] = {}
_requests: Counter[str] = Counter()


def forget_clients() -> None:
    """Drops the clients, whose connections a forked process must not use."""
    global _making, _counting
    _making, _counting = threading.Lock(), threading.Lock()
    _clients.clear()
    _requests.clear()


os.register_at_fork(after_in_child=forget_clients)


def client(family: Family) -> Any:
    """The process's client for a family of operations.

    Raises:
      StoreError: boto3 is not installed, or what the environment says of it is wrong.
    """
    with _making:
        if family not in _clients:
            _clients[family] = _make(family)
        return _clients[family]


def count_requests() -> Counter[str]:
    """How many requests this process has sent so far, tries again among them, by operation."""
    with _counting:
        return Counter(_requests)


def worker_name() -> str:
    """What tells this process from all others that may work on a run now."""
    return f"{socket.gethostname()} {os.getpid()}"


def _make(family: Family) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise StoreError(
            errno.ENOSYS, "s3:// needs boto3: pip install 'repomill[s3]'", "s3://"
        ) from error
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=family.value,
        tcp_keepalive=True,
        max_pool_connections=64,
        user_agent_extra="repomill",
    )
    try:
        # A session of its own: the default one is not safe to share among threads.
        made = boto3.session.Session().client("s3", config=config)
    except (BotoCoreError, ValueError) as error:
        raise StoreError(errno.EINVAL, f"{error}", "s3://") from error
    made.meta.events.register("before-send.s3", _count)
    return made


def _count(event_name: str, **_: Any) -> None:
    with _counting:
        _requests[event_name.rpartition(".")[2]] += 1

"""Clients of S3: one for each process and family of operations, whose requests are counted.

Credentials and the server's address come from where boto3 looks for them: the environment,
the user's files, the machine's role. Nothing of them is kept or written here.
"""

from __future__ import annotations

import errno
import os
import threading
from typing import Any

from transforms.stores.errors import StoreError
from transforms.stores.requests import CONNECT_SECONDS, Family, count_request
from transforms.stores.s3_errors import no_boto3

ATTEMPTS = 2
"""Tries of a request that gets 500, 503, 429 or no answer, before `patiently` waits."""
ENDPOINT = "AWS_ENDPOINT_URL_S3"
"""The variable by which boto3, Arrow and Beam know the server of S3 alone."""


_making = threading.Lock()
_clients: dict[Family, Any] = {}


def forget_clients() -> None:
    """Drops the clients, whose connections a forked process must not use."""
    global _making
    _making = threading.Lock()
    _clients.clear()


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


def _make(family: Family) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise no_boto3() from error
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
    count_request(event_name.rpartition(".")[2])

"""The client of Google Cloud Storage: one for each process, whose requests are counted.

Credentials come from where Google's libraries look for them: the key file that
``GOOGLE_APPLICATION_CREDENTIALS`` names, the user's own, the machine's account. Where
``STORAGE_EMULATOR_HOST`` names a server, that one is asked, without any.
"""

from __future__ import annotations

import email.utils
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from transforms.stores.gcs_errors import no_client
from transforms.stores.requests import count_request

_CONNECTIONS = 64
_NO_BUCKET_METADATA = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"

_making = threading.Lock()
_clients: list[Any] = []
# What the store said the time is, and by this machine's steady clock, when.
_clock: list[tuple[float, float]] = []


def forget_client() -> None:
    """Drops the client, whose connections a forked process must not use."""
    global _making
    _making = threading.Lock()
    _clients.clear()
    _clock.clear()


os.register_at_fork(after_in_child=forget_client)


def gcs_client() -> Any:
    """The process's client.

    Raises:
      StoreError: google-cloud-storage is not installed.
      google.auth.exceptions.DefaultCredentialsError: no credentials were found.
    """
    with _making:
        if not _clients:
            _clients.append(_make())
        return _clients[0]


def store_time() -> float:
    """Seconds since 1970 by the clock of the store, which has answered before."""
    told, then = _clock[-1]
    return told + time.monotonic() - then


def _make() -> Any:
    try:
        from google.api_core.client_info import ClientInfo
        from google.cloud.storage import Client
    except ImportError as error:
        raise no_client() from error
    # Otherwise the client asks for the bucket in a thread of its own, for traces that nobody
    # wants, and by a permission that nothing else needs.
    os.environ.setdefault(_NO_BUCKET_METADATA, "true")
    made = Client(project=None, client_info=ClientInfo(user_agent="repomill"))
    for scheme in ("https://", "http://"):
        made._http.mount(scheme, _CountingAdapter(pool_maxsize=_CONNECTIONS))
    return made


class _CountingAdapter(HTTPAdapter):
    """Counts requests, and remembers what time it is for the store."""

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        count_request(_operation(request.method or "", request.url or ""))
        answer = super().send(request, *arguments, **options)
        try:
            told = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (KeyError, ValueError):
            return answer
        _clock[:] = [(told, time.monotonic())]
        return answer


def _operation(method: str, url: str) -> str:
    """The name that Google gives an operation: it is what is paid for."""
    path = urlsplit(url).path
    if path.startswith(("/upload/", "/resumable/")):
        return "objects.insert"
    if "/rewriteTo/" in path:
        return "objects.rewrite"
    if path.endswith("/o"):
        return "objects.list"
    return "objects.delete" if method == "DELETE" else "objects.get"

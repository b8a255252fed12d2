"""The package index of a sandbox: the only server that a build can reach.

It listens on a socket that it is given, made within the sandbox's own network. Whoever talks
to it is hostile: it answers GET and HEAD of pages of projects, and of files that it has
listed on one of them before, and it asks nobody but the user's own index.
"""

from __future__ import annotations

import datetime
import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from packaging.utils import canonicalize_name

from schemas.failures import Reason
from transforms.trace.environments.listings import (
    HTML,
    JSON,
    ListedFile,
    Listing,
    is_project_name,
    render_html,
    render_json,
    uploaded_before,
)
from transforms.web.errors import FetchError

_PAGE = re.compile(r"/simple/([A-Za-z0-9._-]{1,200})/?")
_FILE = re.compile(r"/files/([0-9a-f]{64})/([A-Za-z0-9._+!-]{1,255}?)(\.metadata)?")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_CHUNK_BYTES = 1 << 18
_MOST_PROBLEMS = 20
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class IndexLimits:
    """What one project may ask of the index, and what it is shown."""

    requests: int = 10_000
    """Of any kind."""

    bytes: int = 2_000_000_000
    """Of all distinct files together."""

    listed: int = 2_000_000
    """Files on all pages that it was shown."""

    before: datetime.date | None = None
    """The first day whose uploads are hidden: a project then meets what it was made for."""

    connections: int = 64
    """At one time; more of them wait."""


class Upstream(Protocol):
    """Where pages and files come from; all raise `FetchError`."""

    def listing(self, name: str) -> Listing:
        """The files of a project, by its normalized name."""

    def file(self, listed: ListedFile, listing: Listing, scratch: Path) -> Path:
        """A file whose hash is as listed, in a folder of its own."""

    def metadata(self, listed: ListedFile, listing: Listing) -> bytes:
        """The PEP 658 metadata of a file."""


@dataclass
class SandboxIndex:
    """What one project was shown so far, and what it used up; for many threads."""

    upstream: Upstream
    limits: IndexLimits
    scratch: Path
    problems: list[str] = field(default_factory=list)
    """Why something could not be served, for the evidence: the first few."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shown: dict[str, tuple[ListedFile, Listing]] = field(default_factory=dict)
    _paths: dict[str, Path] = field(default_factory=dict)
    _count: int = 0
    _requests: int = 0
    _bytes: int = 0

    def count_request(self) -> None:
        """Raises `FetchError` where there were too many."""
        with self._lock:
            self._requests += 1
            if self._requests > self.limits.requests:
                raise _refused(f"more than {self.limits.requests:,} requests")

    def page(self, name: str, kind: str) -> bytes:
        """The page of a project, whose files may be asked for from then on."""
        if not is_project_name(name):
            raise FetchError(Reason.NOT_FOUND, "there is no such project")
        listing = self.upstream.listing(canonicalize_name(name))
        if self.limits.before is not None:
            listing = listing.only(uploaded_before(self.limits.before))
        with self._lock:
            self._count += len(listing.files)
            if self._count > self.limits.listed:
                raise _refused(f"pages of more than {self.limits.listed:,} files")
            self._shown |= {file.sha256 + file.filename: (file, listing) for file in listing.files}
        return render_json(listing) if kind == JSON else render_html(listing)

    def file(self, sha256: str, filename: str) -> Path:
        """A file that was listed."""
        listed, listing = self._listed(sha256, filename)
        with self._lock:
            known = self._paths.get(sha256)
        if known is not None:
            return known
        path = self.upstream.file(listed, listing, self.scratch)
        with self._lock:
            if sha256 not in self._paths:
                self._bytes += path.stat().st_size
                if self._bytes > self.limits.bytes:
                    raise _refused(f"files of more than {self.limits.bytes:,} bytes")
                self._paths[sha256] = path
        return path

    def size(self, sha256: str, filename: str) -> int:
        """The bytes of a file that was listed, as the listing says where it does."""
        listed, _ = self._listed(sha256, filename)
        return (
            listed.size if listed.size is not None else self.file(sha256, filename).stat().st_size
        )

    def metadata(self, sha256: str, filename: str) -> bytes:
        """The metadata of a file that was listed with some."""
        listed, listing = self._listed(sha256, filename)
        if listed.metadata is None:
            raise FetchError(Reason.NOT_FOUND, "it has no metadata")
        return self.upstream.metadata(listed, listing)

    def note(self, problem: str) -> None:
        """Keeps why something could not be served."""
        with self._lock:
            if len(self.problems) < _MOST_PROBLEMS and problem not in self.problems:
                self.problems.append(problem)

    def _listed(self, sha256: str, filename: str) -> tuple[ListedFile, Listing]:
        with self._lock:
            shown = self._shown.get(sha256 + filename)
        if shown is None:
            raise FetchError(Reason.NOT_FOUND, "no page listed such a file")
        return shown


@contextmanager
def serving_index(
    listener: socket.socket, upstream: Upstream, limits: IndexLimits | None = None
) -> Iterator[SandboxIndex]:
    """An index that answers on a listening socket, which it closes at the end."""
    with tempfile.TemporaryDirectory(prefix="repomill-index-") as scratch:
        index = SandboxIndex(upstream, limits or IndexLimits(), Path(scratch))
        with _Server(listener, index) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            thread.start()
            try:
                yield index
            finally:
                server.shutdown()
                thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A connection that the sandbox holds open must not hold up the trusted side.
    block_on_close = False

    def __init__(self, listener: socket.socket, index: SandboxIndex) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.index = index
        self._free = threading.BoundedSemaphore(index.limits.connections)
        self._ended = threading.Event()
        self._open = set[socket.socket]()

    def process_request(self, request: object, client_address: object) -> None:
        while not self._free.acquire(timeout=0.2):
            if self._ended.is_set():
                self.shutdown_request(cast(socket.socket, request))
                return
        self._open.add(cast(socket.socket, request))
        super().process_request(cast(socket.socket, request), client_address)

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(cast(socket.socket, request), client_address)
        finally:
            self._open.discard(cast(socket.socket, request))
            self._free.release()

    def shutdown(self) -> None:
        self._ended.set()
        super().shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: the other side ended a connection, as it likes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "repomill"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, *arguments: object) -> None:
        """Nothing: standard error is for the user."""

    def _answer(self) -> None:
        index = cast(_Server, self.server).index
        try:
            index.count_request()
            if page := _PAGE.fullmatch(self.path):
                kind = JSON if JSON in self.headers.get("Accept", "") else HTML
                self._send(index.page(page[1], kind), kind)
            elif (file := _FILE.fullmatch(self.path)) and file[3]:
                self._send(index.metadata(file[1], file[2]), "application/octet-stream")
            elif file:
                self._send_file(index, file[1], file[2])
            else:
                raise FetchError(Reason.NOT_FOUND, "there is nothing here")
        except FetchError as error:
            status = 404 if error.reason is Reason.NOT_FOUND else 502
            if status == 502:
                index.note(error.detail)
            # What the index is called concerns nobody in the sandbox.
            self._send(f"{error.reason}\n".encode(), "text/plain", status)
        except OSError:
            self.close_connection = True

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, index: SandboxIndex, sha256: str, filename: str) -> None:
        """A file or a part of it: of wheels, resolvers read the end alone."""
        if self.command == "HEAD":
            size = index.size(sha256, filename)
            self._send_head(200, size)
            return
        with index.file(sha256, filename).open("rb") as file:
            size = file.seek(0, 2)
            first, last = _span(self.headers.get("Range"), size)
            whole = (first, last) == (0, size - 1)
            span = "" if whole else f"bytes {first}-{last}/{size}"
            self._send_head(200 if whole else 206, last - first + 1, span)
            file.seek(first)
            _copy(file, cast(BinaryIO, self.wfile), last - first + 1)

    def _send_head(self, status: int, length: int, span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()


def _span(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte that a Range header asks for; all of them where it makes no sense."""
    match = _RANGE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return 0, size - 1
    first, last = int(match[1] or 0), min(int(match[2] or size), size - 1)
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
    return (first, last) if first <= last else (0, size - 1)


def _copy(source: BinaryIO, target: BinaryIO, left: int) -> None:
    while left > 0 and (chunk := source.read(min(left, _CHUNK_BYTES))):
        target.write(chunk)
        left -= len(chunk)


def _refused(detail: str) -> FetchError:
    return FetchError(Reason.REQUEST_REFUSED, f"the project asked for {detail}")

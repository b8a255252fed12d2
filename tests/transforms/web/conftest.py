"""Servers that talk as no library would let them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.index_server import (  # noqa: F401 - fixtures
    hosts_that_were_left_alone,
    no_settings_of_this_machine,
)

Talk = Callable[[socket.socket, threading.Event], None]


@dataclass
class RawServer:
    url: str = ""
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """Starts servers, each of which answers every request by a function or with some bytes."""
    stop = threading.Event()
    listeners = []

    def start(talk: Talk | bytes, address="127.0.0.1", tls: ssl.SSLContext | None = None):
        listener = socket.create_server((address, 0))
        listeners.append(listener)
        scheme = "https" if tls else "http"
        server = RawServer(f"{scheme}://{address}:{listener.getsockname()[1]}/")

        def converse(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True)
                while request := connection.recv(1 << 16):
                    server.heard.append(request)
                    if isinstance(talk, bytes):
                        connection.sendall(talk)
                    else:
                        talk(connection, stop)
                        break
                connection.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    server.connections += 1
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return server

    yield start
    stop.set()
    for listener in listeners:
        # Closing alone does not wake the thread that accepts.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@dataclass
class Certificate:
    path: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Certificate:
    """Of 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command += ["-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certificate(folder / "certificate.pem", context)

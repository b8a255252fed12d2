"""git objects and packs made byte by byte, and a server that sends them as they are."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
KINDS = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}
FLUSH, DELIMITER = b"0000", b"0001"


def name_of(kind: int, body: bytes) -> str:
    header = f"{KINDS[kind]} {len(body)}\0".encode()
    return hashlib.sha1(header + body).hexdigest()


def tree(*entries: tuple[str, bytes, str]) -> bytes:
    """A tree of mode, name and object of each entry, in the order and form in which they come."""
    return b"".join(
        mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries
    )


def commit(tree_name: str) -> bytes:
    who = "t <t@example.org> 1700000000 +0000"
    return f"tree {tree_name}\nauthor {who}\ncommitter {who}\n\nmessage\n".encode()


def entry(kind: int, body: bytes, size: int | None = None, base: bytes = b"") -> bytes:
    """An object in a pack; `size` is what it claims to have."""
    left = len(body) if size is None else size
    head, left = [kind << 4 | left & 15], left >> 4
    while left:
        head[-1] |= 128
        head.append(left & 127)
        left >>= 7
    return bytes(head) + base + zlib.compress(body, 6)


def pack(entries: Sequence[bytes], count: int | None = None) -> bytes:
    count = len(entries) if count is None else count
    content = b"PACK" + struct.pack(">II", 2, count) + b"".join(entries)
    return content + hashlib.sha1(content).digest()


def repository_pack(blobs: dict[bytes, bytes], extra: Sequence[bytes] = ()) -> tuple[bytes, str]:
    """A pack of one commit with some files and its name."""
    entries = [(BLOB, body) for body in blobs.values()]
    root = tree(*[("100644", name, name_of(BLOB, body)) for name, body in blobs.items()])
    return packed([*entries, (TREE, root)], root, extra)


def packed(
    objects: Sequence[tuple[int, bytes]], root: bytes, extra: Sequence[bytes] = ()
) -> tuple[bytes, str]:
    """A pack of some objects and the commit of a tree, and the name of that."""
    body = commit(name_of(TREE, root))
    entries = [entry(kind, content) for kind, content in dict.fromkeys([*objects, (COMMIT, body)])]
    return pack([*entries, *extra]), name_of(COMMIT, body)


def number(value: int) -> bytes:
    """A size in a delta."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def copies(base_size: int, times: int) -> bytes:
    """A delta that makes an object of the whole base, many times over."""
    size = struct.pack("<I", base_size)[:3]
    return number(base_size) + number(base_size * times) + (b"\xf0" + size) * times


def insertion(base_size: int, text: bytes) -> bytes:
    """A delta that adds a little to the whole base, which has less than 2**16 bytes."""
    copy = b"\xb0" + struct.pack("<H", base_size)
    sizes = number(base_size) + number(base_size + len(text))
    return sizes + copy + bytes([len(text)]) + text


def line(content: bytes) -> bytes:
    return f"{len(content) + 4:04x}".encode() + content


@dataclass
class Client:
    """What one who fetches has asked for, in version 2 of the protocol."""

    questions: BinaryIO
    connection: socket.socket

    def next_question(self) -> list[bytes]:
        lines = []
        while (length := int(self.questions.read(4) or b"0", 16)) != 0:
            lines.append(self.questions.read(length - 4) if length > 4 else b"")
        return lines

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def greet(self, tip: str) -> None:
        """Up to the point where the pack is asked for."""
        length = int(self.questions.read(4), 16)
        self.questions.read(length - 4)
        features = [b"version 2\n", b"ls-refs\n", b"fetch=shallow filter\n"]
        self.send(b"".join(map(line, features)) + FLUSH)
        self.next_question()
        self.send(line(f"{tip} HEAD\n".encode()) + FLUSH)
        self.next_question()
        self.send(line(b"shallow-info\n") + line(f"shallow {tip}\n".encode()) + DELIMITER)
        self.send(line(b"packfile\n"))

    def send_pack(self, content: bytes) -> None:
        for start in range(0, len(content), 65_000):
            self.send(line(b"\1" + content[start : start + 65_000]))


@contextlib.contextmanager
def answering(answer: Callable[[Client], None]) -> Iterator[str]:
    """A server for git:// that gives each client the same answer; its URL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                answer(Client(self.rfile, self.connection))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"git://127.0.0.1:{server.server_address[1]}/forged"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def serving_pack(content: bytes, tip: str) -> Iterator[str]:
    def answer(client: Client) -> None:
        client.greet(tip)
        client.send_pack(content)
        client.send(FLUSH)

    with answering(answer) as url:
        yield url


def dribble(client: Client, content: bytes, pause: float) -> None:
    for byte in content:
        client.send(bytes([byte]))
        time.sleep(pause)

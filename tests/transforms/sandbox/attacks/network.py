"""Attacks over the network and over sockets of the machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Prepare,
    Scene,
    arrived,
    secret_in_output,
)
from tests.transforms.sandbox.attacks.targets import secret_file

SOCK_DIAG = 4


def _receive(server: socket.socket, received: list[bytes]) -> None:
    while server.fileno() >= 0:
        try:
            if server.type == socket.SOCK_STREAM:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(1)
                    received.append(connection.recv(4096))
            else:
                received.append(server.recv(4096))
        except TimeoutError:
            continue
        except OSError:
            return


def listen(scene: Scene, server: socket.socket) -> None:
    """Keeps what arrives at a bound socket, until the scene ends."""
    server.settimeout(0.1)
    if server.type == socket.SOCK_STREAM:
        server.listen()
    thread = threading.Thread(target=_receive, args=(server, scene.received))
    thread.start()
    scene.exits.callback(thread.join)
    scene.exits.callback(server.close)


def internet(family: int, kind: int) -> Prepare:
    """One who listens on loopback, at PORT."""

    def prepare(scene: Scene) -> Mapping[str, object]:
        server = socket.socket(family, kind)
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listen(scene, server)
        return {"PORT": server.getsockname()[1]}

    return prepare


def unix(kind: int, *, abstract: bool = False) -> Prepare:
    """One who listens at a Unix socket, at ADDRESS."""

    def prepare(scene: Scene) -> Mapping[str, object]:
        address = f"\0{scene.token}-server" if abstract else str(scene.folder / "server")
        server = socket.socket(socket.AF_UNIX, kind)
        server.bind(address)
        listen(scene, server)
        return {"ADDRESS": address}

    return prepare


def raw(scene: Scene) -> Mapping[str, object]:
    """One who receives raw packets of a protocol for experiments."""
    listen(scene, server := socket.socket(socket.AF_INET, socket.SOCK_RAW, 253))
    server.bind(("127.0.0.1", 0))
    return {}


def hands_out_secret(scene: Scene) -> Mapping[str, object]:
    """A server at ADDRESS that passes an open file with the secret to whoever connects."""
    path = secret_file(scene)["PATH"]
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(scene.folder / "server"))
    server.listen()
    server.settimeout(0.1)

    def serve() -> None:
        while server.fileno() >= 0:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with connection, open(str(path), "rb") as file:
                socket.send_fds(connection, [b"here"], [file.fileno()])

    thread = threading.Thread(target=serve)
    thread.start()
    scene.exits.callback(thread.join)
    scene.exits.callback(server.close)
    return {"ADDRESS": str(scene.folder / "server")}


def _repeat(scene: Scene, act: object) -> None:
    """Acts again and again beside the program, until the scene ends."""
    done = threading.Event()

    def again() -> None:
        while not done.wait(0.05):
            act()  # type: ignore[operator]

    thread = threading.Thread(target=again)
    thread.start()
    scene.exits.callback(thread.join)
    scene.exits.callback(done.set)


def dials(scene: Scene) -> Mapping[str, object]:
    """One outside who tries PORT until somebody listens there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def dial() -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), 0.5) as connection:
                scene.received.append(connection.recv(4096))
        except OSError:
            time.sleep(0.01)

    _repeat(scene, dial)
    return {"PORT": port}


def talks(scene: Scene) -> Mapping[str, object]:
    """Traffic on loopback with the secret in it."""
    sender = scene.exits.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender.bind(("127.0.0.1", 0))
    own = sender.getsockname()
    _repeat(scene, lambda: sender.sendto(scene.secret.encode(), own))
    return {}


def port_in_output(scene: Scene, run: object) -> bool:
    return f"port {scene.kept['PORT']};".encode() in run.output  # type: ignore[attr-defined]


def listens_unseen(scene: Scene) -> Mapping[str, object]:
    """One who listens at a port that the program is not told."""
    scene.kept.update(internet(socket.AF_INET, socket.SOCK_STREAM)(scene))
    return {}


ATTACKS = (
    Attack(
        "connects_over_ipv4",
        """
import socket
socket.create_connection(("127.0.0.1", PORT), 2).sendall(TOKEN.encode())
""",
        prepare=internet(socket.AF_INET, socket.SOCK_STREAM),
        succeeded=arrived,
    ),
    Attack(
        "connects_over_ipv6",
        """
import socket
socket.create_connection(("::1", PORT), 2).sendall(TOKEN.encode())
""",
        prepare=internet(socket.AF_INET6, socket.SOCK_STREAM),
        succeeded=arrived,
        needs=(needs.ipv6,),
    ),
    Attack(
        "sends_a_datagram_over_ipv4",
        """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(TOKEN.encode(), ("127.0.0.1", PORT))
""",
        prepare=internet(socket.AF_INET, socket.SOCK_DGRAM),
        succeeded=arrived,
    ),
    Attack(
        "sends_a_datagram_over_ipv6",
        """
import socket
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(TOKEN.encode(), ("::1", PORT))
""",
        prepare=internet(socket.AF_INET6, socket.SOCK_DGRAM),
        succeeded=arrived,
        needs=(needs.ipv6,),
    ),
    Attack(
        "asks_a_name_server",
        """
import socket, struct
labels = [TOKEN.encode(), b"example"]
name = b"".join(bytes([len(label)]) + label for label in labels) + bytes(1)
question = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1)
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.connect(("127.0.0.1", PORT))
asker.send(question)
""",
        prepare=internet(socket.AF_INET, socket.SOCK_DGRAM),
        succeeded=arrived,
    ),
    Attack(
        "connects_by_its_first_data",
        # TCP Fast Open connects without a call of connect.
        """
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sender.sendto(TOKEN.encode(), socket.MSG_FASTOPEN, ("127.0.0.1", PORT))
""",
        prepare=internet(socket.AF_INET, socket.SOCK_STREAM),
        succeeded=arrived,
        needs=(needs.tcp_fast_open,),
    ),
    Attack(
        "connects_over_multipath_tcp",
        # Landlock has rules for TCP alone.
        f"""
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_STREAM, {needs.IPPROTO_MPTCP})
sender.connect(("127.0.0.1", PORT))
sender.sendall(TOKEN.encode())
""",
        prepare=internet(socket.AF_INET, socket.SOCK_STREAM),
        succeeded=arrived,
        needs=(needs.mptcp,),
    ),
    Attack(
        "sends_raw_packets",
        """
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
sender.sendto(TOKEN.encode(), ("127.0.0.1", 0))
""",
        prepare=raw,
        succeeded=arrived,
        needs=(needs.root,),
    ),
    Attack(
        "listens_to_traffic",
        """
import socket, time
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
listener.bind(("lo", 0))
listener.settimeout(1)
until = time.monotonic() + 1
while time.monotonic() < until:
    packet = listener.recv(65536)
    if b"repomill-" in packet:
        print(packet, flush=True)
        break
""",
        prepare=talks,
        succeeded=secret_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "waits_for_a_connection",
        """
import socket
server = socket.create_server(("127.0.0.1", PORT))
server.settimeout(2)
server.accept()[0].sendall(TOKEN.encode())
""",
        prepare=dials,
        succeeded=arrived,
    ),
    Attack(
        "connects_to_a_unix_socket",
        """
import socket
sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
sender.connect(ADDRESS)
sender.sendall(TOKEN.encode())
""",
        prepare=unix(socket.SOCK_STREAM),
        succeeded=arrived,
    ),
    Attack(
        "sends_a_datagram_to_a_unix_socket",
        """
import socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(TOKEN.encode(), ADDRESS)
""",
        prepare=unix(socket.SOCK_DGRAM),
        succeeded=arrived,
    ),
    Attack(
        "sends_a_datagram_from_a_pair_of_sockets",
        # What is open to programs may be used for an address other than the pair's.
        """
import socket
socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(TOKEN.encode(), ADDRESS)
""",
        prepare=unix(socket.SOCK_DGRAM),
        succeeded=arrived,
    ),
    Attack(
        "connects_to_an_abstract_socket",
        """
import socket
sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
sender.connect(ADDRESS)
sender.sendall(TOKEN.encode())
""",
        prepare=unix(socket.SOCK_STREAM, abstract=True),
        succeeded=arrived,
    ),
    Attack(
        "receives_an_open_file",
        """
import os, socket
asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
asker.connect(ADDRESS)
_, (received,), _, _ = socket.recv_fds(asker, 10, 1)
os.write(1, os.read(received, 1000))
""",
        prepare=hands_out_secret,
        succeeded=secret_in_output,
    ),
    Attack(
        "asks_netlink_for_sockets_of_others",
        f"""
import socket, struct
asker = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, {SOCK_DIAG})
wanted = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << 10) + bytes(48)
asker.send(struct.pack("=IHHII", 16 + len(wanted), 20, 0x301, 1, 0) + wanted)
asker.settimeout(1)
while True:
    data = asker.recv(1 << 20)
    while data:
        length, kind = struct.unpack_from("=IH", data)
        if kind != 20:
            raise SystemExit
        print(f"port {{struct.unpack_from('>H', data, 20)[0]}};", flush=True)
        data = data[(length + 3) & ~3:]
""",
        prepare=listens_unseen,
        succeeded=port_in_output,
    ),
)

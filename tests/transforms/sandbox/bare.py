"""A harness without a sandbox: an `exec` in a forked child, or in itself."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
from typing import Any

from tests.transforms.sandbox.harness import Harness, Report, started

NOBODY = 65534
VERSION_3 = 0x20080522
"""Of capabilities: 64 bits of them."""


def execute(source: str) -> str:
    """Runs a program as __main__; says how it ended."""
    try:
        exec(compile(source, "program.py", "exec"), {"__name__": "__main__"})
    except SystemExit:
        return "returned"
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        return "error"
    finally:
        sys.stdout.flush()
    return "returned"


def run_in_process(harness: Harness, source: str) -> Report:
    saved = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        began = time.monotonic()
        ending = execute(source)
        seconds = time.monotonic() - began
        for number, descriptor in enumerate(saved, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        output.seek(0)
        return {"ending": ending, "output": output.read().decode("latin-1"), "seconds": seconds}


def run_forked(harness: Harness, source: str) -> Report:
    output, writable = os.pipe()
    verdict, verdict_writable = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(harness.channel)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(writable, 1)
        os.dup2(writable, 2)
        os.close(writable)
        give_up_rights(harness.job)
        ending = execute(source)
        with contextlib.suppress(OSError):
            os.write(verdict_writable, json.dumps({"verdict": ending}).encode() + b"\n")
        os._exit(0)
    os.close(writable)
    os.close(verdict_writable)
    watched = Watched(child, output)
    watched.wait(harness.job["patience"])
    report = watched.report()
    os.set_blocking(verdict, False)
    return {**report, "ending": read_verdict(verdict), "seconds": time.monotonic() - began}


def give_up_rights(job: dict[str, Any]) -> None:
    """What a child gives up which it can take back."""
    for name, value in job["soft_limits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        resource.setrlimit(number, (value, resource.getrlimit(number)[1]))
    if job["drops"] == "user":
        os.setresuid(NOBODY, NOBODY, 0)
    elif job["drops"] == "capabilities":
        libc = ctypes.CDLL(None)
        header = struct.pack("=Ii", VERSION_3, 0)
        # Effective, permitted, inheritable; the low half, then the high one.
        rights = (ctypes.c_uint32 * 6)()
        libc.capget(header, rights)
        rights[0] = rights[3] = 0
        libc.capset(header, rights)


class Watched:
    """A child and its output, which ends when nobody holds it open."""

    def __init__(self, child: int, output: int) -> None:
        self.child, self.output = child, output
        self.content = bytearray()
        self.open, self.running = True, True
        self.overran = self.survived = False

    def wait(self, patience: float) -> None:
        """Waits for both; after that asks the child to end, and waits for it no more."""
        if not self._ended_within(patience):
            self.overran = True
            if self.running:
                os.kill(self.child, signal.SIGTERM)
            self.survived = not self._ended_within(0.3)

    def _ended_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (self.open or self.running) and time.monotonic() < end:
            if self.running and os.waitpid(self.child, os.WNOHANG)[0]:
                self.running = False
            if not self.open:
                time.sleep(0.01)
            elif select.select([self.output], [], [], 0.01)[0]:
                read = os.read(self.output, 1 << 20)
                self.content += read
                self.open = bool(read)
        return not (self.open or self.running)

    def report(self) -> Report:
        return {
            "output": self.content.decode("latin-1"),
            "overran": self.overran,
            "survived": self.survived,
        }


def read_verdict(pipe: int) -> str:
    """What the child says of itself, believed as it comes."""
    try:
        return str(json.loads(os.read(pipe, 1 << 16).split(b"\n")[0])["verdict"])
    except (BlockingIOError, ValueError, KeyError, TypeError):
        return "died"


def run(harness: Harness) -> None:
    one = run_in_process if harness.job["in_process"] else run_forked
    with tempfile.TemporaryDirectory(prefix="bare-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        reports = [one(harness, program) for program in harness.programs]
        os.chdir("/")
        harness.report(reports)


if __name__ == "__main__":
    run(started())

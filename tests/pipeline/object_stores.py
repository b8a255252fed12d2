"""Commands on runs in object stores, as processes that know of a test's server."""

from __future__ import annotations

import subprocess
import sys

from tests.object_server import ObjectServer


def start(server: ObjectServer, *arguments: object, **changes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=server.environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(
    server: ObjectServer, *arguments: object, status: int = 0, **changes: str
) -> tuple[str, str]:
    """What a command writes on standard output and standard error."""
    process = start(server, *arguments, **changes)
    output, errors = process.communicate()
    assert process.returncode == status, errors
    assert not [secret for secret in server.secrets if secret in output + errors]
    assert "Traceback" not in errors
    return output, errors

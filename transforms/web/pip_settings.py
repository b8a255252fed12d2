"""What pip is configured for on this machine, which is what its users expect of us too."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping


def index_address() -> str | None:
    """The index that pip would use, None for its default one."""
    return os.environ.get("PIP_INDEX_URL") or pip_settings().get("global.index-url")


def certificate_bundle() -> str | None:
    """The CA bundle that pip would use, None for the default one."""
    return os.environ.get("PIP_CERT") or pip_settings().get("global.cert")


@functools.cache
def pip_settings() -> Mapping[str, str]:
    """What pip's configuration files say; nothing where there is no pip."""
    if importlib.util.find_spec("pip") is None:
        return {}
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parse_pip_settings(listing.stdout)


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Parses lines such as ``global.cert='/some/file'``, as ``pip config list`` prints them."""
    settings = {}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        if equals and value.startswith(("'", '"')):
            settings[name] = str(ast.literal_eval(value))
    return settings

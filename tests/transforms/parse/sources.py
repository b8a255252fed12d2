"""Files of the standard library: real code that is at hand wherever Python is."""

import sysconfig
from functools import cache
from pathlib import Path

MAX_BYTES = 60_000


@cache
def standard_library(step: int = 5) -> dict[str, str]:
    """Every so many of its smaller files by name, as texts with plain line ends."""
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts)
    small = [path for path in paths if path.stat().st_size < MAX_BYTES][::step]
    found = {}
    for path in small:
        text = path.read_bytes().decode(errors="replace")
        if "\ufffd" not in text and not text.startswith("\ufeff"):
            found[str(path.relative_to(root))] = text.replace("\r\n", "\n")
    return found

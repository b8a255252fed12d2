"""Secrets in files by detect-secrets, with all of its plugins and filters as they come.

Runs in its own environment: ``FOLDER OUTPUT``. The output has a line for each file that it
scanned, with the file's name and the values found in it; the last line is the CPU seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from detect_secrets.core import scan
from detect_secrets.settings import default_settings


def scan_folder(folder: Path, output: Path) -> None:
    """Scans every file of a folder."""
    started = time.process_time()
    with default_settings(), output.open("w", encoding="utf-8") as lines:
        for path in sorted(folder.iterdir()):
            found = [[s.type, s.secret_value, s.line_number] for s in scan.scan_file(str(path))]
            lines.write(json.dumps([path.name, found]) + "\n")
        lines.write(json.dumps(time.process_time() - started) + "\n")


if __name__ == "__main__":
    scan_folder(Path(sys.argv[1]), Path(sys.argv[2]))

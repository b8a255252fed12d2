"""Virtual environments of the peers: each has its own, since they want different NumPys.

They are made on first use by pip, with pinned versions, under the folder of runs, and
made anew when what they should hold changes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness import ROOT

FOLDER = Path("benchmarks/runs/.peers")

_READER = "pyarrow==25.0.1"
REQUIREMENTS: Mapping[str, tuple[str, ...]] = {
    "datasketch": ("datasketch==2.0.0", "numpy==2.4.6", _READER),
    "datatrove": (
        "datatrove==0.10.1",
        "numpy==2.4.6",
        "regex",
        "tokenizers==0.23.3",
        "xxhash==3.7.1",
        _READER,
    ),
    "detect-secrets": ("detect-secrets==1.5.0",),
    "gaoya": ("gaoya==0.2.2", _READER),
    "loaders": (
        "datasets==5.2.0",
        "litdata==0.2.76",
        "megatron-core==0.16.1",
        "numpy==2.4.6",
        "torch==2.13.0",
        _READER,
    ),
    "mosaicml": ("mosaicml-streaming==0.13.0", "numpy==2.1.3", "torch==2.13.0", _READER),
    "parsers": (
        "libcst==1.9.0",
        "ruff==0.17.6",
        "tree-sitter==0.26.1",
        "tree-sitter-python==0.25.0",
    ),
    "rensa": ("rensa==0.5.0", _READER),
    "textdedup": (
        "bitarray",
        "datasets==5.2.0",
        "ftfy",
        "numpy==2.4.6",
        "polars==2.1.0",
        "polars-grouper==0.4.0",
        "psutil",
        "rbloom",
        "pydantic-settings",
        "regex",
        "rich",
        "scipy",
        "typing-extensions",
        "xxhash==3.7.1",
        _READER,
    ),
}
_ALONE = {"textdedup": "text-dedup==0.4.1"}
"""Installed without what it asks for, which is Python 3.12; see `_restate`."""
_MARKER = "requirements.txt"


def interpreter(name: str) -> Path:
    """The Python of a peer's environment, which is made if it is not there."""
    folder = ROOT / FOLDER / name
    wanted = "\n".join((sys.version, *REQUIREMENTS[name], _ALONE.get(name, "")))
    marker = folder / _MARKER
    if not marker.exists() or marker.read_text() != wanted:
        print(f"Installing {name} into {FOLDER / name}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, symlinks=True)
        _install(folder, *REQUIREMENTS[name])
        if name in _ALONE:
            _install(folder, "--no-deps", "--ignore-requires-python", _ALONE[name])
        if sys.version_info < (3, 12):
            _restate(folder)
        marker.write_text(wanted)
    return folder / "bin" / "python"


def _install(folder: Path, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    options = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *options, *arguments], check=True, cwd=ROOT)


def _restate(folder: Path) -> None:
    """Says in the words of Python 3.11 what text-dedup says in those of 3.12; all it needs."""
    for path in folder.glob("lib/python*/site-packages/text_dedup/**/*.py"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(map(_older, lines)))


def _older(line: str) -> str:
    if line.startswith("type "):
        return line.removeprefix("type ")
    return line.replace("from typing import override", "from typing_extensions import override")

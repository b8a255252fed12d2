"""What a fork server is told when it starts; all of it comes from the trusted side."""

from __future__ import annotations

import json
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path

from transforms.sandbox.limits import Limits, Tier

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
"""What is installed there may hold the answers: HumanEval's package has all solutions."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SHARED_FILES = ("/usr/share/zoneinfo", "/etc/ld.so.cache")


@dataclass(frozen=True)
class Settings:
    """Of one fork server; plain values, so that they travel as JSON."""

    tier: Tier
    limits: Limits
    preload: tuple[str, ...]
    """Modules of the standard library that are imported once, before any program."""

    calls: str
    """The seccomp filter in hexadecimal."""

    pivot_root: int
    """The number of that system call."""

    folder: str
    """An empty folder of this server."""

    user: int
    """Who programs run as on the machine, where the server may choose."""

    environment: dict[str, str]
    """Variables that programs find beside those of every world."""

    def to_json(self) -> str:
        """For the command line of the server."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What `to_json` gave."""
        values = json.loads(text)
        values["tier"] = Tier(values["tier"])
        values["limits"] = Limits(**values["limits"])
        values["preload"] = tuple(values["preload"])
        return cls(**values)


def readable_paths() -> list[Path]:
    """What a program may read: the standard library, and the libraries this process has loaded.

    To be asked in a process that has loaded nothing else. Packages in these folders stay hidden.
    """
    library = Path(sysconfig.get_path("stdlib"))
    wanted = {library, library / "lib-dynload", *map(Path, _SHARED_FILES), *_library_folders()}
    return sorted({path.resolve() for path in wanted if path.exists()})


def packages_in(folder: Path) -> list[Path]:
    """Folders of packages in a folder of libraries, or one level below."""
    found = (
        path for name in PACKAGE_FOLDERS for path in (folder / name, *folder.glob(f"*/{name}"))
    )
    return [path for path in found if path.is_dir()]


def _library_folders() -> set[Path]:
    names = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    files = {Path(parts[5]) for parts in names if len(parts) == 6 and ".so" in parts[5]}
    return {
        file.parent
        for file in files
        if file.is_file() and not set(PACKAGE_FOLDERS) & set(file.parts)
    }

"""What is fetched or built once on a machine, and kept in a cache folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def provide_once(place: Path, make: Callable[[Path], Path]) -> Path:
    """The file or folder at a place; if there is none, what ``make`` leaves is put there.

    ``make`` gets an empty folder, and says what in it is to be kept. What is at the place is
    there whole or not at all, and made by one process at a time.
    """
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                make(Path(folder)).replace(place)
    return place

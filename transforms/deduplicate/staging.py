"""What the steps of deduplication leave for one another: arrays in files of the staging folder.

They hold places and hashes of documents; only their names travel between workers. A
file is there whole or not at all, and one that is written twice has the same bytes.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from transforms.parts import Workspace
from transforms.stores.files import writing_to
from transforms.syntax_trees import parsing

reading_headers = parsing
"""Held by whoever opens a NumPy file: the header of one is a Python literal."""


@dataclass(frozen=True)
class StagedArrays:
    """Named arrays in the staging folder of a run."""

    workspace: Workspace

    def path(self, name: str) -> Path:
        """The file of this name, to be read while the path is held."""
        return self.workspace.staged("deduplicate", name)

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file that gets its name when it is whole."""
        return writing_to(self.workspace.output("deduplicate", name), durable=False)

    def save(self, name: str, array: npt.NDArray[Any]) -> None:
        """Writes an array."""
        with self.writing(name) as file:
            np.save(file, array)

    def save_pieces(
        self, name: str, dtype: npt.DTypeLike, size: int, pieces: Iterable[npt.NDArray[Any]]
    ) -> None:
        """Writes an array of one dimension that is never in memory whole.

        Raises `ValueError` where the pieces have another size together.
        """
        descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
        header = {"descr": descr, "fortran_order": False, "shape": (size,)}
        written = 0
        with self.writing(name) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, dtype=dtype).data.cast("B"))
                written += piece.size
            if written != size:
                raise ValueError(f"{name} was to have {size:,} rows, got {written:,}")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of this machine for files that only one step uses, while it works."""
        folder = self.workspace.output("deduplicate", "scratch").temporary()
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def load(self, name: str) -> npt.NDArray[Any]:
        """Reads an array whole."""
        with reading_headers:
            array: npt.NDArray[Any] = np.load(self.path(name))
        return array

    def map(self, name: str) -> npt.NDArray[Any]:
        """An array of which only what is touched is read."""
        with reading_headers:
            array: npt.NDArray[Any] = np.load(self.path(name), mmap_mode="r")
        return array

    def read_slice(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """The rows of an array from ``start`` to before ``stop``, and nothing else of its file.

        Raises `EOFError` where the file has fewer.
        """
        with self.path(name).open("rb") as file:
            with reading_headers:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            row = math.prod(shape[1:])
            file.seek(start * row * dtype.itemsize, os.SEEK_CUR)
            values: npt.NDArray[Any] = np.fromfile(file, dtype, (stop - start) * row)
        if values.size < (stop - start) * row:
            raise EOFError(f"{name} has {shape[0]:,} rows, asked for {start:,} to {stop:,}")
        return values.reshape(stop - start, *shape[1:])


def map_scratch(path: Path, dtype: npt.DTypeLike, size: int) -> npt.NDArray[Any]:
    """A new array of zeros on a file of its own, whose pages the system writes back to it."""
    if not size:
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, "w+", shape=size).view(np.ndarray)


@dataclass
class ScratchArrays:
    """Makes arrays of zeros: of up to ``most_bytes`` in memory, larger ones on files."""

    folder: Path
    most_bytes: int
    _files: int = 0

    def zeros(self, size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of one dimension."""
        if size * np.dtype(dtype).itemsize <= self.most_bytes:
            return np.zeros(size, dtype)
        self._files += 1
        return map_scratch(self.folder / f"array-{self._files}", dtype, size)

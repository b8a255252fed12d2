"""The order in which the documents of a part are read: by path, or imports first."""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby

import numpy as np
import numpy.typing as npt

from transforms.selected import Selected
from transforms.tokenize.import_order import order_files
from transforms.tokenize.imports import Import, find_imports


class Order(StrEnum):
    """How the files of a repository follow each other."""

    PATH = "path"
    """As they are sorted."""
    IMPORTS = "imports"
    """Those that a file imports before it."""


class ReadingOrder:
    """Learns the order of a part's documents as they pass."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._documents = 0
        self._files: list[tuple[tuple[str, str], str, tuple[Import, ...]]] = []

    def add(self, selected: Selected) -> None:
        """Takes note of the next documents of the part."""
        self._documents += len(selected.rows)
        if self._order is Order.IMPORTS:
            columns = ("repository", "revision", "path", "language")
            rows = zip(*(selected.rows[name].to_pylist() for name in columns), strict=True)
            for (repository, revision, path, language), text in zip(
                rows, selected.texts, strict=True
            ):
                found = find_imports(text.as_py(), language)
                self._files.append(((repository, revision), path, found))

    def ranks(self) -> npt.NDArray[np.int64]:
        """int64[documents]: the place of each document in the order."""
        ranks = np.arange(self._documents)
        first = 0
        for _, group in groupby(self._files, key=lambda file: file[0]):
            files = list(group)
            order = order_files([path for _, path, _ in files], [found for *_, found in files])
            ranks[first + np.asarray(order)] = np.arange(first, first + len(files))
            first += len(files)
        return ranks

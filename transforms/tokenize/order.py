"""The order in which the documents of a part are read: by path, or imports first."""

from __future__ import annotations

from enum import StrEnum

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
        self._ranks: list[npt.NDArray[np.int64]] = []
        self._repository: tuple[str, str] | None = None
        self._paths: list[str] = []
        self._imports: list[tuple[Import, ...]] = []

    def add(self, selected: Selected) -> None:
        """Takes note of the next documents of the part."""
        if self._order is Order.PATH:
            self._documents += len(selected.rows)
            return
        columns = ("repository", "revision", "path", "language")
        rows = zip(*(selected.rows[name].to_pylist() for name in columns), strict=True)
        for (repository, revision, path, language), text in zip(rows, selected.texts, strict=True):
            if (repository, revision) != self._repository:
                self._finish_repository()
                self._repository = repository, revision
            self._paths.append(path)
            self._imports.append(find_imports(text.as_py(), language))

    def _finish_repository(self) -> None:
        """Orders the files of the repository that has ended, and forgets what they import."""
        order = np.asarray(order_files(self._paths, self._imports), np.int64)
        ranks = np.empty(order.size, np.int64)
        ranks[order] = np.arange(self._documents, self._documents + order.size)
        self._ranks.append(ranks)
        self._documents += order.size
        self._paths, self._imports = [], []

    def ranks(self) -> npt.NDArray[np.int64]:
        """int64[documents]: the place of each document in the order, once all have passed."""
        if self._order is Order.PATH:
            return np.arange(self._documents)
        self._finish_repository()
        return np.concatenate(self._ranks)

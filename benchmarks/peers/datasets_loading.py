"""Loading by ``datasets``: the shards as they are, in torch's format, shuffled.

Either by torch's loader, or by indexing with the rows of a batch, which costs less.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import load_from_disk
from loading_batches import SEQUENCES, measure_epochs
from torch.utils.data import DataLoader


def main(how: str, run: Path) -> None:
    """Reads the shards ``by_loader`` or ``by_rows``."""
    dataset = load_from_disk(str(run / "shards"))["train"]
    dataset = dataset.select_columns("input_ids").with_format("torch")

    def by_loader() -> Iterator[Any]:
        for batch in DataLoader(dataset, batch_size=SEQUENCES, shuffle=True, num_workers=0):
            yield batch["input_ids"]

    def by_rows() -> Iterator[Any]:
        order = np.random.default_rng(1).permutation(len(dataset))
        for first in range(0, len(dataset), SEQUENCES):
            yield dataset[order[first : first + SEQUENCES]]["input_ids"]

    measure_epochs({"by_loader": by_loader, "by_rows": by_rows}[how], "datasets")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

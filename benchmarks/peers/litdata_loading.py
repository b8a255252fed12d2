"""Loading by LitData: its token loader, shuffled.

Either in batches by its own loader, or one sequence after another, stacked here, which
costs less. The sequences are written once by its ``optimize``, in chunks of 64 MB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from litdata import StreamingDataLoader, StreamingDataset, TokensLoader, optimize
from loading_batches import CONTEXT, SEQUENCES, measure_epochs


def read_tokens(path: str) -> Iterator[Any]:
    """The sequences in a file of ids, a tensor each."""
    for row in np.fromfile(path, dtype=np.uint16).reshape(-1, CONTEXT):
        yield torch.from_numpy(row)


def main(how: str, run: Path) -> None:
    """Writes the data on the first call, and reads it ``by_loader`` or ``by_items``."""
    folder = run / "litdata"
    if not (folder / "index.json").exists():
        optimize(
            read_tokens,
            [str(run / "rows.bin")],
            str(folder),
            chunk_bytes="64MB",
            num_workers=1,
            item_loader=TokensLoader(block_size=CONTEXT),
            reorder_files=False,
            keep_data_ordered=True,
            verbose=False,
        )

    dataset = StreamingDataset(
        str(folder), item_loader=TokensLoader(block_size=CONTEXT), shuffle=True, seed=1
    )

    def by_loader() -> Any:
        return StreamingDataLoader(dataset, batch_size=SEQUENCES, num_workers=0)

    def by_items() -> Iterator[Any]:
        batch = []
        for item in dataset:
            batch.append(item)
            if len(batch) == SEQUENCES:
                yield torch.stack(batch)
                batch = []

    measure_epochs({"by_loader": by_loader, "by_items": by_items}[how], "litdata")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

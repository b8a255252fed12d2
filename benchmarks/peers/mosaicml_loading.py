"""Loading by MosaicML Streaming: local MDS, shuffled, in batches by torch's loader."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loading_batches import SEQUENCES, measure_epochs
from streaming import StreamingDataset
from streaming.base.util import clean_stale_shared_memory
from torch.utils.data import DataLoader


def main(run: Path) -> None:
    """Reads what is in the format already."""
    clean_stale_shared_memory()
    dataset = StreamingDataset(
        local=str(run / "mds"), shuffle=True, batch_size=SEQUENCES, shuffle_seed=1
    )

    def epoch() -> Iterator[Any]:
        for batch in DataLoader(dataset, batch_size=SEQUENCES, num_workers=0):
            yield batch["input_ids"]

    measure_epochs(epoch, "mosaicml-streaming")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

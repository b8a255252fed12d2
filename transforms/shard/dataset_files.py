"""Files beside the shards with which ``datasets.load_from_disk`` opens their folder.

It expects a folder for each split that names its data files; here these folders hold nothing
else, and the names lead back to the shards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def dataset_files(
    shards: Mapping[str, Sequence[str]], fingerprint: str
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files, from the names of the shards of each split that has any.

    ``fingerprint`` stands for what the shards hold: the library names caches by it.
    """
    yield "dataset_dict.json", _json({"splits": list(shards)})
    for split, names in shards.items():
        state: dict[str, Any] = {
            "_data_files": [{"filename": f"../{name}"} for name in names],
            "_fingerprint": f"{fingerprint[:16]}-{split}",
            "_format_columns": None,
            "_format_kwargs": {},
            "_format_type": None,
            "_output_all_columns": False,
            "_split": split,
        }
        yield f"{split}/state.json", _json(state)
        # The shards themselves say what their columns are.
        yield f"{split}/dataset_info.json", _json({})


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()

"""The sample of the selected documents that a tokenizer is learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.draws import draw_shares
from transforms.hashes import content_keys
from transforms.parts import Workspace
from transforms.selected import iterate_selected


@dataclass(frozen=True)
class Sampling:
    """Which selected documents are in the sample.

    ``fraction`` of them in expectation; which ones depends on their content and the seed
    alone, so that a document does not come or go because others do.
    """

    fraction: float
    seed: int
    redact: tuple[str, ...] = ()


def sample_texts(workspace: Workspace, parts: Sequence[str], sampling: Sampling) -> Iterator[bytes]:
    """The texts of the sample, part by part."""
    for part in parts:
        for selected in iterate_selected(workspace, part, sampling.redact, ["sha256"]):
            drawn = draw_shares(content_keys(selected.rows["sha256"]), sampling.seed)
            chosen = np.flatnonzero(drawn < sampling.fraction)
            for text in selected.texts.take(pa.array(chosen)):
                yield text.as_py()

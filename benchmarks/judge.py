"""One judge for what any program drops: precision and recall against exact truth.

A document is dropped rightly if a kept one has the same content or is similar at the
threshold. A similar pair of contents is resolved if not both of them are kept. Contents
are compared as UTF-8 text by repomill's shingles, whatever a program makes its own of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.corpus import distinct_contents
from benchmarks.truth import Pairs, similar_pairs
from transforms.buffers import binary_buffers
from transforms.shingles import distinct_shingles


@dataclass(frozen=True)
class Verdict:
    """Dropped documents, the share of them that is right, and the share of resolved pairs.

    ``precision_of_contents`` counts the contents of which no copy is kept, each once, so
    that copies of equal bytes, which nobody gets wrong, do not hide what is wrong.
    """

    dropped: int
    precision: float
    precision_of_contents: float
    recall: float


@dataclass(frozen=True)
class Judge:
    """The truth about a run's documents, by their numbers over all parts in order.

    ``content`` int64[documents] says which distinct content a document has.
    """

    content: npt.NDArray[np.int64]
    pairs: Pairs

    def judge(self, dropped: Sequence[int] | npt.NDArray[np.integer]) -> Verdict:
        """Holds the numbers of dropped documents against the truth."""
        document_kept = np.ones(self.content.size, dtype=np.bool_)
        document_kept[np.asarray(dropped, dtype=np.int64)] = False
        kept = np.zeros(int(self.content.max()) + 1, dtype=np.bool_)
        kept[self.content[document_kept]] = True
        left, right, _ = self.pairs
        has_kept_match = kept.copy()
        has_kept_match[left[kept[right]]] = True
        has_kept_match[right[kept[left]]] = True
        gone = ~document_kept
        return Verdict(
            dropped=int(gone.sum()),
            precision=_share(has_kept_match[self.content[gone]]),
            precision_of_contents=_share(has_kept_match[~kept]),
            recall=_share(~(kept[left] & kept[right])),
        )


def _share(right: npt.NDArray[np.bool_]) -> float:
    return float(right.mean()) if right.size else 1.0


def read_truth(run: Path, threshold: float) -> Judge:
    """Finds every pair of similar contents among a run's documents, by exact counting."""
    content, distinct = distinct_contents(run)
    pairs, _ = similar_pairs(*distinct_shingles(*binary_buffers(distinct)), threshold)
    return Judge(content, pairs)

"""The bundled trainer, and the loader of shards that any trainer can use."""

from __future__ import annotations

from pipeline.train.batches import Batch, Batches, DocumentStarts
from pipeline.train.mapped import ShardsError

__all__ = ["Batch", "Batches", "DocumentStarts", "ShardsError"]

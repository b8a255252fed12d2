"""Shards in the file formats of other trainers: pure functions from record batches to bytes."""

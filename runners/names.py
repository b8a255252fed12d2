"""The engines by name; the command line shows them, and imports nothing else for that."""

from __future__ import annotations

from enum import StrEnum


class EngineName(StrEnum):
    """The engines that a run can name."""

    DIRECT = "direct"
    FLINK = "flink"
    SPARK = "spark"
    DATAFLOW = "dataflow"

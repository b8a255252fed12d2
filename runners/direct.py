"""The local runner: Beam's FnApiRunner in this process, with a thread a core.

Threads are enough because the work releases the GIL; docs/performance.md has the
measurement. Needs nothing but Beam. The runner is named explicitly: "DirectRunner"
may look for another engine and fall back without a word.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions


@dataclass(frozen=True)
class DirectSettings:
    """How the local runner works. ``workers`` of 0 means one a core that this process may use."""

    workers: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 (one a core) or more, got {self.workers}")


def available_cores() -> int:
    """The cores that this process may use, which a container may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pipeline_options(settings: DirectSettings) -> PipelineOptions:
    """The options that run a pipeline here."""
    return PipelineOptions(
        [],
        runner="FnApiRunner",
        direct_num_workers=settings.workers or available_cores(),
        # Also this mode uses all workers, as threads, and without sockets. In
        # "multi_threading" a timer flushes buffers in the middle of an element when its
        # coder is written in Python, and the reader fails on what is left (Beam 2.77,
        # data_plane.TimeBasedBufferingClosableOutputStream).
        direct_running_mode="in_memory",
        save_main_session=False,
    )

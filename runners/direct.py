"""The local runner: Beam's FnApiRunner in this process, with a thread a core.

Threads are enough because the work releases the GIL; docs/performance.md has the
measurement. Needs nothing but Beam. The runner is named explicitly: "DirectRunner"
may look for another engine and fall back without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runners.cores import available_cores
from runners.settings import EngineSettings, Tell

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


def pipeline_options(settings: EngineSettings) -> PipelineOptions:
    """The options that run a pipeline here."""
    # Beam takes a second to import, which a run that is up to date need not wait for.
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(
        list(settings.options),
        runner="FnApiRunner",
        direct_num_workers=settings.workers or available_cores(),
        # Also this mode uses all workers, as threads, and without sockets. In
        # "multi_threading" a timer flushes buffers in the middle of an element when its
        # coder is written in Python, and the reader fails on what is left (Beam 2.77,
        # data_plane.TimeBasedBufferingClosableOutputStream).
        direct_running_mode="in_memory",
        save_main_session=False,
    )


@dataclass(frozen=True)
class DirectEngine:
    """This process as the engine of a run."""

    settings: EngineSettings

    def problems(self) -> list[str]:
        """What the settings ask for and only a cluster has."""
        if self.settings.url:
            return [f"--runner-url {self.settings.url}: name the cluster's engine by --runner"]
        return []

    @contextmanager
    def started(self, tell: Tell) -> Iterator[DirectEngine]:
        """Itself: there is nothing to start."""
        yield self

    def options(self, job: str) -> PipelineOptions:
        """The options that run a pipeline here, as whatever job."""
        return pipeline_options(self.settings)

    def link(self, job: str) -> str:
        """Nowhere: what there is to see is in the terminal."""
        return ""

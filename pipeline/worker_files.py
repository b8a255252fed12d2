"""What the workers of a stage read besides tables: opt-outs, and an index of benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.configuration import Configuration
from pipeline.contamination import index_path, prepare_index
from pipeline.optouts import OPT_OUT_STAGES, file_entries, opt_outs_path
from transforms.parts import Workspace


def prepare_worker_files(stage: str, configuration: Configuration) -> Callable[[Workspace], None]:
    """Reads what the files of a stage are made of; the result writes them into its workspace.

    Raises:
      UsageError: a list or a benchmark is wrong, which is best known before the stage begins.
    """
    opt_outs = file_entries(configuration) if stage in OPT_OUT_STAGES else None
    benchmarks = prepare_index(configuration.contamination) if stage == "annotate" else None

    def write(workspace: Workspace) -> None:
        path = opt_outs_path(configuration.opt_out, workspace)
        if opt_outs and path:
            opt_outs.save(Path(path))
        if benchmarks:
            benchmarks.save(Path(index_path(configuration.contamination, workspace)))

    return write

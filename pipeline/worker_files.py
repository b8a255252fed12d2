"""What the workers of a stage read besides tables: opt-outs, benchmarks, a given tokenizer."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.benchmark_functions import FUNCTIONS_FILE, prepare_functions
from pipeline.configuration import Configuration
from pipeline.contamination import INDEX_FILE, prepare_index
from pipeline.optouts import OPT_OUT_STAGES, OPT_OUTS_FILE, file_entries, opt_outs_path
from pipeline.problem_files import check_sets
from pipeline.runs import Run
from pipeline.stages import wanted_on_demand
from pipeline.tokenizer import GIVEN_FOLDER, measuring_choice, prepare_tokenizer
from schemas.redundancy import CHARACTERS_PER_TOKEN
from transforms.parts import Workspace
from transforms.stores.address import below


def open_workspace(
    run: Run, configuration: Configuration, stage: str, fingerprint: str
) -> Workspace:
    """The workspace of a stage, with the files that its workers read besides tables.

    Raises:
      UsageError: a list, a benchmark or a tokenizer is wrong; what was staged is untouched.
    """
    write_files = prepare_worker_files(stage, configuration)
    workspace = run.open_staging(stage, fingerprint)
    write_files(workspace)
    return workspace


def prepare_worker_files(stage: str, configuration: Configuration) -> Callable[[Workspace], None]:
    """Reads what the files of a stage are made of; the result writes them into its workspace.

    Raises:
      UsageError: a list, a benchmark, a set of problems or a tokenizer is wrong, which is best
        known before the stage begins.
    """
    opt_outs = file_entries(configuration) if stage in OPT_OUT_STAGES else None
    contamination = configuration.contamination
    benchmarks = prepare_index(contamination) if stage == "annotate" else None
    functions = prepare_functions(contamination) if stage == "trace" else None
    tokenizer = _tokenizer_files(stage, configuration)
    if stage == "collect":
        check_sets(configuration.collect)

    def write(workspace: Workspace) -> None:
        files = workspace.files
        if opt_outs and opt_outs_path(configuration.opt_out, workspace):
            files.write(OPT_OUTS_FILE, opt_outs.to_bytes(), durable=False)
        if benchmarks:
            files.write(INDEX_FILE, benchmarks.to_bytes(), durable=False)
        if functions:
            files.write(FUNCTIONS_FILE, functions, durable=False)
        for name, text in tokenizer.items():
            files.write(below(GIVEN_FOLDER, name), text.encode())

    return write


def _tokenizer_files(stage: str, configuration: Configuration) -> dict[str, str]:
    if stage == "parse" and CHARACTERS_PER_TOKEN in wanted_on_demand(configuration):
        return prepare_tokenizer(measuring_choice(configuration), whole=True)
    choice = configuration.tokenize.tokenizer
    if stage == "learn" and choice.train is None:
        return prepare_tokenizer(choice, whole=False)
    return {}

"""What is done in a run, what is stale, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.configuration import Configuration
from pipeline.errors import UsageError
from pipeline.runs import Run
from pipeline.stages import Stage, stages_of
from schemas.manifest import Manifest


class State(StrEnum):
    """How a stage stands."""

    DONE = "done"
    STALE = "stale"
    MISSING = "missing"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class StageState:
    """How a stage stands and why; ``fingerprint`` is what its tables must have to be done.

    ``settings`` and ``inputs`` are what the stage would run with; ``inputs`` is None
    as long as a table that it reads is not there.
    """

    stage: Stage
    state: State
    why: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str] | None
    manifests: Mapping[str, Manifest]


def stage_state(run: Run, configuration: Configuration, stage: Stage) -> StageState:
    """How one stage stands, taking the tables it reads as they are."""
    settings = stage.settings(configuration)
    inputs, waits_for = _input_digests(run, stage)
    manifests = {
        table: manifest for table in stage.outputs if (manifest := run.manifest(table)) is not None
    }

    def result(state: State, why: str = "") -> StageState:
        return StageState(stage, state, why, settings, inputs, manifests)

    if inputs is None:
        return result(State.MISSING, f"needs {waits_for}")
    differences = [_difference(run, stage, each, settings, inputs) for each in manifests.values()]
    if len(manifests) == len(stage.outputs) and not any(differences):
        return result(State.DONE)
    if stage.name in run.leftovers():
        return result(State.INTERRUPTED, "began and did not finish; the next run resumes it")
    if len(manifests) < len(stage.outputs):
        return result(State.MISSING, "part of it is missing" if manifests else "has not run")
    return result(State.STALE, next(why for why in differences if why))


def run_states(run: Run, configuration: Configuration) -> list[StageState]:
    """How all stages stand; one that reads a table that is to be redone is stale with it."""
    states: list[StageState] = []
    redone: dict[str, str] = {}
    for stage in stages_of(configuration):
        state = _state_or_problem(run, configuration, stage)
        upstream = next((redone[table] for table in stage.inputs if table in redone), None)
        if state.state is State.DONE and upstream is not None:
            why = f"{upstream} is to be redone before it"
            state = StageState(
                stage, State.STALE, why, state.settings, state.inputs, state.manifests
            )
        if state.state is not State.DONE:
            redone |= dict.fromkeys(stage.outputs, stage.name)
        states.append(state)
    return states


def _state_or_problem(run: Run, configuration: Configuration, stage: Stage) -> StageState:
    """How a stage stands, where a list or folder that is gone must not hide the others."""
    try:
        return stage_state(run, configuration, stage)
    except UsageError as error:
        return StageState(stage, State.STALE, str(error), {}, None, {})


def _input_digests(run: Run, stage: Stage) -> tuple[dict[str, str] | None, str]:
    digests: dict[str, str] = {}
    for table in stage.inputs:
        manifest = run.manifest(table)
        if manifest is None:
            return None, table
        digests[table] = manifest.digest
    return digests, ""


def _difference(
    run: Run,
    stage: Stage,
    manifest: Manifest,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> str:
    """Why a committed table is not what the stage would write now, or nothing."""
    missing = run.missing_files(manifest)
    if missing:
        return f"{manifest.table}/{missing[0]} is gone or has another size"
    if manifest.fingerprint == stage.fingerprint(settings, inputs):
        return ""
    changed = [*_changed("configuration", manifest.settings, settings)]
    changed += _changed("input", manifest.inputs, inputs)
    return "; ".join(changed) or "this version of repomill computes it differently"


def _changed(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if "sources" in keys and _said_of_sources(old) == _said_of_sources(new):
        keys.remove("sources")
        yield "a list, or the names of files or folders, changed: sources"
    if keys:
        yield f"{what} changed: {', '.join(keys)}"


def _said_of_sources(settings: Mapping[str, Any]) -> list[Any]:
    """What the configuration says of sources, without the state of what they name."""
    return [source[:2] for source in settings.get("sources", ())]

"""The graph of every stage as an engine gets it: what it is called and what it carries."""

import base64
import bz2
import functools
import io
import pickle
import random
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import (
    BytesCoder,
    Coder,
    IterableCoder,
    StrUtf8Coder,
    TupleCoder,
    VarIntCoder,
)
from apache_beam.internal import pickler
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipeline.stages import STAGES
from tests.pipeline.jobs import add_stage
from transforms.coders import RecordBatchCoder
from transforms.execute.stage import ExecuteOptions, ExecuteSamples
from transforms.parts import Workspace
from transforms.sandbox.limits import Limits
from transforms.stage import Begin

STAGE_NAMES = [stage.name for stage in STAGES]
EVERYTHING = (
    "select.rules={long_tokens: characters_per_token > 9, refused: not license_allowed}",
    "select.licenses={allow: [MIT, Apache-2.0, BSD-3-Clause, ISC, Zlib], deny: [GPL-3.0-only]}",
    "deduplicate.levels=[exact, normalized, near, repository]",
    "tokenize.tokenizer={train: {vocab_size: 400}}",
    "tokenize.fill_in_the_middle.rate=0.5",
    "tokenize.header=special",
    "shard.mixture={weights: {language: {python: 2}}, max_repository_share: 0.9}",
    "shard.formats=[mds, megatron]",
)
MAX_PAYLOAD_BYTES = 4_000

UNITS = ("Name units/Start", "Name units/Emit", "Spread units", "Work")
SPREAD = ("Name", "Gather", "Take")
BY_UNIT = tuple(f"ProcessUnits/{name}" for name in UNITS)


def spread(label: str) -> tuple[str, ...]:
    return tuple(f"{label}/{name}" for name in SPREAD)


def begin(label: str) -> tuple[str, ...]:
    return f"{label}/Start", f"{label}/Emit"


# Engines that update or resume a job, and people who watch one, know its steps by these.
STEPS = {
    "list": BY_UNIT,
    "crawl": BY_UNIT,
    "annotate": BY_UNIT,
    "parse": BY_UNIT,
    "deduplicate": (
        *begin("Begin"),
        "Rank repositories",
        *spread("Spread parts to claim contents"),
        "Claim contents",
        "Gather contents",
        "Group contents",
        "Gather groups",
        "Claim bands",
        "Gather bands",
        "Find candidates",
        "Gather links",
        "Contract links",
        "Gather forests",
        "Divide partners",
        *spread("Spread units to divide"),
        "Divide by batch",
        "Gather batches",
        "Decide batches",
        *spread("Spread parts to write"),
        "Write duplicates",
    ),
    "select": BY_UNIT,
    "learn": BY_UNIT,
    "tokenize": BY_UNIT,
    "shard": (
        *begin("Name parts"),
        *spread("Spread parts"),
        "Measure tokens",
        "Gather measures",
        "Divide parts",
        *spread("Spread sections to summarize"),
        "Summarize sections",
        "Gather clusters",
        "Link repositories",
        "Gather links",
        "Choose splits",
        *spread("Spread sections to count"),
        "Count sequences",
        "Gather counts",
        "Lay out shards",
        *spread("Spread sections to divide"),
        "Divide sequences",
        "Gather pieces",
        "Plan shards",
        "Gather plans",
        "Finish plan",
        *begin("Name tokenizer"),
        "All units",
        *spread("Spread shards"),
        "Write shards",
    ),
    "gather": BY_UNIT,
    "trace": (
        *begin("Begin"),
        "Name parts",
        *spread("Spread parts"),
        "List repositories",
        *spread("Spread repositories"),
        "Trace repositories",
        "Join",
        "Gather parts",
        "Write parts",
    ),
    "collect": (
        *begin("Begin"),
        *spread("Spread parts"),
        "Claim texts",
        "No drops",
        "Gather for duplicate_text",
        "Keep best for duplicate_text",
        "Drop copies for duplicate_text",
        "Gather for duplicate_behavior",
        "Keep best for duplicate_behavior",
        "Drop copies for duplicate_behavior",
        "Join drops",
        "Gather drops",
        "Write parts",
        "Gather parts",
        "Join lines",
        *(f"Sets/{name}" for name in UNITS),
        "Finished",
    ),
}
# Where a repository may be a copy of another, and where one may have too large a share.
MORE_STEPS = {
    "deduplicate": (*spread("Spread parts to compare"), "Compare repositories"),
    "shard": (
        *spread("Spread sections to weigh"),
        "Weigh repositories",
        "Gather weights",
        "Limit repositories",
    ),
}

_PAYLOAD = beam_runner_api_pb2.ParDoPayload


class Job:
    """What an engine gets of a pipeline."""

    def __init__(self, pipeline: beam.Pipeline) -> None:
        self.proto, self._context = pipeline.to_runner_api(return_context=True)
        self.steps = {
            transform.unique_name: transform
            for transform in self.proto.components.transforms.values()
            if not transform.subtransforms
        }

    def coders(self, step: str) -> Iterator[Coder]:
        for collection in self.steps[step].outputs.values():
            coder_id = self.proto.components.pcollections[collection].coder_id
            yield self._context.coders.get_by_id(coder_id)

    def payloads(self) -> dict[str, bytes]:
        found = {}
        for name, step in self.steps.items():
            if step.spec.urn == common_urns.primitives.PAR_DO.urn:
                found[name] = _PAYLOAD.FromString(step.spec.payload).do_fn.payload
        return found


@pytest.fixture(scope="module")
def job_of(finished):
    @functools.cache
    def build(stage, changes=()):
        return Job(add_stage(beam.Pipeline(), finished, stage, changes))

    return build


def within(coder: Coder) -> Iterator[Coder]:
    yield coder
    if isinstance(coder, TupleCoder):
        for component in coder.coders():
            yield from within(component)
    if isinstance(coder, IterableCoder):
        yield from within(coder.value_coder())


class Names(pickle.Unpickler):
    """Reads a pickle and keeps the modules of what it names."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(io.BytesIO(bz2.decompress(base64.b64decode(payload))))
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.modules.add(module)
        return super().find_class(module, name)


def strangers(payload: bytes) -> set[str]:
    """Modules that a pickle names and that workers lack, or that make code from bytes."""
    names = Names(payload)
    names.load()
    known = {"apache_beam", "builtins", "schemas", "transforms"}
    return {m for m in names.modules if m.split(".")[0] not in known or "cloudpickle" in m}


@pytest.mark.parametrize("stage", STAGE_NAMES)
@pytest.mark.parametrize("changes", [(), EVERYTHING], ids=["defaults", "everything"])
def test_steps_are_called_what_they_were(job_of, stage, changes):
    more = MORE_STEPS.get(stage, ()) if changes else ()
    steps = {f"{stage.capitalize()}/{name}" for name in (*STEPS[stage], *more)}
    assert job_of(stage, changes).steps.keys() == steps


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_what_steps_hand_on_has_a_coder_of_its_type(job_of, stage):
    job = job_of(stage)
    for name in job.steps:
        for coder in job.coders(name):
            kinds = {type(each) for each in within(coder)}
            typed = {BytesCoder, IterableCoder, RecordBatchCoder, StrUtf8Coder, TupleCoder}
            assert kinds <= {*typed, VarIntCoder}, f"{name}: {coder}"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_keys_are_numbers_or_names(job_of, stage):
    job = job_of(stage)
    keys = [
        coder.key_coder()
        for name, step in job.steps.items()
        if step.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn
        for coder in job.coders(name)
    ]
    assert keys
    kinds = {type(each) for key in keys for each in within(key)}
    assert kinds <= {VarIntCoder, StrUtf8Coder, TupleCoder}


@pytest.mark.parametrize("stage", STAGE_NAMES)
@pytest.mark.parametrize("changes", [(), EVERYTHING], ids=["defaults", "everything"])
def test_no_step_carries_much(job_of, stage, changes):
    payloads = job_of(stage, changes).payloads()
    assert payloads
    assert {
        name: len(each) for name, each in payloads.items() if len(each) > MAX_PAYLOAD_BYTES
    } == {}


@pytest.mark.parametrize("stage", STAGE_NAMES)
@pytest.mark.parametrize("changes", [(), EVERYTHING], ids=["defaults", "everything"])
def test_what_steps_do_is_pickled_by_name(job_of, stage, changes):
    for name, payload in job_of(stage, changes).payloads().items():
        assert strangers(payload) == set(), name


def test_the_job_of_score_carries_names_of_batches_and_how_to_run_them():
    names = [f"batch-{number:06}" for number in range(100)]
    options = ExecuteOptions(Limits(), "problems", None, ("math", "typing"))
    pipeline = beam.Pipeline()
    pipeline | "Score" >> ExecuteSamples(Workspace("run", "run"), names, options)
    job = Job(pipeline)
    steps = (*begin("Name batches"), *spread("Spread batches"), "Judge samples")
    assert job.steps.keys() == {f"Score/{name}" for name in steps}
    payloads = job.payloads()
    assert max(map(len, payloads.values())) < MAX_PAYLOAD_BYTES
    assert set().union(*map(strangers, payloads.values())) == set()
    for name in job.steps:
        kinds = {type(each) for coder in job.coders(name) for each in within(coder)}
        assert kinds <= {BytesCoder, IterableCoder, StrUtf8Coder, TupleCoder, VarIntCoder}, name


def test_code_that_is_pickled_whole_is_seen():
    payload = pickler.dumps(lambda: None)
    assert any("cloudpickle" in module for module in strangers(payload))


def test_a_text_that_a_step_carries_is_seen(finished):
    text = random.Random(1).randbytes(1 << 16)
    pipeline = beam.Pipeline()
    pipeline | "Carry" >> Begin([text], bytes)
    payload = Job(pipeline).payloads()["Carry/Emit"]
    assert len(payload) > MAX_PAYLOAD_BYTES


def test_names_of_many_parts_make_no_large_job():
    pipeline = beam.Pipeline()
    pipeline | "Name" >> Begin([(f"part-{part:05d}", 0) for part in range(32_768)], tuple[str, int])
    assert len(Job(pipeline).payloads()["Name/Emit"]) < 2 * 32_768

import time
from dataclasses import dataclass

import apache_beam as beam
import pytest
from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions
from apache_beam.testing.util import assert_that, equal_to

from runners.cores import available_cores
from runners.direct import pipeline_options
from runners.settings import EngineSettings


def test_names_the_runner_and_uses_every_core():
    options = pipeline_options(EngineSettings())
    assert options.view_as(StandardOptions).runner == "FnApiRunner"
    assert options.view_as(DirectOptions).direct_num_workers == available_cores()
    assert (
        pipeline_options(EngineSettings(workers=3)).view_as(DirectOptions).direct_num_workers == 3
    )


def test_refuses_a_negative_number_of_workers():
    with pytest.raises(ValueError, match=r"workers must be 0 .* got -1"):
        EngineSettings(workers=-1)


@dataclass(frozen=True)
class Slow:
    """A value whose coder takes its time, as one does that waits for the GIL."""

    number: int


class SlowCoder(Coder):
    def encode(self, value):
        time.sleep(0.25)
        return str(value.number).encode() * 100

    def decode(self, encoded):
        return Slow(int(encoded[: len(encoded) // 100]))

    def is_deterministic(self):
        return True


def test_elements_arrive_whole_however_long_a_bundle_takes():
    """A buffer that is flushed by the clock would be cut in the middle of an element."""
    registry.register_coder(Slow, SlowCoder)
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        grouped = (
            pipeline
            | beam.Create(range(8))
            | beam.Reshuffle()
            | beam.Map(lambda n: (n % 3, Slow(n))).with_output_types(tuple[int, Slow])
            | beam.GroupByKey()
            | beam.MapTuple(lambda key, values: (key, sorted(value.number for value in values)))
        )
        assert_that(grouped, equal_to([(0, [0, 3, 6]), (1, [1, 4, 7]), (2, [2, 5])]))

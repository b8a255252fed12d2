from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.score_options import (
    LEAST_OPEN_FILES,
    read_ks,
    read_limits,
    read_output,
    read_tier,
    score_engine,
)
from runners.names import EngineName
from transforms.sandbox.limits import Limits, Tier


@pytest.mark.parametrize(
    ("text", "ks"),
    [("1", (1,)), ("100,1,10", (1, 10, 100)), ("5,5,1", (1, 5)), (" 2 , 3 ", (2, 3))],
)
def test_ks_ascend_and_each_is_there_once(text, ks):
    assert read_ks(text) == ks


@pytest.mark.parametrize("text", ["", "0", "-1", "1,", "1;10", "1.5", "ten"])
def test_what_are_no_ks_is_quoted(text):
    with pytest.raises(UsageError, match="must be numbers from 1") as caught:
        read_ks(text)
    assert repr(text) in str(caught.value)


def test_limits_are_the_defaults_but_for_those_that_are_changed():
    assert read_limits(()) == Limits()
    changed = read_limits(["memory_bytes=2e9", "forks=True", "files=7", "cpu_seconds=1.5"])
    assert changed == Limits(memory_bytes=2_000_000_000, forks=True, files=7, cpu_seconds=1.5)
    assert type(changed.memory_bytes) is int


def test_a_limit_that_is_given_twice_is_the_last_one():
    assert read_limits(["files=7", "files=8"]).files == 8


def test_more_cpu_time_brings_the_time_of_the_clock_that_it_may_take():
    assert read_limits(["cpu_seconds=4"]).wall_seconds == Limits().wall_seconds
    assert read_limits(["cpu_seconds=30"]).wall_seconds == 120
    assert read_limits(["cpu_seconds=30", "wall_seconds=40"]).wall_seconds == 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("memory=1", "no limit is called 'memory'; did you mean memory_bytes?"),
        ("x=1", "no limit is called 'x'; there are cpu_seconds, wall_seconds,"),
        ("=1", "no limit is called ''"),
        ("cpu_seconds", "cpu_seconds must be a number of seconds"),
        ("cpu_seconds=fast", "cpu_seconds must be a number of seconds"),
        ("cpu_seconds=inf", "cpu_seconds must be a number of seconds"),
        ("cpu_seconds=nan", "cpu_seconds must be above 0, got nan"),
        ("cpu_seconds=-1", "cpu_seconds must be above 0, got -1.0"),
        ("wall_seconds=1", "wall_seconds must be at least cpu_seconds"),
        ("memory_bytes=1e30", "memory_bytes must be a whole number below 2^53"),
        ("memory_bytes=512M", "memory_bytes must be a whole number"),
        ("processes=2.5", "processes must be a whole number"),
        ("processes=nan", "processes must be a whole number"),
        ("files=0", "files must be above 0, got 0"),
        ("forks=1", "forks must be true or false"),
    ],
)
def test_a_limit_that_cannot_be_is_a_wrong_call(change, said):
    with pytest.raises(UsageError) as caught:
        read_limits([change])
    assert said in str(caught.value)
    assert "--limit" in str(caught.value)


def test_the_fork_server_needs_some_files_open():
    assert read_limits([f"open_files={LEAST_OPEN_FILES}"]).open_files == LEAST_OPEN_FILES
    with pytest.raises(UsageError, match=f"open_files must be at least {LEAST_OPEN_FILES}"):
        read_limits([f"open_files={LEAST_OPEN_FILES - 1}"])


@pytest.mark.parametrize(
    ("name", "tier"),
    [(None, None), ("A", Tier.NAMESPACES), ("a", Tier.NAMESPACES), ("b", Tier.LANDLOCK)],
)
def test_a_tier_is_named_by_its_letter(name, tier):
    assert read_tier(name, unsafe=False) is tier


@pytest.mark.parametrize("name", ["C", "", "unsafe"])
def test_no_other_tier_is_there(name):
    with pytest.raises(UsageError, match="--tier must be A or B"):
        read_tier(name, unsafe=False)


def test_unsafe_is_asked_for_by_its_own_name_alone():
    assert read_tier(None, unsafe=True) is Tier.UNSAFE
    with pytest.raises(UsageError, match="--unsafe uses no tier"):
        read_tier("A", unsafe=True)


def test_results_do_not_replace_what_they_are_of(tmp_path):
    samples, problems = tmp_path / "s.jsonl", tmp_path / "p.jsonl"
    samples.touch()
    problems.touch()
    new = tmp_path / "new.jsonl"
    assert read_output(new, samples, problems) == new
    link = tmp_path / "link.jsonl"
    link.symlink_to(samples)
    for given in (samples, problems, link):
        with pytest.raises(UsageError, match="would replace"):
            read_output(given, samples, problems)


@pytest.mark.parametrize("name", ["r.jsonl.gz", "r.parquet", "R.ZST"])
def test_results_are_not_called_what_they_are_not(name):
    with pytest.raises(UsageError, match="results are plain JSON Lines"):
        read_output(Path(name), Path("s.jsonl"), None)


def test_results_are_no_folder(tmp_path):
    with pytest.raises(UsageError, match="is a folder: name a file in it"):
        read_output(tmp_path, Path("s.jsonl"), None)


def test_the_engine_is_the_one_that_is_named():
    engine = score_engine(EngineName.FLINK, "HOST:8081", 3)
    assert (engine.name, engine.url, engine.workers) == ("flink", "HOST:8081", 3)

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.closing import shortened
from pipeline.commands import app
from pipeline.costs import COSTS, REPOSITORY_BYTES, SECTION_PIECES, TABLE_SHARES
from pipeline.plan import MAX_PARTS, PART_BYTES, Corpus, plan_run, recommend_parts
from pipeline.reading import read_configuration
from pipeline.stages import CORPUS_STAGES, PRODUCERS, STAGES
from transforms.shard.options import Division

REPOSITORIES, TEN_TERABYTES = 54_000_000, 10_000_000_000_000
corpora = st.builds(Corpus, st.integers(1, 10**8), st.integers(1, 10**14))
workers = st.integers(1, 4096)


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """Reads a configuration of one source with some changes."""
    path = tmp_path_factory.mktemp("plan") / "config.yaml"
    path.write_text("sources: [{git: {urls: [https://example.org/a/b.git]}}]\n")
    return lambda *changes: read_configuration(path, changes=changes)


@pytest.fixture(scope="module")
def configuration(configured):
    return configured()


def stage(plan, name):
    return next(each for each in plan.stages if each.name == name)


def test_there_are_constants_for_every_stage_and_table():
    assert COSTS.keys() == {stage.name for stage in STAGES}
    otherwise = {"tokens", "shards", "megatron", "mds"}
    assert TABLE_SHARES.keys() | REPOSITORY_BYTES.keys() | otherwise == PRODUCERS.keys()


@pytest.mark.parametrize(("repositories", "size"), [(0, 1), (1, 0), (-1, 5)])
def test_refuses_a_corpus_of_nothing(repositories, size):
    with pytest.raises(ValueError, match="at least one repository and one byte"):
        Corpus(repositories, size)


@given(corpora, workers)
def test_parts_are_a_power_of_two_that_keeps_workers_busy_and_parts_small(corpus, workers):
    parts = recommend_parts(corpus, workers)
    assert parts & (parts - 1) == 0
    assert 32 <= parts <= MAX_PARTS
    if parts < MAX_PARTS:
        assert parts >= 4 * workers
        assert corpus.bytes / parts <= PART_BYTES
    if parts > 32:
        assert parts < 8 * workers or corpus.bytes / parts >= PART_BYTES / 2


@given(corpora, workers)
def test_more_text_never_takes_less(configuration, corpus, workers):
    less = plan_run(configuration, corpus, workers)
    more = plan_run(configuration, replace(corpus, bytes=2 * corpus.bytes), workers)
    for one, other in zip(less.stages, more.stages, strict=True):
        for name in ("cpu_seconds", "memory", "shuffled", "read", "written", "files"):
            assert getattr(one, name) <= getattr(other, name), (one.name, name)


@given(corpora, workers)
def test_more_workers_take_no_more_time_and_no_less_work(configuration, corpus, workers):
    few, many = (plan_run(configuration, corpus, count) for count in (workers, 2 * workers))
    assert many.seconds <= few.seconds
    for one, other in zip(few.stages, many.stages, strict=True):
        assert one.cpu_seconds <= other.cpu_seconds
        assert (one.read, one.written, one.files) == (other.read, other.written, other.files)


@given(corpora, workers)
def test_time_is_at_least_the_work_shared_and_the_work_of_one(configuration, corpus, workers):
    for each in plan_run(configuration, corpus, workers).stages:
        assert each.workers <= min(workers, each.units)
        if each.name == "deduplicate":
            assert each.seconds >= COSTS[each.name].serial_seconds_a_gb * corpus.bytes / 1e9
        assert each.seconds * each.workers >= each.cpu_seconds * 0.999


def test_more_parts_need_less_memory_and_more_files(configured):
    corpus = Corpus(1000, 10**12)
    few, many = (plan_run(configured(f"crawl.parts={n}"), corpus, 8) for n in (8192, 32768))
    for name in ("crawl", "annotate", "tokenize"):
        assert stage(many, name).memory < stage(few, name).memory
        assert stage(many, name).files > 3 * stage(few, name).files
    assert stage(many, "shard").memory == stage(few, "shard").memory


def test_parts_above_what_a_worker_holds_of_one_need_no_more_memory(configured):
    plans = (plan_run(configured(f"crawl.parts={n}"), Corpus(9, 10**12), 8) for n in (1024, 4096))
    few, many = (stage(plan, "annotate").memory for plan in plans)
    assert few == many


def test_deduplication_holds_its_budget(configured):
    small, large = (
        plan_run(configured(f"deduplicate.memory_bytes={n}"), Corpus(1000, 10**12), 8)
        for n in (1 << 30, 2 << 30)
    )
    more = stage(large, "deduplicate").memory - stage(small, "deduplicate").memory
    assert more == 1 << 30


def test_deduplication_holds_something_of_each_document_if_repositories_are_compared(configured):
    def memory(corpus, *changes):
        return stage(plan_run(configured(*changes), corpus, 8), "deduplicate").memory

    small, large = Corpus(1000, 10**13), Corpus(10**8, 10**14)
    assert memory(small) == memory(large)
    compared = "deduplicate.levels=[exact, near, repository]"
    assert memory(large, compared) - memory(small, compared) > 30 * large.documents * 0.9


def test_shards_are_planned_in_memory_that_has_an_end(configured):
    few, many, more = (
        stage(plan_run(configured(), Corpus(1000, size * 10**9), 8), "shard").memory
        for size in (1, 1_000, 100_000)
    )
    assert few < many == more < 2 * 10**9
    assert Division().section_pieces == SECTION_PIECES


def test_what_the_configuration_asks_for_is_planned(configured):
    corpus = Corpus(1000, 10**11)
    plain = plan_run(configured(), corpus, 8)
    changed = plan_run(
        configured(
            "shard.epochs=3",
            "shard.formats=[mds]",
            "annotate.permutations=128",
            "select.preset=opencoder",
        ),
        corpus,
        8,
    )
    shards = stage(plain, "shard").written
    assert stage(changed, "shard").written == pytest.approx(6 * shards, rel=0.01)
    assert stage(changed, "annotate").written < 0.6 * stage(plain, "annotate").written
    assert stage(changed, "parse").cpu_seconds > 10 * stage(plain, "parse").cpu_seconds
    assert stage(changed, "parse").read > 10 * stage(plain, "parse").read


def test_learning_a_tokenizer_reads_text_and_taking_one_reads_nothing(configured):
    corpus = Corpus(1000, 10**11)
    given, learned = (
        stage(plan_run(configured(*changes), corpus, 8), "learn")
        for changes in ((), ("tokenize.tokenizer={train: {}}",))
    )
    assert (given.read, given.gets) == (0, 0)
    assert learned.read > 10**10


def test_fetching_many_repositories_is_planned_by_their_number(configured, tmp_path):
    path = tmp_path / "parquet.yaml"
    path.write_text("sources: [{parquet: {paths: ['*.parquet'], columns: {content: text}}}]\n")
    corpus = Corpus(1_000_000, 10**9)
    fetched = plan_run(configured(), corpus, 1)
    read = plan_run(read_configuration(path), corpus, 1)
    assert stage(fetched, "crawl").cpu_seconds > 5 * stage(read, "crawl").cpu_seconds


def test_says_what_stands_in_the_way(configured):
    corpus = Corpus(REPOSITORIES, TEN_TERABYTES)
    problems = plan_run(configured("crawl.parts=32"), corpus, 256).problems
    assert "crawl.parts is 32: 65,536 would make parts of 153 MB" in problems
    assert not any("divide the sources" in line for line in problems)
    compared = configured("deduplicate.levels=[exact, near, repository]")
    problems = plan_run(compared, corpus, 256).problems
    starts = [line.split(" holds")[0] for line in problems if "divide the sources" in line]
    assert starts == ["deduplicate"]
    fits = plan_run(configured("crawl.parts=128"), Corpus(1000, 25 * 10**9), 16)
    assert fits.problems == ()
    many = plan_run(configured(), Corpus(1 << 32, 1 << 40), 16)
    assert any("more than a run can deduplicate" in line for line in many.problems)


def test_money_is_that_of_machines_requests_and_storage(configuration):
    plan = plan_run(configuration, Corpus(1000, 10**12), 20)
    assert plan.machines == 3
    assert plan.dollars["machines"] == pytest.approx(3 * plan.seconds / 3600 * 0.384)
    assert plan.dollars["a month of storage"] == pytest.approx(plan.stored / 1e9 * 0.023)
    assert json.loads(json.dumps(plan.to_json()))["stages"][2]["name"] == "annotate"


def test_a_plan_counts_the_files_that_a_run_has(finished):
    configuration = read_configuration(finished.path / "config.yaml")
    size = finished.manifest("documents").statistics["bytes"]
    plan = plan_run(configuration, Corpus(4, size), 2)
    for each in CORPUS_STAGES:
        planned = stage(plan, each.name)
        files = sum(len(finished.manifest(table).files) for table in each.outputs)
        if each.name not in ("deduplicate", "shard"):
            assert planned.files == files + len(each.outputs) + planned.units, each.name


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 "),
        (999, "999 "),
        (1000, "1 k"),
        (999_999, "1 M"),
        (1_234_567, "1.23 M"),
        (10**19, "1e+04 P"),
    ],
)
def test_numbers_are_told_in_three_digits(number, text):
    assert shortened(number) == text


def test_the_command_prints_every_stage_the_price_and_what_is_in_the_way(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("sources: [{git: {urls: [https://example.org/a/b.git]}}]\n")
    options = ["--repositories", str(REPOSITORIES), "--bytes", "10e12", "--workers", "256"]
    said = CliRunner().invoke(app, ["plan", str(path), *options]).output
    assert said.startswith("54,000,000 repositories, 10,000.0 GB of text in about 854,700,855")
    assert all(f"  {each.name} " in said for each in CORPUS_STAGES)
    assert "256 workers on 32 m6i.2xlarge" in said
    assert "Note: crawl.parts is 32: 65,536 would make parts of 153 MB" in said
    body = json.loads(CliRunner().invoke(app, ["plan", str(path), *options, "--json"]).output)
    assert body["recommended_parts"] == 65_536
    assert sum(each["seconds"] for each in body["stages"]) == pytest.approx(body["seconds"])

import subprocess
from collections import Counter

import pytest

from pipeline.errors import StageError, UsageError, UserError
from pipeline.execution import sum_requests, sum_statistics
from pipeline.folder import RunFolder
from pipeline.summary import summarize
from schemas import tables
from tests.pipeline.runs import CORPUS_TABLES, digests, executed, run_again, run_configuration
from transforms.parts import Receipt, map_stream, read_part
from transforms.stores.requests import worker_name
from transforms.tokenizers.vocabulary import p50k_tokenizer

ALL_STAGES = [
    *("list", "crawl", "annotate", "parse", "deduplicate", "select", "learn", "tokenize", "shard")
]


def test_every_document_ends_in_one_bin_and_every_failure_is_a_row(finished):
    summary = summarize(finished)
    assert {each.name: each.documents for each in summary.funnel} == {
        "license_not_allowed": 0,
        "exact_duplicate": 1,
        "normalized_duplicate": 0,
        "near_duplicate": 1,
        "contaminated": 0,
        "file_empty": 1,
        "file_too_large": 0,
        "likely_generated": 1,
        "lines_too_long_on_average": 0,
        "line_too_long": 1,
        "too_few_alphanumeric": 0,
        "selected": 5,
    }
    assert sum(each.documents for each in summary.funnel) == summary.documents == 10
    assert summary.repositories == {"crawled": 4, "empty": 0, "failed": 0, "opted_out": 0}
    assert summary.failed_files == {"binary_content": 1}
    assert sum(split.tokens for split in summary.shards) == summary.tokens + 5
    assert sum(split.documents for split in summary.shards) == 5


def test_a_second_run_does_nothing(run):
    before = digests(run)
    run_again(run)
    assert executed(run) == ALL_STAGES
    assert digests(run) == before


@pytest.mark.parametrize(
    ("change", "redone"),
    [
        ("shard.context_length=32", ["shard"]),
        ("select.rules.line_too_long=null", ["select", "learn", "tokenize", "shard"]),
        ("deduplicate.threshold=0.99", ["deduplicate", "select", "learn", "tokenize", "shard"]),
        # A change that leaves the output as it was redoes nothing after it.
        ("deduplicate.threshold=0.72", ["deduplicate"]),
        ("crawl.downloads=1", []),
    ],
)
def test_a_changed_configuration_redoes_what_depends_on_it(run, change, redone):
    run_again(run, change)
    assert executed(run) == ALL_STAGES + redone


def test_the_digest_depends_on_neither_workers_nor_order_of_sources_nor_folder(
    configure, projects, tmp_path
):
    each = [{"directory": {"path": str(path)}} for path in sorted(projects.iterdir())]
    first = run_configuration(
        configure("first", sources=each), workers=1, output=str(tmp_path / "1")
    )
    second = run_configuration(
        configure("second", sources=each[::-1]), workers=4, output=str(tmp_path / "4")
    )
    assert digests(first) == digests(second)
    assert len(digests(first)) == len(CORPUS_TABLES)


def test_dividing_documents_otherwise_keeps_the_same_ones(configure, tmp_path):
    def kept(parts):
        run = run_configuration(
            configure(), f"crawl.parts={parts}", output=str(tmp_path / f"parts-{parts}")
        )
        found = {}
        for number in range(parts):
            name = tables.part_name(number)
            paths = read_part(run.path / tables.DOCUMENTS / name, ["repository", "path"])
            rules = read_part(run.path / tables.SELECTION / name)["rule"].to_pylist()
            keys = zip(*(paths[column].to_pylist() for column in paths.column_names), strict=True)
            found |= dict(zip(keys, rules, strict=True))
        return found

    assert kept(1) == kept(5)


def test_a_wanted_stage_brings_what_it_needs_and_no_more(configure):
    run = run_configuration(configure(), stages=("deduplicate",))
    wanted = ["list", "crawl", "annotate", "deduplicate"]
    assert executed(run) == wanted
    run_configuration(configure(), stages=("annotate",))
    assert executed(run) == wanted


def test_a_lost_file_is_noticed_and_its_table_made_again(run):
    before = digests(run)
    (run.path / tables.QUALITY / "part-00001.parquet").unlink()
    run_again(run)
    assert executed(run) == [*ALL_STAGES, "annotate"]
    assert digests(run) == before


def test_a_failing_stage_leaves_the_committed_ones_and_says_where_the_trace_is(configure):
    run = run_configuration(configure(), stages=("annotate",))
    before = digests(run)
    part = run.path / tables.DOCUMENTS / "part-00000.parquet"
    content = part.read_bytes()
    part.write_bytes(content[:40] + bytes(len(content) - 40))
    with pytest.raises(StageError, match="stage parse failed") as caught:
        run_configuration(configure())
    assert "log.txt" in str(caught.value)
    assert before.items() <= digests(run).items()
    part.write_bytes(content)
    run_configuration(configure())
    assert set(digests(run)) >= {tables.SHARDS}


def test_a_run_in_use_is_refused(configure, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.create()
    with run.locked(), pytest.raises(UserError, match="in use by process"):
        run_configuration(configure())


def test_a_folder_with_other_things_in_it_is_left_alone(configure, tmp_path):
    home = tmp_path / "home"
    (home / "documents").mkdir(parents=True)
    (home / "documents" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty and not a run"):
        run_configuration(configure(), output=str(home))
    assert (home / "documents" / "thesis.txt").read_text() == "years of work"


def test_an_output_that_cannot_be_written_is_named(configure, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match=r"cannot write to .*file/run.*--output"):
        run_configuration(configure(), output=str(blocked / "run"))


def test_sums_the_counts_of_receipts():
    receipts = [Receipt({}, {"a": 1, "b": 2}), Receipt({}, {"a": 3})]
    assert sum_statistics(receipts) == {"a": 4, "b": 2}


def test_the_requests_of_other_workers_count_once():
    receipts = [
        Receipt({}, worker=worker_name(), requests=100),
        Receipt({}, worker="elsewhere 7", requests=5),
        Receipt({}, worker="elsewhere 7", requests=9),
        Receipt({}, worker="elsewhere 8", requests=1),
        Receipt({}),
    ]
    own = Counter(PutObject=2, GetObject=1)
    assert sum_requests(own, receipts) == {"GetObject": 1, "PutObject": 2, "by_workers": 10}
    assert sum_requests(Counter(), []) == {}


def test_a_relative_output_works_for_every_source(configure, tmp_path, projects, monkeypatch):
    def git(*arguments):
        settings = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *settings, *arguments], cwd=projects / "delta", check=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a commit")
    monkeypatch.chdir(tmp_path)
    sources = [{"git": {"urls": [f"file://{projects}/delta", f"file://{projects}/absent"]}}]
    run = run_configuration(configure(sources=sources), output="relative")
    assert summarize(run).repositories == {
        "crawled": 1,
        "empty": 0,
        "failed": 1,
        "opted_out": 0,
    }
    failures = [
        row
        for part in range(3)
        for row in read_part(run.path / "failures/crawl" / tables.part_name(part)).to_pylist()
    ]
    (failure,) = failures
    assert failure["reason"] == "not_found"
    assert ".staging" not in failure["detail"]


def test_two_folders_of_one_name_are_refused_and_a_name_helps(configure, tmp_path):
    for parent in ("one", "two"):
        (tmp_path / parent / "src").mkdir(parents=True)
        (tmp_path / parent / "src" / "a.py").write_text(f"{parent} = 1\n")
    folders = [{"directory": {"path": str(tmp_path / parent / "src")}} for parent in ("one", "two")]
    with pytest.raises(UsageError, match=r"one/src and .*two/src would both be directory/src"):
        run_configuration(configure(sources=folders))
    folders[1]["directory"]["name"] = "other"
    run = run_configuration(configure(sources=folders), stages=("crawl",))
    assert summarize(run).repositories["crawled"] == 2


def test_two_addresses_of_one_name_are_shown_without_what_opens_them(configure):
    url = "http://user:secret@127.0.0.1:1/a.zip?token=secret"
    sources = [{"archive": {"paths": [f"{url}{number}" for number in "12"]}}]
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1/a\.zip") as caught:
        run_configuration(configure(sources=sources))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("threshold", [0.05, 0.995, 1.0])
def test_every_allowed_threshold_works(configure, threshold):
    run = run_configuration(
        configure(), f"deduplicate.threshold={threshold}", stages=("deduplicate",)
    )
    assert run.manifest(tables.DUPLICATES).rows == 10


def test_an_error_before_any_worker_starts_leaves_its_trace_too(configure, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("before the start")

    monkeypatch.setattr("pipeline.graphs.build_graph", fail)
    with pytest.raises(StageError, match="stage list failed: before the start"):
        run_configuration(configure())


def test_secrets_are_redacted_in_the_tokens_and_stay_in_the_documents(configure, projects):
    (projects / "delta" / "main.py").write_text("author = 'jane.roe@acme-widgets.com'\n")
    run = run_configuration(configure(), stages=("tokenize",))
    tokenizer = p50k_tokenizer()
    texts = [
        tokenizer.decode(ids)
        for path in sorted((run.path / tables.TOKENS).glob("part-*"))
        for ids in map_stream(path)["input_ids"].to_pylist()
    ]
    assert "author = '<EMAIL>'\n" in texts
    assert run.manifest(tables.TOKENS).statistics["redacted.email"] == 1
    kept = run_configuration(configure(), "tokenize.redact=[]", stages=("tokenize",))
    assert kept.manifest(tables.TOKENS).statistics.get("redacted.email") is None


def test_a_copy_in_a_repository_that_may_be_used_stays(configure, projects):
    changes = ("opt_out.repositories=[directory/alpha]", "deduplicate.levels=[exact,normalized]")
    run = run_configuration(configure(), stages=("deduplicate",))
    again = run_configuration(
        configure(), *changes, "select.rules.copy=level == 'normalized'", stages=("select",)
    )
    assert executed(again)[-4:] == ["annotate", "parse", "deduplicate", "select"]
    kept = [
        (row["repository"], row["path"])
        for name in sorted((run.path / tables.DOCUMENTS).glob("part-*"))
        for row, copy in zip(
            read_part(name, ["repository", "path"]).to_pylist(),
            read_part(run.path / tables.DUPLICATES / name.name)["duplicate_of"].to_pylist(),
            strict=True,
        )
        if copy is None and row["path"].endswith("core.py")
    ]
    assert kept == [("directory/beta", "core.py")]

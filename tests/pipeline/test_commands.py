import json
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline.commands import app
from pipeline.errors import UserError
from tests.pipeline.conftest import module
from tests.pipeline.runs import CORPUS_TABLES, run_configuration

COMMANDS = (
    *("run", "status", "why", "similar", "rules", "attribution", "verify", "digest", "plan"),
    "score",
)


def call(*arguments, stdin=None):
    """What a command prints; errors of ours are raised, as `main` catches them."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_every_command_has_help_with_an_example():
    for command in COMMANDS:
        result = call(command, "--help")
        assert result.exit_code == 0
        assert f"Example: repomill {command}" in " ".join(result.output.split())


def test_the_flags_are_these_and_no_others():
    """A flag is a promise: a new one is added here on purpose."""
    from typer.main import get_command

    flags = {
        name: sorted(option for parameter in command.params for option in parameter.opts)
        for name, command in get_command(app).commands.items()
    }
    assert flags == {
        "run": [
            "--json",
            "--output",
            "--redo",
            "--runner",
            "--runner-url",
            "--set",
            "--stage",
            "--workers",
            "config",
        ],
        "plan": ["--bytes", "--json", "--repositories", "--workers", "config"],
        "status": ["--json", "run_path"],
        "why": ["--json", "run_path", "target"],
        "similar": [
            "--json",
            "--language",
            "--limit",
            "--normalized",
            "--threshold",
            "file",
            "run_path",
        ],
        "rules": ["--json", "--set", "run_path"],
        "attribution": ["--json", "--output", "run_path"],
        "card": ["--json", "run_path"],
        "verify": ["--clean", "--json", "run_path"],
        "digest": ["--json", "run_path"],
        "score": [
            "--bleu",
            "--example",
            "--json",
            "--k",
            "--limit",
            "--output",
            "--problems",
            "--runner",
            "--runner-url",
            "--tier",
            "--unsafe",
            "--workers",
            "samples",
        ],
    }


def test_run_prints_the_funnel_on_standard_output_and_progress_on_standard_error(
    configure, tmp_path
):
    command = [sys.executable, "-m", "pipeline"]
    done = subprocess.run([*command, "run", str(configure())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Funnel: 4 of 4 repositories, 10 documents" in done.stdout
    assert "near_duplicate" in done.stdout
    assert "binary_content" in done.stdout
    assert f"repomill why {tmp_path}/run" in done.stdout
    assert "annotate" not in done.stdout
    assert "annotate     10 documents" in done.stderr
    missing = subprocess.run([*command, "run", "missing.yaml"], capture_output=True, text=True)
    assert missing.returncode == 2
    assert missing.stderr.startswith("error: no configuration at missing.yaml")
    unknown = subprocess.run([*command, "rnu"], capture_output=True, text=True)
    assert unknown.returncode == 2


def test_a_run_without_any_document_fails(configure, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    source = [{"directory": {"path": str(empty)}}, {"directory": {"path": str(tmp_path / "none")}}]
    with pytest.raises(UserError, match="no repository gave a document"):
        call("run", configure(sources=source))


def test_status_shows_every_stage(run):
    output = call("status", run.path).output
    for stage in (
        "list",
        "crawl",
        "annotate",
        "parse",
        "deduplicate",
        "select",
        "tokenize",
        "shard",
    ):
        assert stage in output
    body = json.loads(call("status", run.path, "--json").output)
    assert {stage["state"] for stage in body["stages"]} == {"done"}
    assert sum(each["documents"] for each in body["funnel"]) == body["documents"]
    assert body["tokens"] == run.manifest("tokens").statistics["tokens"]


def test_digest_has_one_line_a_table(run):
    lines = call("digest", run.path).output.splitlines()
    assert len(lines) == len(CORPUS_TABLES)
    table, rows, sha256 = lines[0].split()
    assert (table, rows) == ("requests", "4")
    assert len(sha256) == 64


def test_verify_finds_a_flipped_bit_and_a_stray_file(run):
    assert call("verify", run.path).output.count(" ok") == len(CORPUS_TABLES)
    shard = next((run.path / "shards").glob("train-*.arrow"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    (run.path / "tokens" / "stray.arrow").write_bytes(b"")
    with pytest.raises(UserError, match="damaged: tokens, shards"):
        call("verify", run.path)
    body = json.loads(call_unchecked("verify", run.path, "--json"))
    problems = [problem for verdict in body for problem in verdict["problems"]]
    assert problems == [
        "tokens/stray.arrow is not in the manifest",
        f"shards/{shard.name} has other content than the manifest says",
    ]


def test_verify_removes_what_interrupted_work_left_when_it_is_told_to(run):
    left = run.path / "documents" / ".part-00000.parquet.17-ab.tmp"
    left.write_bytes(b"half")
    with pytest.raises(UserError, match="damaged: documents"):
        call("verify", run.path)
    body = json.loads(call_unchecked("verify", run.path, "--clean", "--json"))
    assert body["removed"] == [{"name": f"documents/{left.name}", "files": 1, "bytes": 4}]
    assert not any(table["problems"] for table in body["tables"])
    with run.locked(), pytest.raises(UserError, match="in use by process"):
        call("verify", run.path, "--clean")


def test_a_damaged_file_is_named_without_a_trace(run):
    part = run.path / "documents" / "part-00000.parquet"
    part.write_bytes(bytes(part.stat().st_size))
    command = [sys.executable, "-m", "pipeline", "why", str(run.path), "delta"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {part}: damaged file")
    assert len(done.stderr.splitlines()) <= 2
    with pytest.raises(UserError, match="repomill run CONFIG --redo crawl"):
        call("verify", run.path)


def test_an_error_moves_no_terminal(run):
    for target in ("delta\x1b[2J", "directory/delta:\x1b]0;x\x07"):
        command = [sys.executable, "-m", "pipeline", "why", str(run.path), target]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert "\\x1b" in done.stderr
        assert done.stderr.strip().isprintable()


def test_digest_refuses_a_table_whose_files_are_gone(run):
    (run.path / "documents" / "part-00001.parquet").unlink()
    with pytest.raises(UserError, match=r"documents/part-00001\.parquet is gone"):
        call("digest", run.path)


def test_a_stage_to_redo_must_be_among_those_to_run(configure):
    with pytest.raises(UserError, match="--redo shard: not among the stages to run"):
        call("run", configure(), "--stage", "select", "--redo", "shard")


def test_ctrl_c_while_imports_are_under_way_shows_no_trace():
    program = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "pipeline.commands":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from pipeline.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "interrupted: run the same command again to resume\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_asks_it_to_end_is_told_how_to_go_on(configure, tmp_path, number):
    command = [sys.executable, "-m", "pipeline", "run", str(configure())]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        # Its first word: the program is at work.
        assert process.stderr.readline().startswith("list")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == "interrupted: run the same command again to resume"
    run_configuration(configure())


def call_unchecked(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments]).output


def test_an_engine_that_cannot_work_is_told_before_anything_is_written(configure, tmp_path):
    output = tmp_path / "never"
    with pytest.raises(UserError, match="Flink's address is HOST:PORT"):
        call("run", configure(), "--runner", "flink", "--runner-url", "x", "--output", output)
    assert not output.exists()


def test_an_unknown_stage_names_the_nearest(configure):
    with pytest.raises(UserError, match="no stage 'tokenise'; did you mean tokenize"):
        call("run", configure(), "--stage", "tokenise")


def test_similar_prints_matches_and_reads_standard_input(run, tmp_path):
    (tmp_path / "query.py").write_text(module(0, 40))
    output = call("similar", run.path, tmp_path / "query.py").output
    assert output.startswith("1.0000  exact       kept     ")
    assert "near.py" in output
    body = json.loads(call("similar", run.path, tmp_path / "query.py", "--json").output)
    assert body["matches"][0]["level"] == "exact"
    assert (
        "no document is the same"
        in call("similar", run.path, "-", stdin="some words that are like no document there").output
    )

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.errors import UsageError
from pipeline.folder import RunFolder
from pipeline.reading import read_configuration
from pipeline.template import launch, main
from tests.pipeline.runs import digests, executed, run_configuration

LOCAL = ["--runner=FnApiRunner"]


def test_workers_leave_a_stage_that_the_next_run_commits(configure, finished, monkeypatch):
    run = run_configuration(configure(), stages=("crawl",))
    main(["--config", str(configure()), "--stage", "annotate", *LOCAL])
    assert run.manifest("attributes/quality") is None
    assert run.leftovers() == ["annotate"]

    def fail(self, unit):
        raise AssertionError(f"{unit} is done already")

    monkeypatch.setattr("transforms.annotate.stage.AnnotatePart.__call__", fail)
    run_configuration(configure(), stages=("annotate",))
    assert executed(run)[-1] == "annotate"
    assert digests(run)["attributes/quality"] == digests(finished)["attributes/quality"]


def test_a_stage_that_is_up_to_date_is_no_job(run):
    configuration = read_configuration(run.path / "config.yaml", output=str(run.path))
    assert launch(configuration, "select", PipelineOptions(LOCAL)) is None


def test_refuses_a_stage_before_what_it_reads(configure, tmp_path):
    configuration = read_configuration(configure())
    with pytest.raises(UsageError, match=r"select needs documents: do and commit the stages"):
        launch(configuration, "select", PipelineOptions(LOCAL))
    assert RunFolder(tmp_path / "run").leftovers() == []


def test_refuses_a_stage_that_is_none(configure):
    with pytest.raises(UsageError, match="no stage 'tokenise'; there are list, crawl"):
        launch(read_configuration(configure()), "tokenise", PipelineOptions(LOCAL))


def test_says_which_parameters_are_missing(capsys):
    with pytest.raises(SystemExit):
        main(["--config", "my.yaml"])
    assert "the following arguments are required: --stage" in capsys.readouterr().err

import json
import sys
from importlib.metadata import version

import pytest

from runners.settings import WorkerSettings
from runners.workers import (
    compare_versions,
    environment_arguments,
    explain_failure,
    installed_versions,
    local_problems,
    refuse_another_version,
)


def test_workers_are_threads_of_this_process_where_nothing_is_named():
    assert environment_arguments(WorkerSettings()) == ["--environment_type=LOOPBACK"]


def test_a_boot_program_finds_the_environment_first_on_its_path():
    kind, config = environment_arguments(
        WorkerSettings(command="/opt/boot", environment="/opt/venv")
    )
    assert kind == "--environment_type=PROCESS"
    said = json.loads(config.removeprefix("--environment_config="))
    assert said["command"] == "/opt/boot"
    assert said["env"]["PATH"].startswith("/opt/venv/bin:")
    assert said["env"]["RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT"] == "1"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [(WorkerSettings(image="i"), "DOCKER"), (WorkerSettings(pool="h:1"), "EXTERNAL")],
)
def test_images_and_pools_are_named_as_they_are(settings, kind):
    first, second = environment_arguments(settings)
    assert first == f"--environment_type={kind}"
    assert second == f"--environment_config={settings.image or settings.pool}"


def test_a_boot_program_that_is_not_there_is_told_with_how_to_make_it(tmp_path):
    (problem,) = local_problems(WorkerSettings(command=str(tmp_path / "boot")))
    assert "is no program that can be run" in problem
    assert f"container@v{version('apache-beam')}" in problem


@pytest.fixture
def boot(tmp_path):
    path = tmp_path / "boot"
    path.touch(0o755)
    return path


def interpreter(folder, *lines):
    path = folder / "venv" / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return str(folder / "venv")


def test_this_environment_has_the_same_versions(boot):
    assert local_problems(WorkerSettings(command=str(boot), environment=sys.prefix)) == []


def test_an_environment_without_repomill_is_refused(boot, tmp_path):
    place = interpreter(tmp_path, "exit 1")
    (problem,) = local_problems(WorkerSettings(command=str(boot), environment=place))
    assert "has no repomill. Install repomill" in problem


def test_an_environment_with_another_version_is_refused(boot, tmp_path):
    beam = version("apache-beam")
    place = interpreter(tmp_path, f"""echo '["0.0.1", "{beam}"]'""")
    (problem,) = local_problems(WorkerSettings(command=str(boot), environment=place))
    assert f"workers have repomill 0.0.1 and not {version('repomill')}" in problem
    assert "apache-beam" not in problem


def test_an_environment_that_is_not_there_is_refused(boot, tmp_path):
    (problem,) = local_problems(
        WorkerSettings(command=str(boot), environment=str(tmp_path / "none"))
    )
    assert "does not run (No such file or directory)" in problem


def test_equal_versions_are_no_problem():
    assert compare_versions(installed_versions()) == ""
    expected = ",".join(installed_versions())
    assert refuse_another_version(expected) == expected


def test_a_worker_of_another_version_says_which():
    with pytest.raises(ValueError, match="workers of another version") as caught:
        refuse_another_version("0.0.1,2.0.0")
    said = explain_failure(f"x\nValueError: {caught.value} [while running 'Compare versions']\ny")
    assert "and not 0.0.1,2.0.0 (repomill, apache-beam). Install repomill" in said


def test_workers_without_repomill_are_told_as_such():
    assert "have no repomill" in explain_failure("ModuleNotFoundError: No module named 'runners'")
    assert explain_failure("a\nlast words\n").endswith("a job that does nothing: last words")

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.stages import STAGES

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "runners" / "container"
METADATA = (FOLDER / "metadata.json").read_text(encoding="utf-8")


def instructions(name: str = "Dockerfile") -> list[tuple[str, str]]:
    """What a Dockerfile says, as pairs of an instruction and its arguments."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    pairs = [line.partition(" ") for line in lines if line.strip()]
    return [(word, " ".join(rest.split())) for word, _, rest in pairs]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def copies() -> list[tuple[str, str]]:
    """Sources in the checkout, and where they go."""
    pairs = (rest.split() for rest in arguments("COPY") if not rest.startswith("--from="))
    return [(source, target) for source, target in pairs]


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """What a build sees of the checkout: the locks, and the wheel in dist/."""
    folder = tmp_path_factory.mktemp("context")
    shutil.copytree(ROOT / "locks", folder / "locks")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, str(folder / "dist"), str(ROOT)], check=True, capture_output=True)
    return folder


def test_all_that_is_copied_is_there_and_not_ignored(context):
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    assert {f"!{source}" for source, _ in copies()} == set(ignored[1:])
    for source, _ in copies():
        assert list(context.glob(source)), source


def test_the_boot_program_is_of_the_beam_and_python_that_are_locked():
    given = dict(rest.split("=") for rest in arguments("ARG"))
    lock = (ROOT / "locks" / "dataflow.txt").read_text(encoding="utf-8")
    assert f"apache-beam=={given['BEAM']} " in lock
    assert given["BEAM"] == version("apache-beam")
    assert arguments("FROM") == [
        "apache/beam_python${PYTHON}_sdk:${BEAM} AS beam",
        "python:${PYTHON}-slim",
    ]
    assert arguments("ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in arguments("COPY")


def test_system_packages_are_those_that_stages_call():
    (installed,) = (rest for rest in arguments("RUN") if "apt-get install" in rest)
    packages = installed.partition("--no-install-recommends ")[2].partition(" &&")[0]
    assert packages == "git util-linux"


def test_the_template_asks_for_what_its_program_takes():
    parameters = {each["name"]: each for each in json.loads(METADATA)["parameters"]}
    required = {name for name, each in parameters.items() if not each["isOptional"]}
    said = subprocess.run(
        [sys.executable, "-c", "from pipeline.template import main; main(['--help'])"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    usage = said.partition("options:")[0]
    assert {f"--{name}" for name in parameters} == set(re.findall(r"--[a-z]+", usage))
    assert {f"--{name}" for name in required} == set(re.findall(r"(?<!\[)--[a-z]+", usage))
    assert parameters["stage"]["regexes"] == ["|".join(stage.name for stage in STAGES)]


def test_the_template_is_the_image_of_the_workers_and_a_launcher_of_our_program():
    told = instructions("template.Dockerfile")
    assert [rest for word, rest in told if word == "FROM"] == [
        "${LAUNCHER} AS launcher",
        "${WORKERS}",
    ]
    (run,) = (rest for word, rest in told if word == "RUN")
    script, _, path = run.removeprefix("printf ").partition(" > ")
    compile(script.strip("'").replace("\\n", "\n"), path, "exec")
    assert ("ENV", f"FLEX_TEMPLATE_PYTHON_PY_FILE={path}") in told


@pytest.mark.clusters
@pytest.mark.timeout(1800)
def test_steps_for_python_packages_give_a_repomill_that_runs(context, tmp_path):
    folder = tmp_path / "opt" / "repomill"
    folder.mkdir(parents=True)
    for source, target in copies():
        assert target == "/opt/repomill/"
        for path in context.glob(source):
            shutil.copy(path, folder)
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables["PATH"] = f"{programs}:{variables['PATH']}"

    def run(command: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", command], env=variables, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for command in arguments("RUN"):
        if "apt-get" not in command:
            # The cache of downloads is for images too large, and for this test too useful.
            there = command.replace("/opt/repomill", str(folder))
            run(there.replace("--no-cache-dir ", ""))
    assert run("repomill --version").strip() == version("repomill")
    where = run("python -c 'import pipeline.graphs as g; print(g.__file__)'").strip()
    assert Path(where).is_relative_to(tmp_path / "venv")
    run("python -c 'from apache_beam.runners.worker import sdk_worker_main'")
    run("python -c 'from apache_beam.io.gcp import gcsfilesystem'")

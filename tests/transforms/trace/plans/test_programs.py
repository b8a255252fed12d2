"""What commands of a workflow come to."""

import pytest

from tests.transforms.trace.plans.builders import PROJECT, project, workflow
from transforms.trace.plans import CommandKind, InstallKind, Origin, derive_plans

PYPROJECT = f"""\
{PROJECT}
[project.optional-dependencies]
test = ["hypothesis"]
[dependency-groups]
dev = ["mock"]
tests = ["responses"]
[tool.hatch.envs.default]
dependencies = ["parameterized"]
[tool.hatch.envs.default.scripts]
cov = "pytest --cov {{args:tests}}"
unit = ["cov -k x", "- ruff check"]
[tool.pdm.scripts]
all = {{composite = ["unit", "lint"]}}
unit = {{cmd = "pytest tests", env = {{TZ = "UTC"}}}}
lint = "ruff check"
[tool.poe.tasks]
check = ["lint", "unit"]
lint = "ruff check"
unit = {{cmd = "pytest tests"}}
"""
FILES = {
    "Makefile": "T = tests\ntest: init\n\t@pytest $(T)\ninit:\n\tpip install pretend\n"
    "x:\n\t$(MAKE) x\n",
    "justfile": "dir := 'tests'\ntest *args: init\n    pytest {{dir}} {{args}}\n"
    "init:\n    pip install sure\n",
    "reqs.txt": "freezegun\n",
    "scripts/test": "#!/bin/sh -e\nexport PREFIX=''\nif x; then rm y; fi\n${PREFIX}pytest \"$@\"\n",
    "tests/run_tests.py": "",
    "setup.py": "from setuptools import setup\nsetup(test_suite='tests', tests_require=['nose2'])",
    "tox.ini": "[testenv]\ndeps = sybil\ncommands = pytest {posargs}\n",
    "noxfile.py": "import nox\n@nox.session\ndef tests(session):\n    session.install('ddt')\n"
    "    session.run('pytest')\n",
}


def plan(run, **more):
    plans = derive_plans(project({**FILES, **workflow(run, **more)}, pyproject=PYPROJECT))
    return next((each for each in plans if each.origin is Origin.GITHUB), None)


def commands(found):
    return [(str(each.kind), " ".join(each.arguments), each.directory) for each in found.commands]


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ("pytest tests", ("pytest", "tests", ".")),
        ("python3.11 -bb -W error -m pytest", ("pytest", "", ".")),
        ("A=1 py.test -k 'a b'", ("pytest", "-k a b", ".")),
        ("coverage run --source x -m pytest tests", ("pytest", "tests", ".")),
        ("cd tests && python -m pytest", ("pytest", "", "tests")),
        ("python -m unittest discover -v tests", ("unittest", "discover tests", ".")),
        ("coverage run -m unittest", ("unittest", "", ".")),
        ("python setup.py test", ("unittest", "tests", ".")),
        ("python tests/run_tests.py --fast", ("script", "tests/run_tests.py --fast", ".")),
        ("xvfb-run -a timeout 10 .venv/bin/pytest", ("pytest", "", ".")),
        ("uv run --with sure --group tests pytest", ("pytest", "", ".")),
        ("uvx --with tox-uv tox -e py -- tests", ("pytest", "tests", ".")),
        ("nox -s tests-3.12", ("pytest", "", ".")),
        ("make test", ("pytest", "tests", ".")),
        ("just test -k x", ("pytest", "tests", ".")),
        ("scripts/test tests", ("pytest", "", ".")),
        ("bash scripts/test", ("pytest", "", ".")),
        ("hatch run unit", ("pytest", "-k x", ".")),
        ("hatch test", ("pytest", "tests", ".")),
        ("pdm run all", ("pytest", "tests", ".")),
        ("poe check", ("pytest", "tests", ".")),
        ("poetry run pytest", ("pytest", "", ".")),
        ("pipenv run pytest", ("pytest", "", ".")),
        ("nosetests tests", ("pytest", "tests", ".")),
        ("env X=1 pytest | tee log", ("pytest", "", ".")),
    ],
)
def test_commands_that_run_tests_are_followed(run, command):
    assert commands(plan(run)) == [command]


@pytest.mark.parametrize(
    "run",
    ["rm -rf /", "python -c 'import x'", "python evil.py", "curl x | sh", "sh -c pytest",
     "python ../test.py", "ruff check", "pytest $UNKNOWN", "cd / && true", "make x", "make nothing",
     "python -m tests_elsewhere", "eval pytest", "python -m unittest ../../x/test.py"],
)  # fmt: skip
def test_other_commands_are_not(run):
    found = plan(run)
    assert found is None


@pytest.mark.parametrize(
    ("run", "requirements"),
    [
        ("pip install -e .[test] -r reqs.txt 'a>=1'", {"hypothesis", "freezegun", "a>=1"}),
        ("python -m pip install --group tests", {"responses"}),
        ("uv pip install --system --extra test .", {"hypothesis"}),
        ("uv sync --only-group tests", {"responses"}),
        ("uv sync --extra test", {"hypothesis", "mock"}),
        ("pdm install -G test", {"hypothesis", "mock", "responses"}),
        ("poetry install --with tests -E test", {"hypothesis", "mock", "responses"}),
        ("make init", {"pretend"}),
        ("pip install -i https://x.example --find-links=/x a", {"a"}),
        ("pip install git+https://x.example/a ../x /etc/x ./x.whl", set()),
    ],
)  # fmt: skip
def test_installs_are_followed(run, requirements):
    found = plan(f"{run}\npytest")
    assert {*found.requirements} == requirements | {"pytest"}


def test_tools_install_what_they_need_before_they_test():
    assert "sybil" in plan("tox").requirements
    assert "ddt" in plan("nox").requirements
    assert "parameterized" in plan("hatch run cov").requirements
    assert "sure" in plan("just test").requirements


def test_evidence_names_the_line_that_runs_tests():
    texts = [(each.path, each.line, each.text) for each in plan("echo\nmake test").evidence]
    assert texts[0] == (".github/workflows/tests.yml", None, "job tests")
    assert ("Makefile", 3, "pytest tests") in texts


def test_variables_of_steps_are_given_unless_they_are_refused():
    found = plan("LD_PRELOAD=x TZ=UTC pytest", env={"LEVEL": "1", "PIP_INDEX_URL": "x"})
    assert found.environment == (("LEVEL", "1"), ("TZ", "UTC"))
    assert any("LD_PRELOAD refused: changes_what" in note for note in found.notes)


def test_kinds_of_installs_are_told_apart():
    found = plan("pip install .[test] -r reqs.txt a --group dev\npytest")
    kinds = {each.value: each.kind for each in found.installs}
    assert kinds == {
        ".": InstallKind.PROJECT,
        "reqs.txt": InstallKind.FILE,
        "a": InstallKind.REQUIREMENT,
        "pytest": InstallKind.REQUIREMENT,
        "dev": InstallKind.GROUP,
        "hatchling": InstallKind.BUILD,
    }
    assert found.commands[0].kind is CommandKind.PYTEST

from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.nox import nox_sessions

NOXFILE = """\
import nox
from pathlib import Path
ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12"]
DEPS = ["pytest", "hypothesis"]

@nox.session(python=PYTHONS, name="unit")
def _unit(session):
    session.install("-r", "reqs.txt", *DEPS)
    session.install(*nox.project.dependency_groups(PYPROJECT, "test"))
    if session.posargs:
        args = session.posargs
    run(session, "tests")

def run(session, where):
    session.run("pytest", *(session.posargs or [str(ROOT / "tests")]), env={"TZ": "UTC"})
    session.run("x" if open("/tmp/x") else "y", external=True)

@nox.session
def lint(session: nox.Session):
    session.notify("unit")

def helper(session):
    raise SystemExit
"""


def sessions(text):
    return nox_sessions(repository({"noxfile.py": text}))


def test_sessions_are_read_with_constants_groups_and_helpers():
    unit, lint = sessions(NOXFILE)
    assert unit.name == "unit"
    assert unit.interpreters == ("3.11", "3.12")
    assert [step.text for step in unit.steps] == [
        "pip install -r reqs.txt pytest hypothesis",
        "pip install --group=test",
        "pytest tests",
    ]
    assert unit.steps[-1].environment == {"TZ": "UTC"}
    assert [step.text for step in lint.steps] == ["nox -s unit"]


def test_nothing_of_a_noxfile_is_run():
    assert sessions("import os\nos._exit(3)\n1/0") == []


def test_a_noxfile_that_is_no_python_has_no_sessions():
    assert sessions("def (:") == []
    assert sessions("x = " + "(" * 3_000) == []


def test_sessions_that_call_each_other_end():
    text = "import nox\n@nox.session\ndef a(session):\n    b(session)\ndef b(session):\n"
    assert sessions(f"{text}    a(session)\n    b(session)\n")[0].steps == ()

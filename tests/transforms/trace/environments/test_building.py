import io
import socket
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.building import (
    BuildFailed,
    BuildLimits,
    Environment,
    build_environment,
    parse_installed,
    public_version,
    write_settings,
)
from transforms.trace.environments.index import serving_index
from transforms.trace.environments.interpreters import Interpreter, find_interpreters
from transforms.trace.environments.mirror import Mirror, MirrorSettings
from transforms.trace.environments.needs import Needs
from transforms.trace.environments.workplaces import Finished, write_files

NEW, OLD = (Interpreter(Path(f"/python3.{minor}"), (3, minor, 1), ()) for minor in (12, 9))
SOURCE = "/in/project"


@dataclass
class Pretended:
    """A workplace where what fails is said, and nothing is run."""

    outside: Path
    fails: tuple[str, ...] = ()
    says: bytes = b"error: it does not build"
    seconds: float = 1.0
    ran: list[str] = field(default_factory=list)

    @property
    def inside(self):
        return PurePosixPath("/in")

    def run(self, command, *, index=False):
        text = " ".join(command.arguments[1:])
        if text.startswith("pip list"):
            return Finished(0, b'[{"name": "A", "version": "1"}]\n', 1, 1)
        assert index
        text = text.partition("simple ")[2] or text
        self.ran.append(text)
        failed = any(word in text for word in self.fails)
        return Finished(int(failed), self.says if failed else b"", self.seconds, 1)


def build(place, interpreters=(NEW, OLD), clock=lambda: 0.0, **needs):
    url = "http://127.0.0.1:1/simple"
    return build_environment(place, interpreters, Needs(**needs), url, BuildLimits(100), clock)


def test_all_is_installed_together_where_that_works(tmp_path):
    place = Pretended(tmp_path)
    built = build(place, extras=("test",), groups=("dev",), requirements=("mock",))
    assert place.ran[1:] == [f"pytest mock --group dev -e {SOURCE}[test]"]
    assert built.installed == ("a==1",)
    assert built.packages == "/in/environment/lib/python3.12/site-packages"
    assert [(step.name, step.done) for step in built.steps] == [
        ("environment for Python 3.12.1", True),
        ("all together", True),
    ]


def test_requirements_that_cannot_be_had_are_left_out_one_by_one(tmp_path):
    place = Pretended(tmp_path, fails=("bad",))
    built = build(place, requirements=("good", "bad", "fine"))
    assert place.ran[2:] == [f"pytest -e {SOURCE}", "good bad fine", "good", "bad", "fine"]
    assert isinstance(built, Environment)
    assert [step.name for step in built.steps if not step.done] == [
        "all together",
        "further requirements",
        "bad",
    ]


def test_extras_and_groups_that_cannot_be_had_are_left_out(tmp_path):
    place = Pretended(tmp_path, fails=("[a,b]", "[b]", "--group"))
    assert isinstance(build(place, extras=("a", "b"), groups=("dev",)), Environment)
    assert f"-e {SOURCE}[a]" in place.ran


@pytest.mark.parametrize("said", [b"error: Failed to build x", b"ModuleNotFoundError: setuptools"])
def test_old_projects_are_built_by_older_backends(tmp_path, said):
    place = Pretended(tmp_path, fails=(f"pytest -e {SOURCE}", "setuptools-81"), says=said)
    assert isinstance(build(place), Environment)
    assert place.ran[-1] == f"pytest -b /in/settings/setuptools-72.txt -e {SOURCE}"


def test_what_cannot_be_editable_is_installed_as_it_is(tmp_path):
    place = Pretended(tmp_path, fails=("-e",))
    assert isinstance(build(place), Environment)
    assert place.ran[-1] == f"pytest {SOURCE}"


def test_another_interpreter_is_tried_and_then_none_of_the_project(tmp_path):
    place = Pretended(tmp_path, fails=(SOURCE,))
    built = build(place, dependencies=("six",))
    assert [step.name for step in built.steps if "environment" in step.name] == [
        "environment for Python 3.12.1",
        "environment for Python 3.9.1",
        "environment for Python 3.12.1",
    ]
    assert place.ran[-2:] == ["pytest", "six"]
    assert built.python_path == (f"{SOURCE}/src", f"{SOURCE}/lib", SOURCE)
    assert built.interpreter == NEW


def test_what_is_no_project_gets_its_requirements_alone(tmp_path):
    place = Pretended(tmp_path)
    build(place, installable=False, requirements=("six",))
    assert place.ran[1:] == ["pytest", "six"]


def test_a_failure_names_the_last_step_and_what_it_said(tmp_path):
    said = b"lines\nerror: no \x1b[31mpytest\x1b[0m\nhint: none"
    failed = build(Pretended(tmp_path, fails=("pytest",), says=said))
    assert isinstance(failed, BuildFailed)
    assert (failed.step, failed.reason) == ("tools", "error: no pytest")
    assert failed.tail == "lines\nerror: no pytest\nhint: none"


def test_its_time_ends_a_build(tmp_path):
    place = Pretended(tmp_path, fails=("install",))
    moments = iter([0.0, 0.0, 99.0, *[100.0] * 50])
    failed = build(place, clock=lambda: next(moments))
    assert isinstance(failed, BuildFailed)
    assert len(place.ran) == 1


@pytest.mark.parametrize(
    ("revision", "version"),
    [("v1.2", "1.2"), ("1.0rc1", "1.0rc1"), ("0f3a9c", "9999"), ("", "9999")],
)
def test_a_version_is_one_that_backends_take(revision, version):
    assert public_version(revision) == version


@given(
    st.binary(max_size=100) | st.from_regex(r'\[\{"name": .*, "version": .*\}\]').map(str.encode)
)
def test_hostile_lists_of_what_is_installed_raise_nothing(output):
    assert all("==" in line for line in parse_installed(output))


def test_names_and_versions_are_normalized():
    listed = b'[{"name": "B_c", "version": "1.0.0"}, {"name": "a b", "version": "1"}, {"name": 3}]'
    assert parse_installed(listed) == ()
    assert parse_installed(listed.replace(b', {"name": 3}', b"") + b"\nwarning") == ("b-c==1.0.0",)


BACKEND = b"""
import os, zipfile
assert "SECRET" not in os.environ
def build_wheel(folder, settings=None, metadata=None, lines="x = 1"):
    name = "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: thing\\n"
                       "Version: 1.0\\nRequires-Dist: needed\\n")
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
        wheel.writestr("thing.pth", os.getcwd())
    return name
build_editable = build_wheel
"""


def test_builds_a_project_with_an_index_and_nothing_else(
    workplace, index, tmp_path, impatient, monkeypatch
):
    monkeypatch.setenv("SECRET", "SECRET")
    index.publish("needed", "needed-1.0-py3-none-any.whl", wheel_of("needed"))
    project = {
        "thing.py": b"import needed\n",
        "backend.py": BACKEND,
        "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        b'backend-path = ["."]\n[project]\nname = "thing"\nversion = "1.0"\n'
        b'dependencies = ["needed"]\n',
    }
    write_files(workplace.outside / "project", project)
    write_settings(workplace.outside)
    this = [one for one in find_interpreters() if one.version == sys.version_info[:3]]
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
    mirror = Mirror(tmp_path / "cache", MirrorSettings(index.url), impatient)
    with serving_index(listener, mirror):
        built = build_environment(workplace, this, Needs(tools=(), version="1.0"), url)
    assert isinstance(built, Environment), built
    assert built.installed == ("needed==1.0", "thing==1.0")
    assert (Path(built.packages) / "needed.py").exists()
    assert built.roots == {str(workplace.inside / "project"): ""}


METADATA = "Metadata-Version: 2.1\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_of(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        folder = f"{name}-1.0.dist-info"
        wheel.writestr(f"{name}.py", "y = 2\n")
        wheel.writestr(f"{folder}/METADATA", f"{METADATA}Name: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{folder}/RECORD", "")
    return content.getvalue()

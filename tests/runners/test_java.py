import os

import pytest

from runners.java import java_command, java_problem, java_version, maven_problem

SAID = {
    'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment': 17,
    'java version "1.8.0_421"\n': 8,
    'openjdk version "21" 2023-09-19\n': 21,
    "no version at all": None,
}


def program(folder, name, text, status=0):
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def only(tmp_path, monkeypatch):
    """A path on which there is nothing but a shell's own programs and what a test puts there."""
    (tmp_path / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


@pytest.mark.parametrize("said", SAID)
def test_reads_the_version_that_java_says(said):
    assert java_version(said) == SAID[said]


def test_says_how_to_get_java_where_there_is_none(only):
    assert java_problem().startswith("there is no `java`: install a Java 17 runtime")


def test_says_that_java_home_holds_none(only, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(only / "nowhere"))
    assert "JAVA_HOME is" in java_problem()
    assert "has no bin/java" in java_problem()


@pytest.mark.parametrize(
    ("version", "fits"), [("1.8.0", False), ("11.0.2", True), ("21.0.1", False)]
)
def test_accepts_the_versions_on_which_the_engines_run(only, version, fits):
    program(only, "java", f'openjdk version "{version}"')
    problem = java_problem()
    assert (problem is None) == fits
    assert (
        fits or f"is Java {version.removeprefix('1.').split('.')[0]}, versions 11 to 17" in problem
    )


def test_says_that_java_does_not_run(only):
    program(only, "java", "broken", status=1)
    assert "does not run" in java_problem()


def test_java_home_comes_before_the_path(only, monkeypatch):
    program(only, "java", "")
    (only / "home" / "bin").mkdir(parents=True)
    own = program(only / "home" / "bin", "java", "")
    monkeypatch.setenv("JAVA_HOME", str(only / "home"))
    assert java_command() == os.fspath(own)


def test_says_how_to_get_maven(only):
    assert "install Maven" in maven_problem()
    program(only, "mvn", "")
    assert maven_problem() is None

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.environments.workplaces import base_environment, last_lines, write_files


def test_writes_files_and_makes_scripts_executable(tmp_path):
    files = {"a/b.py": b"x = 1\n", "run.sh": b"#!/bin/sh\n", "empty": b""}
    assert write_files(tmp_path / "project", files) == ()
    assert {
        str(path.relative_to(tmp_path / "project")): path.read_bytes()
        for path in (tmp_path / "project").rglob("*")
        if path.is_file()
    } == files
    modes = {path.name: path.stat().st_mode & 0o111 for path in (tmp_path / "project").iterdir()}
    assert modes["run.sh"]
    assert not modes["empty"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/x",
        "../x",
        "a/../../x",
        "a//b",
        "./a",
        "a/.",
        "a\0b",
        "x" * 256,
        "\udc80",
        "a/" * 1100,
    ],
)
def test_paths_that_lead_elsewhere_are_refused(tmp_path, path):
    assert write_files(tmp_path / "project", {path: b"x", "kept": b"y"}) == (path,)
    assert [entry.name for entry in (tmp_path / "project").iterdir()] == ["kept"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["project"]


def test_a_path_below_a_file_is_refused(tmp_path):
    assert write_files(tmp_path / "project", {"a": b"x", "a/b": b"y"}) == ("a/b",)


def test_an_old_folder_is_never_written_to(tmp_path):
    with pytest.raises(FileExistsError):
        write_files(tmp_path, {"a": b""})


def test_commands_get_nothing_of_this_process(workplace, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    environment = base_environment(workplace)
    assert "secret" not in environment.values()
    assert environment["HOME"] == str(workplace.inside / "home")


def test_evidence_is_the_end_without_what_terminals_obey():
    output = (
        b"first\n\x1b[31mred\x1b[0m \x1b]0;title\x07\ttab\r\nbell\x07 \xff \xe2\x80\xaeback\n\n"
    )
    assert last_lines(output) == "first\nred     tab\nbell  \ufffd  back"
    assert last_lines(b"\n".join(b"%d" % n for n in range(100)), lines=2) == "98\n99"


@given(st.binary(max_size=3000), st.integers(1, 50), st.integers(1, 200))
def test_evidence_stays_in_its_bounds(output, lines, most):
    text = last_lines(output, lines, most)
    assert len(text) <= most
    assert text.count("\n") < lines
    assert all(letter.isprintable() or letter == "\n" or ord(letter) > 0xFF for letter in text)

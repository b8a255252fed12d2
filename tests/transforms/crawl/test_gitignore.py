import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.crawl.gitignore import MAX_COSTLY_PATTERNS, MAX_PATTERNS, Ignored


def test_the_innermost_file_decides_and_the_last_line_in_it():
    ignored = Ignored().within("", b"*.py\n!keep.py\n").within("a/", b"keep.py\n!x.py\n")
    assert ignored("b.py", is_folder=False)
    assert not ignored("keep.py", is_folder=False)
    assert ignored("a/keep.py", is_folder=False)
    assert not ignored("a/x.py", is_folder=False)


@pytest.mark.parametrize(
    "line", ["!", "\\", "[z-a]", "[[a]]x", "a*a*a*a*b", "**/**/**/**/x", "\x00"]
)
def test_passes_over_lines_that_are_wrong_or_costly(line):
    ignored = Ignored().within("", f"{line}\nother.py\n".encode())
    assert ignored("other.py", is_folder=False)
    assert not ignored("a" * 255, is_folder=False)


def test_bounds_the_patterns_that_hold_in_a_folder_however_many_files_they_are_from():
    half = b"x.py\n" * (MAX_PATTERNS // 2)
    nearly = Ignored().within("", half)
    assert nearly.within("a/", b"y.py\n")("a/y.py", is_folder=False)
    full = nearly.within("a/", half)
    assert full("x.py", is_folder=False)
    assert not full.within("a/b/", b"y.py\n")("a/b/y.py", is_folder=False)


def test_bounds_those_that_take_long_on_their_own():
    full = Ignored().within("", b"*x*.py\n" * MAX_COSTLY_PATTERNS)
    assert full("x.py", is_folder=False)
    below = full.within("a/", b"*y*.py\nz*.py\n**/w\n")
    assert not below("a/y.py", is_folder=False)
    assert below("a/z.py", is_folder=False)
    assert below("a/b/w", is_folder=False)


@given(st.binary(max_size=60))
def test_takes_any_bytes(content):
    Ignored().within("", content)("some/path.py", is_folder=False)


NAMES = st.sampled_from(["a.py", "b.py", "ab", "x"])
PATTERNS = st.lists(
    st.text("ab*?!/.px", min_size=1, max_size=6).filter(
        # Folders above decide for git and not for us, who never come to what is below one.
        lambda text: text.count("*") <= 2 and text.strip("!/. *") and not text.endswith(("/", "*"))
    ),
    min_size=1,
    max_size=3,
)


@given(PATTERNS, NAMES)
@settings(max_examples=40)
def test_agrees_with_git(tmp_path_factory, patterns, name):
    folder = tmp_path_factory.mktemp("work")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("\n".join(patterns) + "\n")
    command = ["git", "-C", str(folder), "check-ignore", "--no-index", "-q", name]
    expected = subprocess.run(command, check=False).returncode == 0
    ignored = Ignored().within("", (folder / ".gitignore").read_bytes())
    assert ignored(name, is_folder=False) == expected

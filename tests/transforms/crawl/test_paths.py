import os
import posixpath
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.crawl.paths import path_order, readable_path, safe_path

PIECES = ["a", "/", ".", "\\", ":", "\0", "\n", "é", "\udce9", " ", "CON"]
ODD = st.lists(st.sampled_from(PIECES)).map("".join)


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        "a/b.py",
        "...py",
        "a..b/c.py",
        ".hidden/a.py",
        "é/ü.py",
        "console.py",
        "com.py",
        "a b",
    ],
)
def test_takes_ordinary_paths_as_they_are(path):
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/a", "a/", "a//b", ".", "./a", "a/./b", "..", "../a", "a/../b", "a/.."),
        *("C:/a", "c:a", "a\\b", "\\a", "a\0b", "a\nb", "a\x7fb", "a\x85b", "caf\udce9.py"),
        *("con", "CON.py", "a/nul", "a/aux.py/b", "COM1", "lpt9.txt", "com\u00b9", "nul .py"),
        *("a" * 256, "é" * 128, "/".join(["a" * 200] * 6)),
    ],
)
def test_refuses_paths_that_leave_or_that_some_system_cannot_hold(path):
    assert safe_path(path) is None


def test_takes_paths_up_to_the_limits():
    assert safe_path("a" * 255)
    longest = "/".join(["a" * 127] * 7 + ["a" * 128])
    assert len(longest) == 1024
    assert safe_path(longest)
    assert safe_path(longest + "a") is None


@given(ODD | st.text())
def test_whatever_it_takes_stays_inside_on_every_system(path):
    if safe_path(path) is not None:
        assert posixpath.normpath(path) == path
        assert not posixpath.isabs(path)
        windows = PureWindowsPath(path)
        assert not windows.is_absolute()
        assert not windows.drive
        assert ".." not in windows.parts
        assert os.fsencode(path).decode() == path


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=4, max_size=20), min_size=1))
def test_takes_all_paths_of_letters_and_numbers(parts):
    path = "/".join(part + "_" for part in parts)[:200].rstrip("/")
    assert safe_path(path) == path


@given(ODD | st.binary().map(os.fsdecode))
def test_makes_any_path_readable(path):
    shown = readable_path(path)
    assert shown.encode().decode().isprintable() or " " not in shown
    assert "\0" not in shown
    assert "\n" not in shown


@given(st.lists(st.binary().map(os.fsdecode)))
def test_orders_paths_by_their_bytes(paths):
    assert sorted(paths, key=path_order) == sorted(paths, key=os.fsencode)

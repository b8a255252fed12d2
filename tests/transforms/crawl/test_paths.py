import os
import posixpath
import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.crawl.paths import (
    collision_key,
    is_archive_name,
    path_order,
    readable_path,
    safe_path,
)

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
        ".github/a.py",
        ".gitignore.py",
        "a.git/b.py",
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
        *("a:stream.py", ".. /a.py", "a/.. ./b", "a.py.", "a /b.py", "a./b.py", "a.py "),
        *(".git/hooks/a.py", "a/.GIT/b.py", "git~1/a.py", ".g\u200cit/a.py", "\ufeff.git/a.py"),
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
    assert shown.encode().decode() == shown
    assert "\0" not in shown
    assert "\n" not in shown


@given(st.lists(st.binary().map(os.fsdecode)))
def test_orders_paths_by_their_bytes(paths):
    assert sorted(paths, key=path_order) == sorted(paths, key=os.fsencode)


@given(st.text())
def test_all_spellings_of_a_path_have_one_key(path):
    key = collision_key(path)
    for form in ("NFC", "NFD"):
        assert collision_key(unicodedata.normalize(form, path)) == key
    assert collision_key(path.casefold()) == key


@given(st.text(st.characters(max_codepoint=127)), st.text(st.characters(max_codepoint=127)))
def test_paths_of_ascii_have_one_key_only_where_they_differ_in_case(one, other):
    assert (collision_key(one) == collision_key(other)) == (one.lower() == other.lower())


@pytest.mark.parametrize("path", ["a.zip", "a/b.TAR.gz", "b.tgz", "c.whl", "d.tar", "e.7z"])
def test_knows_archives_by_their_names(path):
    assert is_archive_name(path)


@pytest.mark.parametrize("path", ["a.py", "zip", "a.zip/b.txt", "a.gz", "tar.py", "azip"])
def test_takes_nothing_else_for_an_archive(path):
    assert not is_archive_name(path)

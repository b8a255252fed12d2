import os

import pytest

from transforms.trace.environments.files import put_file, read_file


def test_puts_a_file_in_place_of_another_one(tmp_path):
    (tmp_path / "a").mkdir()
    put_file(tmp_path, "a/b", b"old")
    put_file(tmp_path, "a/b", b"new")
    assert (tmp_path / "a/b").read_bytes() == b"new"


def test_writes_through_no_link(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "secret").write_bytes(b"kept")
    (tmp_path / "base/name").symlink_to(tmp_path / "secret")
    (tmp_path / "base/hard").hardlink_to(tmp_path / "secret")
    (tmp_path / "base/folder").symlink_to(tmp_path)
    put_file(tmp_path / "base", "name", b"x")
    put_file(tmp_path / "base", "hard", b"x")
    with pytest.raises(OSError, match="folder"):
        put_file(tmp_path / "base", "folder/secret", b"x")
    assert (tmp_path / "secret").read_bytes() == b"kept"


def test_reads_plain_files_alone_and_only_so_much(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "base/link").symlink_to(tmp_path / "secret")
    (tmp_path / "base/folder").symlink_to(tmp_path)
    (tmp_path / "base/plain").write_bytes(b"12345678")
    os.mkfifo(tmp_path / "base/fifo")
    base = tmp_path / "base"
    assert read_file(base, "plain", 5) == b"12345"
    for path in ("link", "folder/secret", "fifo", "missing", ".", "plain/x"):
        assert read_file(base, path, 5) is None, path

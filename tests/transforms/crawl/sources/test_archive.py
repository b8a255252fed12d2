import hashlib
import io
import json
import os
import tarfile
import zipfile

import pyarrow as pa
import pytest
from pydantic import ValidationError

from schemas.failures import Reason
from transforms.crawl.source import CrawlError, Limits, Request, SourceFile
from transforms.crawl.sources.archive import ArchiveSource

FILES = {"tool-1.0/a.py": b"a = 1\n", "tool-1.0/pkg/b.py": b"b = 2\n", "tool-1.0/notes.txt": b"n\n"}
FOUND = [SourceFile("a.py", b"a = 1\n"), SourceFile("pkg/b.py", b"b = 2\n")]


def is_python(path):
    return path.endswith(".py")


def zip_bytes(files=FILES):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            # Its own entry, so that no time of day makes two archives of the same files differ.
            archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tar_bytes(compression, files=FILES):
    buffer = io.BytesIO()
    mode = f"w:{compression}" if compression not in ("", "zst") else "w"
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    content = buffer.getvalue()
    if compression != "zst":
        return content
    return pa.Codec("zstd").compress(content, asbytes=True)


def fetch(source, place, limits=Limits()):  # noqa: B008
    (request,) = source.requests(place)
    return source.fetch(request, place, limits)


def read(source, place, limits=Limits()):  # noqa: B008
    fetched = fetch(source, place, limits)
    return list(fetched.read(is_python, limits))


def reason_of(source, place, limits=Limits()):  # noqa: B008
    with pytest.raises(CrawlError) as caught:
        read(source, place, limits)
    return caught.value.reason


def names(source, place=None):
    return [request.repository for request in source.requests(place)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tool.zip", zip_bytes()),
        ("tool.tar", tar_bytes("")),
        ("tool.tar.gz", tar_bytes("gz")),
        ("tool.tgz", tar_bytes("gz")),
        ("tool.tar.bz2", tar_bytes("bz2")),
        ("tool.tar.xz", tar_bytes("xz")),
        ("tool.tar.zst", tar_bytes("zst")),
    ],
)
def test_reads_every_format_without_the_folder_around_it(tmp_path, place, name, content):
    (tmp_path / name).write_bytes(content)
    source = ArchiveSource(paths=(str(tmp_path / name),))
    assert names(source) == ["archive/tool"]
    assert read(source, place) == FOUND
    assert fetch(source, place).facts.revision == hashlib.sha256(content).hexdigest()


def test_keeps_the_folder_where_it_is_told_to_and_in_wheels(tmp_path, place):
    (tmp_path / "a.zip").write_bytes(zip_bytes())
    (tmp_path / "tool-1.0-py3-none-any.whl").write_bytes(zip_bytes({"tool/__init__.py": b""}))
    kept = read(ArchiveSource(paths=(str(tmp_path / "a.zip"),), strip_root=False), place)
    assert [file.path for file in kept] == ["tool-1.0/a.py", "tool-1.0/pkg/b.py"]
    wheel = read(ArchiveSource(paths=(str(tmp_path / "*.whl"),)), place)
    assert [file.path for file in wheel] == ["tool/__init__.py"]


def test_names_archives_below_the_folder_in_which_a_pattern_begins(tmp_path, monkeypatch):
    for path in ("x/a.zip", "y/a.zip", "y/deep/b.tar.gz", "y/.hidden.zip", "y/notes.txt"):
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    paths = ("in/**/*.zip", "in/y/*/*.tar.gz")
    expected = ["archive/x/a", "archive/y/a", "archive/deep/b"]
    assert names(ArchiveSource(paths=paths)) == expected
    assert names(ArchiveSource(paths=("in/x/a.zip",), name="mine")) == ["archive/mine/a"]


def test_names_remote_archives_by_host_and_path():
    source = ArchiveSource(
        paths=(
            "https://user:secret@Example.org:8443/owner/tool/main.zip?token=1",
            "s3://bucket/some/tool.tar.gz",
        )
    )
    expected = ["archive/example.org:8443/owner/tool/main", "archive/bucket/some/tool"]
    assert names(source) == expected


def test_two_archives_of_one_name_show_as_two_places(tmp_path):
    paths = tuple(str(tmp_path / folder / "a.zip") for folder in ("one", "two"))
    found = list(ArchiveSource(paths=paths).places())
    assert {name for name, _ in found} == {"archive/a"}
    assert len({place for _, place in found}) == 2


def test_the_state_changes_with_the_archives_that_match(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_bytes())
    source = ArchiveSource(paths=(str(tmp_path / "*.zip"),))
    before = source.state()
    assert before == source.state() != ""
    (tmp_path / "b.zip").write_bytes(zip_bytes())
    assert source.state() != before


def test_a_pattern_that_matches_nothing_and_addresses_of_no_use_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"none/\*\.zip matches no file"):
        ArchiveSource(paths=(str(tmp_path / "none" / "*.zip"),)).state()
    for path, message in {
        "ftp://example.org/a.zip": "is no path, and no file behind s3://",
        "s3://bucket": "is no path, and no file behind s3://",
        "a.zip#sha256=abc": "64 hexadecimal digits",
        "*.zip#sha256=" + "0" * 64: "this names several",
    }.items():
        with pytest.raises(ValidationError, match=message):
            ArchiveSource(paths=(path,))


def test_a_file_may_have_wildcards_in_its_name(tmp_path, place):
    (tmp_path / "a[1].zip").write_bytes(zip_bytes())
    assert read(ArchiveSource(paths=(str(tmp_path / "a[1].zip"),)), place) == FOUND


def test_compares_the_pinned_hash_of_a_local_archive(tmp_path, place):
    (tmp_path / "a.zip").write_bytes(zip_bytes())
    sha256 = hashlib.sha256(zip_bytes()).hexdigest()
    assert read(ArchiveSource(paths=(f"{tmp_path}/a.zip#sha256={sha256.upper()}",)), place) == FOUND
    wrong = ArchiveSource(paths=(f"{tmp_path}/a.zip#sha256={'0' * 64}",))
    assert reason_of(wrong, place) is Reason.HASH_MISMATCH


def test_names_what_is_missing_unreadable_or_no_archive(tmp_path, place):
    def reason(name):
        return reason_of(ArchiveSource(paths=(str(tmp_path / name),)), place)

    assert reason("absent.zip") is Reason.NOT_FOUND
    (tmp_path / "folder.zip").mkdir()
    assert reason("folder.zip") is Reason.NOT_FOUND
    (tmp_path / "text.zip").write_bytes(b"not an archive at all\n" * 50)
    assert reason("text.zip") is Reason.CORRUPT_ARCHIVE
    (tmp_path / "cut.zip").write_bytes(zip_bytes()[:-30])
    assert reason("cut.zip") is Reason.CORRUPT_ARCHIVE


def test_an_archive_that_may_not_be_read_is_refused(tmp_path, place, monkeypatch):
    def deny(*arguments):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.zip").write_bytes(zip_bytes())
    monkeypatch.setattr("hashlib.file_digest", deny)
    source = ArchiveSource(paths=(str(tmp_path / "a.zip"),))
    assert reason_of(source, place) is Reason.ACCESS_DENIED


def test_a_name_that_is_no_text_fails_alone(tmp_path, place):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.zip", "wb") as file:
        file.write(zip_bytes())
    (tmp_path / "good.zip").write_bytes(zip_bytes())
    source = ArchiveSource(paths=(str(tmp_path / "*.zip"),))
    bad, good = source.requests(place)
    bad.repository.encode()
    with pytest.raises(CrawlError) as caught:
        source.fetch(bad, place, Limits())
    assert caught.value.reason is Reason.UNSAFE_PATH
    assert list(source.fetch(good, place, Limits()).read(is_python, Limits())) == FOUND


def url_of(server, path):
    return f"http://127.0.0.1:{server.port}{path}"


def test_downloads_an_archive_into_the_scratch_folder(index, place):
    index.replace("/files/main.zip", body=zip_bytes())
    source = ArchiveSource(paths=(url_of(index, "/files/main.zip?x=1"),))
    fetched = fetch(source, place)
    assert list(fetched.read(is_python, Limits())) == FOUND
    assert fetched.facts.revision == hashlib.sha256(zip_bytes()).hexdigest()
    assert [path.name for path in place.scratch.iterdir()] == ["main.zip"]
    assert not place.cache.exists()


def test_keeps_a_pinned_download_between_runs(index, place):
    sha256 = hashlib.sha256(zip_bytes()).hexdigest()
    index.replace("/files/a.zip", body=zip_bytes())
    source = ArchiveSource(paths=(url_of(index, f"/files/a.zip#sha256={sha256}"),))
    assert read(source, place) == FOUND
    (place.scratch / "a.zip").unlink()
    index.replace("/files/a.zip", status=500)
    assert read(source, place) == FOUND
    assert len(index.paths) == 1


def test_names_what_a_server_answers(index, place, impatient, monkeypatch, waits):
    monkeypatch.setattr(ArchiveSource, "retries", impatient)
    source = ArchiveSource(
        paths=(f"http://user:secret@127.0.0.1:{index.port}/files/a.zip?token=hidden",)
    )
    for status, reason in {
        404: Reason.NOT_FOUND,
        403: Reason.ACCESS_DENIED,
        500: Reason.UNREACHABLE,
    }.items():
        index.replace("/files/a.zip", status=status)
        with pytest.raises(CrawlError) as caught:
            fetch(source, place)
        assert caught.value.reason is reason
        assert "secret" not in caught.value.detail
        assert "hidden" not in caught.value.detail
    assert len(waits) == Limits().attempts - 1
    index.precede("/files/a.zip", body=zip_bytes(), declared_bytes=len(zip_bytes()) + 9)
    index.replace("/files/a.zip", body=zip_bytes())
    assert read(source, place) == FOUND
    assert index.logins[-1].startswith("Basic ")


def test_a_download_is_bounded_in_bytes_and_time_and_compared(index, place):
    index.replace("/files/a.zip", body=zip_bytes())
    source = ArchiveSource(paths=(url_of(index, "/files/a.zip"),))
    small = Limits(max_repository_bytes=100)
    assert reason_of(source, place, small) is Reason.REPOSITORY_TOO_LARGE
    wrong = ArchiveSource(paths=(url_of(index, f"/files/a.zip#sha256={'0' * 64}"),))
    assert reason_of(wrong, place) is Reason.HASH_MISMATCH
    index.replace("/files/a.zip", body=zip_bytes(), chunk_delay=0.3)
    slow = Limits(timeout_seconds=0.5)
    assert reason_of(source, place, slow) is Reason.TIMED_OUT


def test_the_request_alone_says_what_to_fetch(tmp_path, place):
    (tmp_path / "a.zip").write_bytes(zip_bytes())
    (request,) = ArchiveSource(paths=(str(tmp_path / "a.zip"),)).requests(place)
    location = {"address": str(tmp_path / "a.zip"), "strip_root": True}
    assert request == Request("archive/a", "archive", json.dumps(location))

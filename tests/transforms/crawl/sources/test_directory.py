import json
import os
import subprocess

import pytest

from schemas.failures import Reason
from transforms.crawl.paths import MAX_PATH_BYTES
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile
from transforms.crawl.sources.directory import DirectorySource

DEFAULT_LIMITS = Limits()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "projects"
    for path, text in {
        "first/setup.py": "1",
        "first/a/b.py": "2",
        "first/a/notes.txt": "3",
        "first/a-b/c.py": "4",
        "first/.git/hooks/x.py": "5",
        "second/x.py": "6",
        "loose.py": "7",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def is_python(path):
    return path.endswith(".py")


def read(folder, limits=DEFAULT_LIMITS):
    source = DirectorySource(path=str(folder))
    (request,) = source.requests(None)
    return list(source.fetch(request, None, limits).read(is_python, limits))


def test_reads_a_folder_in_the_order_of_paths(folder):
    assert read(folder / "first") == [
        SourceFile("a/b.py", b"2"),
        SourceFile("a-b/c.py", b"4"),
        SourceFile("setup.py", b"1"),
    ]


def test_takes_one_folder_or_each_of_its_subfolders(folder, monkeypatch):
    (folder / "linked").symlink_to(folder / "first")
    (folder / ".hidden").mkdir()
    source = DirectorySource(path=str(folder), repositories="each")
    found = [request.repository for request in source.requests(None)]
    assert found == ["directory/first", "directory/second"]
    monkeypatch.chdir(folder)
    for path in ("first", "./first/", str(folder / "first"), "second/../first"):
        (request,) = DirectorySource(path=path).requests(None)
        assert request.repository == "directory/first"
        assert json.loads(request.location)["path"] == str(folder / "first")


def test_follows_no_link(folder):
    first = folder / "first"
    (first / "linked.py").symlink_to("setup.py")
    (first / "folder").symlink_to(folder / "second")
    (first / "broken.py").symlink_to("nowhere")
    (first / "loop").symlink_to(first)
    found = read(first)
    assert [file for file in found if isinstance(file, RejectedFile)] == [
        RejectedFile("broken.py", Reason.LINK),
        RejectedFile("linked.py", Reason.LINK),
    ]
    assert len(found) == 5


def test_opens_nothing_that_is_no_file(folder):
    os.mkfifo(folder / "second" / "pipe.py")
    rejected = RejectedFile("pipe.py", Reason.SPECIAL_FILE)
    assert read(folder / "second") == [rejected, SourceFile("x.py", b"6")]


def test_rejects_files_over_the_limit(folder):
    (folder / "second" / "big.py").write_bytes(b"#" * 101)
    found = read(folder / "second", Limits(max_file_bytes=100))
    assert found[0] == RejectedFile("big.py", Reason.FILE_TOO_LARGE, "more than 100 bytes")


@pytest.mark.parametrize("limits", [Limits(max_repository_files=3), Limits(max_repository_bytes=2)])
def test_fails_a_folder_over_the_limits(folder, limits):
    with pytest.raises(CrawlError) as caught:
        read(folder / "first", limits)
    assert caught.value.reason is Reason.REPOSITORY_TOO_LARGE


def test_names_a_folder_that_does_not_exist(folder):
    with pytest.raises(CrawlError) as caught:
        read(folder / "other")
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(ValueError, match=r"other.*does not exist; name"):
        DirectorySource(path=str(folder / "other"), repositories="each").state()


def test_hands_on_names_that_are_not_utf8(folder):
    (folder / "second" / os.fsdecode(b"caf\xe9.py")).write_text("8")
    assert [file.path for file in read(folder / "second")] == ["caf\udce9.py", "x.py"]


def test_a_folder_whose_name_is_no_text_fails_alone(tmp_path, place):
    (tmp_path / "many" / "good").mkdir(parents=True)
    os.mkdir(os.fsencode(tmp_path / "many") + b"/\xff\xfe")
    source = DirectorySource(path=str(tmp_path / "many"), repositories="each")
    good, bad = sorted(source.requests(place), key=lambda request: "null" in request.location)
    assert good.repository == "directory/good"
    bad.repository.encode()
    with pytest.raises(CrawlError) as caught:
        source.fetch(bad, place, Limits())
    assert caught.value.reason is Reason.UNSAFE_PATH


def test_leaves_out_what_gitignore_files_name_where_that_is_asked_for(folder, place):
    first = folder / "first"
    (first / ".gitignore").write_text("# generated\na-b/\nb.py\n")
    (first / "a" / ".gitignore").write_text("!b.py\n/only*.py\n")
    (first / "a" / "only_here.py").write_text("8")
    (first / "only_there.py").write_text("9")
    for gitignore, paths in {
        False: ["a/b.py", "a/only_here.py", "a-b/c.py", "only_there.py", "setup.py"],
        True: ["a/b.py", "only_there.py", "setup.py"],
    }.items():
        source = DirectorySource(path=str(first), gitignore=gitignore)
        (request,) = source.requests(place)
        found = source.fetch(request, place, DEFAULT_LIMITS).read(is_python, DEFAULT_LIMITS)
        assert [file.path for file in found] == paths


def test_reads_no_gitignore_through_a_link(folder, place, tmp_path):
    (tmp_path / "elsewhere").write_text("x.py\n")
    (folder / "second" / ".gitignore").symlink_to(tmp_path / "elsewhere")
    source = DirectorySource(path=str(folder / "second"), gitignore=True)
    (request,) = source.requests(place)
    found = source.fetch(request, place, DEFAULT_LIMITS).read(is_python, DEFAULT_LIMITS)
    assert [file.path for file in found] == ["x.py"]


@pytest.fixture
def make_folders():
    """Makes folders in folders, whose path may be longer than the system takes at once."""
    made = []

    def make(start, name, count):
        made.append(start)
        descriptor = os.open(start, os.O_RDONLY)
        for _ in range(count):
            os.mkdir(name, dir_fd=descriptor)
            below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        os.close(descriptor)

    yield make
    # What Python removes, it removes by recursion.
    subprocess.run(["rm", "-rf", *made], check=True)


@pytest.mark.parametrize(("name", "count"), [(b"a", 1200), (b"\xff" + b"d" * 190, 25)])
def test_goes_down_no_path_that_is_over_long(folder, make_folders, name, count):
    make_folders(folder / "second", name, count)
    found = read(folder / "second")
    (over_long,) = [file for file in found if isinstance(file, RejectedFile)]
    assert over_long.reason is Reason.UNSAFE_PATH
    assert 0 < len(os.fsencode(over_long.path)) - MAX_PATH_BYTES <= len(name) + 1
    assert SourceFile("x.py", b"6") in found
    assert len(found) == 2


def test_reads_no_list_of_a_folder_beyond_the_limit_on_files(folder):
    for number in range(4):
        (folder / "second" / f"folder-{number}").mkdir()
    assert len(read(folder / "second", Limits(max_repository_files=5))) == 1
    with pytest.raises(CrawlError, match="a folder of more than 4 files and folders"):
        read(folder / "second", Limits(max_repository_files=4))


def test_takes_no_longer_than_a_repository_may(folder):
    with pytest.raises(CrawlError) as caught:
        read(folder / "first", Limits(timeout_seconds=1e-9))
    assert caught.value.reason is Reason.TIMED_OUT

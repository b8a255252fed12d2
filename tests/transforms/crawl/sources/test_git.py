import contextlib
import dataclasses
import datetime
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.crawl.git.command import Bounds, _leash, environment, missing_git, run_git
from transforms.crawl.git.urls import repository_name, without_credentials
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile
from transforms.crawl.sources.git import GitSource, commit_time

DEFAULT_LIMITS = Limits()
FILES = {
    "setup.py": b"import setuptools\n",
    "source/a.py": b"a = 1\n",
    "source/big.py": b"#" * 5000,
    "source/link.py": "a.py",
    "notes.txt": b"not wanted",
}


def is_python(path):
    return path.endswith(".py")


def fetch(place, url, ref=None, limits=DEFAULT_LIMITS, retries=None):
    source = GitSource(urls=[{"url": url, "ref": ref} if ref else url])
    (request,) = source.requests(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitSource, "retries", retries or GitSource.retries)
        return source.fetch(request, place, limits)


def reason_of(call, *arguments, **options):
    with pytest.raises(CrawlError) as caught:
        call(*arguments, **options)
    return caught.value.reason


def expect_files(fetched, limits):
    found = {file.path: file for file in fetched.read(is_python, limits)}
    assert found == {
        "setup.py": SourceFile("setup.py", FILES["setup.py"]),
        "source/a.py": SourceFile("source/a.py", FILES["source/a.py"]),
        "source/big.py": RejectedFile(
            "source/big.py", Reason.FILE_TOO_LARGE, "more than 1,000 bytes"
        ),
        "source/link.py": RejectedFile("source/link.py", Reason.LINK),
    }


@pytest.mark.parametrize("can_filter", [True, False])
def test_reads_a_repository_of_a_git_daemon(git_folder, git_daemon, place, can_filter):
    commit = git_folder.commit("project", FILES, can_filter=can_filter)
    limits = Limits(max_file_bytes=1000)
    fetched = fetch(place, f"{git_daemon.url}/project", limits=limits)
    assert fetched.facts.revision == commit
    assert fetched.facts.released == datetime.datetime(2024, 5, 6, 5, 8, 9, tzinfo=datetime.UTC)
    expect_files(fetched, limits)


@pytest.mark.parametrize("can_filter", [True, False])
def test_reads_a_repository_over_http(git_folder, git_http, place, can_filter):
    git_folder.commit("project", FILES, can_filter=can_filter)
    limits = Limits(max_file_bytes=1000)
    fetched = fetch(place, f"{git_http.url}/project/.git", limits=limits)
    asked = git_http.requests
    expect_files(fetched, limits)
    assert git_http.requests == asked, "a blob that the filter left out was fetched after all"


def test_needs_no_server_once_it_has_fetched(git_folder, git_daemon, place):
    git_folder.commit("project", FILES)
    limits = Limits(max_file_bytes=1000)
    fetched = fetch(place, f"{git_daemon.url}/project", limits=limits)
    git_daemon.stop()
    expect_files(fetched, limits)


def test_keeps_a_file_of_exactly_the_limit(git_folder, place):
    git_folder.commit("project", {"a.py": b"#" * 1000, "b.py": b"#" * 1001})
    limits = Limits(max_file_bytes=1000)
    fetched = fetch(place, str(git_folder.root / "project"), limits=limits)
    found = {file.path: type(file) for file in fetched.read(is_python, limits)}
    assert found == {"a.py": SourceFile, "b.py": RejectedFile}


def test_fetches_a_branch_a_tag_or_an_older_commit(git_folder, place):
    first = git_folder.commit("project", {"a.py": b"first"})
    second = git_folder.commit("project", {"a.py": b"second"})
    url = f"file://{git_folder.root}/project"
    assert fetch(place, url, "main").facts.revision == second
    fetched = fetch(place, url, first)
    assert fetched.facts.revision == first
    assert list(fetched.read(is_python, Limits())) == [SourceFile("a.py", b"first")]


def test_runs_no_hook_and_applies_no_attribute_or_filter(git_folder, place, tmp_path):
    marker = tmp_path / "was-run"
    git_folder.commit(
        "project",
        {
            ".gitattributes": b"*.py ident export-subst eol=crlf filter=lfs\n",
            "a.py": b"# $Id$ $Format:%H$\n",
            "hooks/post-checkout": f"#!/bin/sh\ntouch {marker}\n".encode(),
        },
    )
    fetched = fetch(place, f"file://{git_folder.root}/project")
    assert list(fetched.read(is_python, Limits())) == [SourceFile("a.py", b"# $Id$ $Format:%H$\n")]
    assert not marker.exists()
    assert not (fetched.repository / "hooks").exists()


def test_names_each_submodule_whatever_it_is_called(git_folder, place):
    commit = git_folder.commit("project", {"a.py": b"x = 1\n"})
    for path in ("vendored.py", "libraries/other"):
        entry = f"160000,{commit},{path}"
        git_folder.git("project", "update-index", "--add", "--cacheinfo", entry)
    git_folder.git("project", "commit", "--quiet", "--message", "with submodules")
    fetched = fetch(place, f"file://{git_folder.root}/project")
    found = {file.path: file for file in fetched.read(is_python, Limits())}
    detail = f"commit {commit}"
    assert found == {
        "a.py": SourceFile("a.py", b"x = 1\n"),
        "vendored.py": RejectedFile("vendored.py", Reason.SUBMODULE, detail),
        "libraries/other": RejectedFile("libraries/other", Reason.SUBMODULE, detail),
    }


def test_reads_paths_that_are_not_utf8_as_surrogates(git_folder, place):
    git_folder.commit("project", {b"caf\xe9.py".decode("utf-8", "surrogateescape"): b"x = 1\n"})
    fetched = fetch(place, f"file://{git_folder.root}/project")
    (file,) = fetched.read(is_python, Limits())
    assert file.path == "caf\udce9.py"


def test_streams_many_files_without_a_deadlock(git_folder, place):
    files = {f"{number % 50}/{number}.py": b"#" * (number * 7) for number in range(3000)}
    git_folder.commit("project", files)
    (request,) = GitSource(urls=[f"file://{git_folder.root}/project"]).requests(place)
    crawled = crawl_repository(
        request, GitSource.fetch(request, place, Limits()), ["python"], Limits()
    )
    assert {file.path: file.content for file in crawled.files} == files


def test_may_be_left_before_the_end(git_folder, place):
    git_folder.commit("project", {f"{number}.py": b"#" * 100_000 for number in range(20)})
    files = fetch(place, f"file://{git_folder.root}/project").read(is_python, Limits())
    next(files)
    files.close()


def test_reads_an_empty_tree(git_folder, place):
    git_folder.commit("project", {})
    assert list(fetch(place, str(git_folder.root / "project")).read(is_python, Limits())) == []


def test_names_a_repository_or_reference_that_does_not_exist(git_folder, git_http, place):
    git_folder.commit("project", FILES)
    url = f"file://{git_folder.root}"
    assert reason_of(fetch, place, f"{url}/other") is Reason.NOT_FOUND
    assert reason_of(fetch, place, f"{url}/project", "other") is Reason.NOT_FOUND
    assert reason_of(fetch, place, f"{url}/project", "0" * 39 + "1") is Reason.NOT_FOUND
    assert reason_of(fetch, place, f"{git_http.url}/other") is Reason.NOT_FOUND


def test_names_a_daemon_that_does_not_export(git_daemon, place):
    assert reason_of(fetch, place, f"{git_daemon.url}/other") is Reason.NOT_FOUND


@pytest.mark.parametrize("status", [401, 403])
def test_names_refused_access_and_hides_credentials(git_folder, git_http, place, status):
    git_folder.commit("project", FILES)
    git_http.status = status
    url = f"{git_http.url}/project".replace("//", "//someone:secret@")
    with pytest.raises(CrawlError) as caught:
        fetch(place, url)
    assert caught.value.reason is Reason.ACCESS_DENIED
    assert "secret" not in caught.value.detail


def test_tries_an_unreachable_server_again(git_daemon, place, impatient, waits):
    git_daemon.stop()
    with pytest.raises(CrawlError, match=r"unable to connect.*attempt 3 of 3") as caught:
        fetch(place, f"{git_daemon.url}/project", limits=Limits(attempts=3), retries=impatient)
    assert caught.value.reason is Reason.UNREACHABLE
    assert len(waits) == 2


def test_succeeds_when_a_server_recovers(git_folder, git_http, place, impatient, waits):
    git_folder.commit("project", FILES)
    git_http.status = 503

    def recover(seconds):
        waits.append(seconds)
        git_http.status = 200

    retries = dataclasses.replace(impatient, sleep=recover)
    assert fetch(place, f"{git_http.url}/project", retries=retries).facts.revision
    assert len(waits) == 1


def test_ends_a_fetch_whose_time_is_over(place):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/project"
        started = time.monotonic()
        assert reason_of(fetch, place, url, limits=Limits(timeout_seconds=0.5)) is Reason.TIMED_OUT
        assert time.monotonic() - started < 5


def test_ends_a_command_that_fills_the_disk(tmp_path):
    (tmp_path / "repository.git").mkdir()
    (tmp_path / "repository.git" / "pack").write_bytes(b"#" * 2000)
    waiting = ["-c", "alias.wait=!sleep 60", "wait"]
    with pytest.raises(CrawlError, match="more than 1,000 bytes"):
        run_git(tmp_path / "repository.git", waiting, Bounds(30, 1000))


def test_ends_all_that_a_command_started(tmp_path):
    (tmp_path / "repository.git").mkdir()
    noted = tmp_path / "number"
    waiting = ["-c", f"alias.wait=!echo $$ > {noted}; sleep 60; true", "wait"]
    with pytest.raises(CrawlError, match="more than 1 seconds"):
        run_git(tmp_path / "repository.git", waiting, Bounds(1))
    deadline = time.monotonic() + 5
    while is_running(int(noted.read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(noted.read_text()))


def is_running(process):
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_limits_the_files_and_bytes_of_a_repository(git_folder, place):
    git_folder.commit("project", {f"{number}.py": b"#" * 1000 for number in range(10)})
    fetched = fetch(place, f"file://{git_folder.root}/project")
    for limits in (Limits(max_repository_files=9), Limits(max_repository_bytes=9_999)):
        assert reason_of(list, fetched.read(is_python, limits)) is Reason.REPOSITORY_TOO_LARGE
    exact = Limits(max_repository_files=10, max_repository_bytes=10_000)
    assert len(list(fetched.read(is_python, exact))) == 10


def test_names_a_damaged_repository(git_folder, place):
    git_folder.commit("project", {"a.py": os.urandom(5000)})
    fetched = fetch(place, f"file://{git_folder.root}/project")
    (pack,) = (fetched.repository / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:60] + bytes(1000))
    assert reason_of(list, fetched.read(is_python, Limits())) is Reason.CORRUPT_REPOSITORY


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "fd::17",
        "--upload-pack=touch x",
        "-oProxyCommand=x:project",
        "ssh://-oProxyCommand=x/project",
        "ftp://example.org/project",
        "relative/project",
        "https://example.org/a b",
        "https://example.org:port/a",
        "https://example.org/a\nb",
    ],
)
def test_refuses_urls_that_are_none(place, url):
    assert reason_of(fetch, place, url) is Reason.REQUEST_REFUSED


@pytest.mark.parametrize(
    "ref", ["--upload-pack=x", "+main", "main:other", "a..b", "a b", "*", "^a"]
)
def test_refuses_references_that_are_none(git_folder, place, ref):
    assert reason_of(fetch, place, f"file://{git_folder.root}", ref) is Reason.REQUEST_REFUSED


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Example.org/owner/project.git", "example.org/owner/project"),
        ("https://user:secret@example.org/owner/project/", "example.org/owner/project"),
        ("https://user:se@cret@example.org/owner/project", "example.org/owner/project"),
        ("https://user:se/cret@example.org/owner/project", "example.org/owner/project"),
        ("https://example.org:8443/owner/project@2", "example.org:8443/owner/project@2"),
        ("https://example.org/owner/\x1b[2Jproject", "example.org/owner/\\x1b[2Jproject"),
        ("https://example.org:443/owner//project", "example.org/owner/project"),
        ("https://example.org:8443/owner/project", "example.org:8443/owner/project"),
        ("git://127.0.0.1:9418/project", "127.0.0.1:9418/project"),
        ("git@example.org:owner/project.git", "example.org/owner/project"),
        ("ssh://git@example.org:22/owner/project.git/", "example.org/owner/project"),
        ("file:///srv/project.git", "localhost/srv/project"),
        ("/srv/project", "localhost/srv/project"),
    ],
)
def test_names_a_repository_by_host_and_path(url, name):
    (request,) = GitSource(urls=[url]).requests(None)
    assert request.repository == name
    assert request.source == "git"


@given(st.text())
def test_names_any_text_without_an_error(text):
    repository_name(text)


@pytest.mark.parametrize(
    "url", ["https://user:se@cret@127.0.0.1:1/x", "https://user:se/cret@127.0.0.1/x"]
)
def test_shows_no_part_of_a_password(place, url, impatient):
    with pytest.raises(CrawlError) as caught:
        fetch(place, url, retries=impatient)
    assert "cret" not in caught.value.detail


def test_shows_no_part_of_a_location_that_opens_it():
    location = '{"address": "https://user:s@cret@a.org/x.zip?sign=s@cret", "strip_root": true}'
    assert without_credentials(location) == '{"address": "https://a.org/x.zip", "strip_root": true}'
    for said in ("at http://a.org:80/x@2 (is it there?)", "git@a.org:x", "//" * 9, "://" * 30_000):
        assert without_credentials(said) == said


@pytest.mark.parametrize("line", ["{", '{"url":5}', '{"url":"URL","ref":"main"}'])
def test_a_line_of_a_list_is_never_taken_for_more_than_a_url(git_folder, place, tmp_path, line):
    git_folder.commit("project", FILES)
    (tmp_path / "list").write_text(line.replace("URL", str(git_folder.root / "project")))
    (request,) = GitSource(lists=[str(tmp_path / "list")]).requests(place)
    limits = Limits(attempts=1)
    refused = (Reason.REQUEST_REFUSED, Reason.UNREACHABLE)
    assert reason_of(GitSource.fetch, request, place, limits) in refused


def test_a_full_disk_says_nothing_of_the_repository(git_folder, place, monkeypatch):
    git_folder.commit("project", FILES)
    (git_folder.root / "project/.git/HEAD").write_text("damaged")
    used = shutil._ntuple_diskusage(1, 1, 4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: used)
    with pytest.raises(OSError, match="No space left on device"):
        fetch(place, str(git_folder.root / "project"))


def test_refuses_an_empty_url():
    with pytest.raises(ValueError, match="at least 1 character"):
        GitSource(urls=[" "])


@pytest.mark.parametrize(
    "commit",
    [
        b"tree x\ncommitter a <b> 99999999999999999999 +0000\n\n",
        b"tree x\ncommitter\n\n",
        b"committer a <b> x +0000\n\n",
        b"tree x\n\ncommitter a <b> 1 +0000",
        b"",
    ],
)
def test_takes_no_time_from_a_commit_that_says_nothing_sensible(commit):
    assert commit_time(commit) is None


def test_gives_git_nothing_of_the_users_settings(monkeypatch):
    for name in ("GIT_DIR", "GIT_CONFIG_COUNT", "GIT_SSH", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH"):
        monkeypatch.setenv(name, "x")
    passed = environment()
    assert not {"GIT_DIR", "GIT_CONFIG_COUNT", "GIT_SSH", "GIT_PROXY_COMMAND"} & set(passed)
    assert passed["GIT_CONFIG_GLOBAL"] == os.devnull


def test_says_that_there_is_no_git(monkeypatch, tmp_path):
    assert missing_git() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install it" in missing_git()


def _children_of(pid):
    """The processes that descend from a process, as far as they still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, parent = (
                int(stat.parent.name),
                int(stat.read_text().rpartition(")")[2].split()[1]),
            )
            if parent == pid:
                found += [number, *_children_of(number)]
    return found


@pytest.mark.skipif(not _leash(), reason="there is no setpriv, which ends git with its parent")
def test_git_ends_with_the_process_that_started_it(tmp_path):
    """Killed in the middle of a fetch from a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"git://127.0.0.1:{server.getsockname()[1]}/x"
        program = (
            "import sys, pathlib\n"
            "from transforms.crawl.sources.git import GitSource\n"
            "from transforms.crawl.source import Limits, Place\n"
            "folder = pathlib.Path(sys.argv[1])\n"
            "(request,) = GitSource(urls=[sys.argv[2]]).requests(None)\n"
            "GitSource.fetch(request, Place(folder, folder), Limits())\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), url])
        connection, _ = server.accept()
        with connection:
            children = _children_of(process.pid)
            assert children
            process.kill()
            process.wait()
            deadline = time.monotonic() + 10
            while any(Path(f"/proc/{child}").exists() for child in children):
                assert time.monotonic() < deadline, "git outlived its parent"
                time.sleep(0.05)

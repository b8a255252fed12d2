"""Repositories of real git servers: what is sent, what is never applied, and histories."""

import datetime
import itertools
import os
import subprocess

import pytest

from schemas.failures import Reason
from transforms.crawl.source import CrawlError, Limits, RejectedFile, Request, SourceFile
from transforms.crawl.sources.git import GitSource

GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]


def everything(path):
    return True


def fetch(place, url, ref=None, **limits):
    source = GitSource(urls=[{"url": url, "ref": ref}])
    (request,) = source.requests(place)
    return GitSource.fetch(request, place, Limits(**{"attempts": 1, **limits}))


def error_of(place, url, ref=None):
    with pytest.raises(CrawlError) as caught:
        list(fetch(place, url, ref).read(everything, Limits()))
    return caught.value


def contents(fetched):
    return {file.path: file.content for file in fetched.read(everything, Limits())}


def received_bytes(fetched):
    return sum(path.stat().st_size for path in fetched.repository.rglob("objects/**/*.pack"))


@pytest.fixture(params=["git", "http", "file"])
def address(request, git_folder):
    """The URL of a repository by its name, over each protocol."""
    if request.param == "file":
        return lambda name: f"file://{git_folder.root}/{name}"
    server = request.getfixturevalue("git_daemon" if request.param == "git" else "git_http")
    return lambda name: f"{server.url}/{name}/.git"


@pytest.mark.parametrize("can_filter", [True, False])
def test_large_blobs_are_never_sent_by_a_server_that_filters(
    git_folder, address, place, can_filter
):
    files = {"a.py": b"x = 1\n", "large.py": os.urandom(300_000), "data.bin": os.urandom(400_000)}
    git_folder.commit("project", files, can_filter=can_filter)
    fetched = fetch(place, address("project"), max_file_bytes=1000)
    received = received_bytes(fetched)
    assert received < 2_000 if can_filter else received > 700_000
    found = {file.path: file for file in fetched.read(everything, Limits(max_file_bytes=1000))}
    detail = "more than 1,000 bytes"
    large = {
        path: RejectedFile(path, Reason.FILE_TOO_LARGE, detail) for path in ("large.py", "data.bin")
    }
    assert found == {"a.py": SourceFile("a.py", b"x = 1\n"), **large}


def test_history_is_never_sent(git_folder, address, place):
    for _ in range(5):
        git_folder.commit("project", {"a.py": os.urandom(50_000)})
    assert received_bytes(fetch(place, address("project"))) < 60_000


def releases(count):
    """Trees of a growing project: files come, change, move and go, one is copied."""
    files = {"setup.py": b"from setuptools import setup\n", "package/__init__.py": b""}
    for n in range(1, count + 1):
        files = {
            **files,
            "package/__init__.py": f"__version__ = '{n}.0'\n".encode(),
            f"package/module_{n}.py": f"def release_{n}():\n    return {n}\n".encode() * n * 20,
            f"package/{'deep/' * n}data.txt": b"caf\xe9\r\n" * n,
            "README": b"\xff\xfe" + f"release {n}".encode("utf-16-le"),
        }
        files.pop(f"package/module_{n - 2}.py", None)
        yield f"v{n}.0", dict(files)


def commit_releases(git_folder, name, trees):
    """Commits trees one after another, a day apart, each with a tag; the commits by tag."""
    work = git_folder.root / name
    git_folder.commit(name, {"nothing": b""})
    commits = {}
    for day, (tag, files) in enumerate(trees, start=1):
        git_folder.git(name, "rm", "-r", "--quiet", ".")
        for path, content in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(content)
        git_folder.git(name, "add", "--all", "--force")
        moment = f"2024-03-{day:02d}T12:00:00+0530"
        environment = os.environ | {"GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": moment}
        command = [*GIT, "commit", "--quiet", "--message", tag]
        subprocess.run(command, cwd=work, env=environment, check=True)
        # Every other tag is an object of its own.
        git_folder.git(name, "tag", *(["-a", "-m", tag] if day % 2 else []), tag)
        commits[tag] = git_folder.git(name, "rev-parse", "HEAD")
    return commits


def test_gives_each_release_of_a_history_with_its_tree_and_time(git_folder, address, place):
    trees = dict(releases(6))
    commits = commit_releases(git_folder, "project", trees.items())
    for day, (tag, commit) in enumerate(commits.items(), start=1):
        for ref in (tag, f"refs/tags/{tag}", commit):
            fetched = fetch(place, address("project"), ref)
            assert fetched.facts.revision == commit
            moment = datetime.datetime(2024, 3, day, 6, 30, tzinfo=datetime.UTC)
            assert fetched.facts.released == moment
            assert contents(fetched) == trees[tag]
    head = fetch(place, address("project"))
    assert head.facts.revision == commits["v6.0"]


def test_gives_a_merged_history_at_any_of_its_branches(git_folder, address, place):
    commits = commit_releases(git_folder, "project", itertools.islice(releases(4), 2))
    git_folder.git("project", "checkout", "--quiet", "-b", "side", commits["v1.0"])
    side = git_folder.commit("project", {"side.py": b"s = 1\n"})
    git_folder.git("project", "checkout", "--quiet", "main")
    git_folder.git("project", "merge", "--quiet", "--no-edit", "side")
    merged = fetch(place, address("project"))
    assert merged.facts.revision == git_folder.git("project", "rev-parse", "HEAD")
    assert {"side.py", "package/module_2.py"} <= set(contents(merged))
    assert fetch(place, address("project"), "side").facts.revision == side


def test_reads_repositories_of_either_hash(git_folder, address, place):
    work = git_folder.root / "project"
    work.mkdir()
    git_folder.git("project", "init", "--quiet", "--object-format=sha256", "-b", "main")
    tip = git_folder.commit("project", {"a/b.py": b"x = 1\n", "c.py": b"y = 2\n"})
    assert len(tip) == 64
    for ref in (None, "main", tip):
        fetched = fetch(place, address("project"), ref)
        assert fetched.facts.revision == tip
        assert contents(fetched) == {"a/b.py": b"x = 1\n", "c.py": b"y = 2\n"}


def test_names_a_repository_without_a_commit(git_folder, address, place):
    (git_folder.root / "project").mkdir()
    git_folder.git("project", "init", "--quiet")
    assert error_of(place, address("project")).reason is Reason.NO_COMMIT
    assert error_of(place, address("project"), "main").reason is Reason.NOT_FOUND


def test_names_a_head_that_points_to_no_branch(git_folder, address, place):
    tip = git_folder.commit("project", {"a.py": b"x = 1\n"})
    git_folder.git("project", "symbolic-ref", "HEAD", "refs/heads/gone")
    assert error_of(place, address("project")).reason is Reason.NO_COMMIT
    assert fetch(place, address("project"), "main").facts.revision == tip


def test_names_what_is_not_there(git_folder, address, place):
    git_folder.commit("project", {"a.py": b"x = 1\n"})
    assert error_of(place, address("other")).reason is Reason.NOT_FOUND
    for ref in ("gone", "refs/tags/gone", "0" * 39 + "1", "a" * 64):
        assert error_of(place, address("project"), ref).reason is Reason.NOT_FOUND


@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:a.py"])
def test_names_a_tag_of_what_is_no_commit(git_folder, address, place, what):
    git_folder.commit("project", {"a.py": b"x = 1\n"})
    git_folder.git("project", "tag", "light", what)
    git_folder.git("project", "tag", "-a", "-m", "m", "heavy", what)
    for ref in ("light", "heavy"):
        assert error_of(place, address("project"), ref).reason is Reason.NO_COMMIT


def test_asks_for_no_commit_that_a_server_keeps_to_itself(git_folder, git_daemon, place):
    """Version 0 of the protocol is all that such a server speaks."""
    hidden = git_folder.commit("project", {"a.py": b"hidden\n"})
    git_folder.git("project", "commit", "--quiet", "--amend", "--message", "shown")
    git_folder.git("project", "config", "uploadpack.allowAnySHA1InWant", "false")
    git_folder.git("project", "config", "protocol.version", "0")
    git_folder.git("project", "reflog", "expire", "--expire=now", "--all")
    git_folder.git("project", "gc", "--quiet", "--prune=now")
    assert error_of(place, f"{git_daemon.url}/project", hidden).reason is Reason.NOT_FOUND


def test_contents_are_what_was_committed_whatever_attributes_say(git_folder, address, place):
    files = {
        ".gitattributes": b"* text eol=crlf ident export-subst filter=lfs diff=x merge=x\n"
        b"*.py working-tree-encoding=UTF-16 export-ignore\n",
        ".gitconfig": b'[filter "lfs"]\n\tsmudge = touch was-run\n',
        ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = ext::touch% was-run\n',
        "a.py": b"# $Id$ $Format:%H$\nmixed\r\nends\n",
        "big.dat": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
    }
    git_folder.commit("project", {"first.py": b""})
    work = git_folder.root / "project"
    for path, content in files.items():
        (work / path).write_bytes(content)
    # Committed as the bytes that they are: by themselves, attributes would change them.
    for path in files:
        command = ["hash-object", "-w", "--no-filters", path]
        oid = git_folder.git("project", *command)
        entry = f"100644,{oid},{path}"
        git_folder.git("project", "update-index", "--add", "--cacheinfo", entry)
    git_folder.git("project", "commit", "--quiet", "--message", "attributes")
    assert contents(fetch(place, address("project"))) == files | {"first.py": b""}


def test_replacements_and_grafts_of_a_server_change_nothing(git_folder, address, place):
    first = git_folder.commit("project", {"a.py": b"first\n"})
    second = git_folder.commit("project", {"a.py": b"second\n"})
    git_folder.git("project", "replace", second, first)
    (git_folder.root / "project/.git/info").mkdir(exist_ok=True)
    (git_folder.root / "project/.git/info/grafts").write_text(f"{second} {first}\n")
    fetched = fetch(place, address("project"))
    assert fetched.facts.revision == second
    assert contents(fetched) == {"a.py": b"second\n"}


def test_hooks_and_settings_of_a_served_folder_run_nothing(git_folder, address, place, tmp_path):
    marker = tmp_path / "was-run"
    command = tmp_path / "command"
    command.write_text(f"#!/bin/sh\ntouch {marker}\n")
    command.chmod(0o755)
    git_folder.commit("project", {"a.py": b"x = 1\n"})
    hooks = git_folder.root / "project/.git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-upload-pack", "pre-receive"):
        (hooks / name).symlink_to(command)
    for key in (
        *("core.fsmonitor", "core.alternateRefsCommand", "core.sshCommand", "core.gitProxy"),
        *("core.pager", "core.editor", "credential.helper", "uploadpack.packObjectsHook"),
        *("remote.origin.uploadpack", "filter.x.smudge", "diff.external", "gpg.program"),
    ):
        git_folder.git("project", "config", key, str(command))
    assert contents(fetch(place, address("project"))) == {"a.py": b"x = 1\n"}
    assert not marker.exists()


def test_a_served_folder_that_lacks_objects_fetches_them_from_nowhere(
    git_folder, address, place, tmp_path
):
    """A partial clone would ask its remote, by a command of its own choice."""
    marker = tmp_path / "was-run"
    git_folder.commit("project", {"a.py": b"x = 1\n"})
    blob = git_folder.git("project", "rev-parse", "HEAD:a.py")
    (git_folder.root / "project/.git/objects" / blob[:2] / blob[2:]).unlink()
    for key, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", "file:///nowhere"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", f"touch {marker};"),
    ):
        git_folder.git("project", "config", key, value)
    error = error_of(place, address("project"))
    assert error.reason in (Reason.UNREACHABLE, Reason.CORRUPT_REPOSITORY)
    assert not marker.exists()


def test_reads_what_a_served_folder_borrows_and_nothing_it_does_not_have(
    git_folder, address, place
):
    git_folder.commit("lender", {"a.py": b"x = 1\n"})
    git_folder.git("", "clone", "--quiet", "--shared", "lender", "project")
    assert contents(fetch(place, address("project"))) == {"a.py": b"x = 1\n"}
    (git_folder.root / "project/.git/objects/info/alternates").write_text("/nowhere\n")
    assert error_of(place, address("project")).reason is Reason.NOT_FOUND


def test_objects_of_another_repository_stay_unknown(git_folder, place, tmp_path, monkeypatch):
    """What the environment of the user names is not looked at."""
    tip = git_folder.commit("project", {"a.py": b"x = 1\n"})
    git_folder.commit("other", {"b.py": b"y = 1\n"})
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(git_folder.root / "other/.git/objects"))
    monkeypatch.setenv("GIT_DIR", str(git_folder.root / "other/.git"))
    fetched = GitSource.fetch(
        Request("x", "git", f"file://{git_folder.root}/project"), place, Limits()
    )
    assert fetched.facts.revision == tip

"""Repositories that no git would make, sent by a server that does not check them."""

import subprocess
import time

import pytest

from schemas.failures import Reason
from tests.transforms.crawl.git.forging import (
    BLOB,
    COMMIT,
    OFS_DELTA,
    REF_DELTA,
    TAG,
    TREE,
    commit,
    copies,
    entry,
    insertion,
    name_of,
    pack,
    packed,
    repository_pack,
    serving_pack,
    tree,
)
from transforms.crawl.paths import MAX_PATH_BYTES
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Limits, RejectedFile, Request, SourceFile
from transforms.crawl.sources.git import GitSource

BODY = b"x = 1\n"
FILE = name_of(BLOB, BODY)
GOOD = ("100644", b"good.py", FILE)


def everything(path):
    return True


def read(place, content, tip, limits=Limits()):  # noqa: B008
    with serving_pack(content, tip) as url:
        fetched = GitSource.fetch(Request("forged", "git", url), place, limits)
    return list(fetched.read(everything, limits))


def reason_of(place, content, tip, **limits):
    with pytest.raises(CrawlError) as caught:
        read(place, content, tip, Limits(**{"attempts": 1, **limits}))
    return caught.value.reason


def test_reads_what_is_well_made(place):
    found = read(place, *repository_pack({b"good.py": BODY, b"b.py": b"y = 2\n"}))
    assert found == [SourceFile("good.py", BODY), SourceFile("b.py", b"y = 2\n")]


@pytest.mark.parametrize("name", [b"..", b".", b"", b".git", b".GIT", b"a/b.py", b"../../x.py"])
@pytest.mark.parametrize("mode", ["100644", "40000"])
def test_names_entries_that_would_leave_their_folder(place, name, mode):
    inner = tree(GOOD)
    target = FILE if mode == "100644" else name_of(TREE, inner)
    root = tree((mode, name, target), GOOD)
    found = read(place, *packed([(BLOB, BODY), (TREE, inner), (TREE, root)], root))
    assert found == [
        RejectedFile(name.decode(), Reason.UNSAFE_PATH),
        SourceFile("good.py", BODY),
    ]


def test_reads_modes_as_git_does(place):
    modes = ["100755", "100664", "0100644", "120000", "160000", "0", "777", "60644"]
    root = tree(*[(mode, f"{n}.py".encode(), FILE) for n, mode in enumerate(modes)])
    found = {
        file.path: getattr(file, "reason", None)
        for file in read(place, *packed([(BLOB, BODY), (TREE, root)], root))
    }
    other = dict.fromkeys(["4.py", "5.py", "6.py", "7.py"], Reason.SUBMODULE)
    plain = dict.fromkeys(["0.py", "1.py", "2.py"])
    assert found == plain | {"3.py": Reason.LINK} | other


def test_keeps_the_first_of_entries_that_are_there_twice(place):
    other = b"y = 2\n"
    root = tree(("100644", b"z.py", FILE), GOOD, ("100644", b"good.py", name_of(BLOB, other)))
    content, tip = packed([(BLOB, BODY), (BLOB, other), (TREE, root)], root)
    with serving_pack(content, tip) as url:
        request = Request("forged", "git", url)
        fetched = GitSource.fetch(request, place, Limits())
    crawled = crawl_repository(request, fetched, ["python"], Limits())
    assert [(file.path, file.content) for file in crawled.files] == [
        ("good.py", BODY),
        ("z.py", BODY),
    ]
    assert [(file.path, file.reason) for file in crawled.rejected] == [
        ("good.py", Reason.DUPLICATE_PATH)
    ]


@pytest.mark.parametrize(
    "root",
    [
        b"x",
        b"100644 good.py",
        b"100644 good.py\0short",
        b"\0" * 30,
        b"108644 good.py\0" + b"#" * 20,
    ],
)
def test_names_trees_that_are_none(place, root):
    assert reason_of(place, *packed([(TREE, root)], root)) is Reason.CORRUPT_REPOSITORY


def test_names_what_is_missing_or_of_another_kind(place):
    lost = name_of(TREE, b"lost")
    for mode, target in (("40000", lost), ("40000", FILE)):
        root = tree((mode, b"folder", target))
        content, tip = packed([(BLOB, BODY), (TREE, root)], root)
        assert reason_of(place, content, tip) is Reason.CORRUPT_REPOSITORY
    inner = tree(GOOD)
    root = tree(("100644", b"a.py", name_of(TREE, inner)))
    content, tip = packed([(BLOB, BODY), (TREE, inner), (TREE, root)], root)
    assert reason_of(place, content, tip) is Reason.CORRUPT_REPOSITORY


def test_stops_at_a_tree_that_holds_itself_ten_times_in_ten_levels(place):
    """Ten thousand million files in a kilobyte."""
    objects, inner, mode = [(BLOB, BODY)], FILE, "100644"
    for _ in range(10):
        body = tree(*[(mode, f"{n}".encode(), inner) for n in range(10)])
        objects.append((TREE, body))
        inner, mode = name_of(TREE, body), "40000"
    started = time.monotonic()
    assert reason_of(place, *packed(objects, objects[-1][1])) is Reason.REPOSITORY_TOO_LARGE
    assert time.monotonic() - started < 30


def test_stops_at_folders_without_any_file(place):
    objects, inner = [(TREE, b"")], name_of(TREE, b"")
    for _ in range(6):
        body = tree(*[("40000", f"{n}".encode(), inner) for n in range(10)])
        objects.append((TREE, body))
        inner = name_of(TREE, body)
    content, tip = packed(objects, objects[-1][1])
    reason = reason_of(place, content, tip, max_repository_files=1000)
    assert reason is Reason.REPOSITORY_TOO_LARGE


def test_stops_at_a_folder_of_a_million_files(place):
    root = b"".join(b"100644 %d.py\0" % n + bytes.fromhex(FILE) for n in range(1_000_000))
    content, tip = packed([(BLOB, BODY), (TREE, root)], root)
    assert reason_of(place, content, tip) is Reason.REPOSITORY_TOO_LARGE


def test_does_not_hold_a_folder_that_is_longer_than_any_real_one(place):
    root = tree(("100644", b"a" * 70_000_000, FILE))
    content, tip = packed([(BLOB, BODY), (TREE, root)], root)
    assert reason_of(place, content, tip) is Reason.REPOSITORY_TOO_LARGE


def test_names_the_folder_below_which_no_path_is_short_enough(place):
    objects, inner = [(BLOB, BODY)], tree(GOOD)
    for _ in range(5_000):
        objects.append((TREE, inner))
        inner = tree(("40000", b"f", name_of(TREE, inner)))
    root = inner + tree(GOOD)
    found = read(place, *packed([*objects, (TREE, root)], root))
    folder, file = found
    assert file == SourceFile("good.py", BODY)
    assert folder.reason is Reason.UNSAFE_PATH
    assert MAX_PATH_BYTES < len(folder.path) <= MAX_PATH_BYTES + 2


def test_reads_deltas_of_deltas_of_the_greatest_depth(place):
    texts, entries = [b"a = 0\n"], [entry(BLOB, b"a = 0\n")]
    for n in range(4095):
        delta = insertion(len(texts[-1]), b"#\n" if n % 1000 else b"b\n")
        entries.append(entry(REF_DELTA, delta, base=bytes.fromhex(name_of(BLOB, texts[-1]))))
        texts.append(texts[-1] + (b"#\n" if n % 1000 else b"b\n"))
    root = tree(
        ("100644", b"first.py", name_of(BLOB, texts[0])),
        ("100644", b"last.py", name_of(BLOB, texts[-1])),
    )
    content, tip = packed([(TREE, root)], root, entries)
    found = read(place, content, tip)
    assert found == [SourceFile("first.py", texts[0]), SourceFile("last.py", texts[-1])]


def far_back(offset):
    """How far before a delta its base begins, in the form that packs have."""
    found = [offset & 127]
    while offset := offset >> 7:
        offset -= 1
        found.insert(0, offset & 127 | 128)
    return bytes(found)


def test_ends_a_delta_that_expands_to_gigabytes(place):
    base = bytes(1 << 23)
    first = entry(BLOB, base)
    second = entry(OFS_DELTA, copies(len(base), 512), base=far_back(len(first)))
    root = tree(("100644", b"bomb.py", FILE))
    content, tip = packed([(TREE, root)], root)
    entries = [first, second, *[content[12:-20]]]
    bomb = pack(entries, count=4)
    assert len(bomb) < 20_000
    assert reason_of(place, bomb, tip) is Reason.REPOSITORY_TOO_LARGE


def test_passes_over_a_blob_that_expands_to_much_more_than_a_file_may_have(place):
    bomb = bytes(200_000_000)
    content, tip = repository_pack({b"bomb.py": bomb, b"good.py": BODY})
    assert len(content) < 400_000
    found = read(place, content, tip)
    detail = "more than 1,000,000 bytes"
    assert found == [
        RejectedFile("bomb.py", Reason.FILE_TOO_LARGE, detail),
        SourceFile("good.py", BODY),
    ]


def test_ends_a_pack_that_claims_to_have_billions_of_objects(place):
    content, tip = repository_pack({b"good.py": BODY})
    claimed = pack([content[12:-20]], count=2**31 - 2)
    assert reason_of(place, claimed, tip) is Reason.REPOSITORY_TOO_LARGE


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:40] + b"\xff" * 20 + content[60:],
        lambda content: b"KCAP" + content[4:],
        lambda content: pack([entry(BLOB, b"short", size=5000)]),
        lambda content: pack([entry(REF_DELTA, b"\1\1\1x", base=b"#" * 20)]),
        lambda content: pack([]),
    ],
    ids=["checksum", "zlib", "magic", "size", "base", "nothing"],
)
def test_names_packs_that_are_broken(place, damage):
    content, tip = repository_pack({b"good.py": BODY})
    assert reason_of(place, damage(content), tip) is Reason.CORRUPT_REPOSITORY


def test_names_an_object_whose_name_is_not_that_of_its_content(place):
    """What is sent instead of a file has another name, so that the file is not there."""
    root = tree(GOOD)
    content, tip = packed([(BLOB, b"evil = 1\n"), (TREE, root)], root)
    detail = "more than 1,000,000 bytes"
    found = read(place, content, tip)
    assert found == [RejectedFile("good.py", Reason.FILE_TOO_LARGE, detail)]


def test_names_a_commit_that_is_none(place):
    for body in (b"", b"tree x\n", b"tree " + b"g" * 40 + b"\n"):
        content = pack([entry(COMMIT, body)])
        assert reason_of(place, content, name_of(COMMIT, body)) is Reason.CORRUPT_REPOSITORY


def tag(target, kind):
    return f"object {target}\ntype {kind}\ntag t\ntagger t <t@t> 1 +0000\n\nm\n".encode()


def test_follows_tags_to_their_commit(place):
    root = tree(GOOD)
    inner = commit(name_of(TREE, root))
    first = tag(name_of(COMMIT, inner), "commit")
    second = tag(name_of(TAG, first), "tag")
    objects = [(BLOB, BODY), (TREE, root), (COMMIT, inner), (TAG, first), (TAG, second)]
    content = pack([entry(kind, body) for kind, body in objects])
    with serving_pack(content, name_of(TAG, second)) as url:
        fetched = GitSource.fetch(Request("forged", "git", url), place, Limits())
    assert fetched.facts.revision == name_of(COMMIT, inner)


@pytest.mark.parametrize(("kind", "body"), [(BLOB, BODY), (TREE, tree(GOOD))])
def test_names_tags_of_what_is_no_commit(place, kind, body):
    label = tag(name_of(kind, body), "blob" if kind == BLOB else "tree")
    content = pack([entry(BLOB, BODY), entry(TREE, tree(GOOD)), entry(TAG, label)])
    assert reason_of(place, content, name_of(TAG, label)) is Reason.NO_COMMIT


def test_gives_up_on_tags_without_end(place):
    name, kind, entries = FILE, "blob", [entry(BLOB, BODY)]
    for _ in range(50):
        body = tag(name, kind)
        entries.append(entry(TAG, body))
        name, kind = name_of(TAG, body), "tag"
    assert reason_of(place, pack(entries), name) is Reason.NO_COMMIT


def test_lists_what_git_lists(git_folder, place):
    """The order aside: git goes through each folder before the next file."""
    files = {f"{'f/' * (n % 5)}{n}.py": b"%d" % n for n in range(200)} | {"a b/\u00fc.py": b"u"}
    tip = git_folder.commit("project", files)
    url = f"file://{git_folder.root}/project"
    fetched = GitSource.fetch(Request("x", "git", url), place, Limits())
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--name-only", tip],
        cwd=git_folder.root / "project",
        capture_output=True,
        check=True,
    )
    names = sorted(listed.stdout.decode().split("\0")[:-1])
    assert sorted(file.path for file in fetched.read(everything, Limits())) == names

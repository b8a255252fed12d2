"""One archive with all that is hostile in single members: the rest of it is unharmed."""

import stat
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import Reason
from tests.transforms.crawl.archives.builders import (
    make_tar,
    make_zip,
    special,
    tar_block,
)
from tests.transforms.crawl.archives.test_tar import gnu_sparse
from transforms.crawl.archives.members import iterate_members, read_member
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import Limits, RepositoryFacts, Request

PATHS = {
    "../up.py": Reason.UNSAFE_PATH,
    "/etc/absolute.py": Reason.UNSAFE_PATH,
    "C:/drive.py": Reason.UNSAFE_PATH,
    "p/..\\windows.py": Reason.UNSAFE_PATH,
    "p/con.py": Reason.UNSAFE_PATH,
    "p/.git/hooks/hook.py": Reason.UNSAFE_PATH,
    "p/" + "n" * 300 + ".py": Reason.UNSAFE_PATH,
    "p/" + "d/" * 65 + "deep.py": Reason.PATH_TOO_DEEP,
    "p/good.py": Reason.DUPLICATE_PATH,
    "p/GOOD.py": Reason.COLLIDING_PATH,
    "p/e\u0301.py": Reason.COLLIDING_PATH,
    "p/fixture.zip": Reason.NESTED_ARCHIVE,
}
GOOD = {"good.py": b"good = 1\n", "\u00e9.py": b"good = 2\n"}
FIRST = [(f"p/{path}", content) for path, content in GOOD.items()]
LAST = [("p/last.py", b"last = 1\n")]

FACTS = RepositoryFacts("1")


@dataclass
class Archive:
    path: Path
    facts: RepositoryFacts = FACTS

    def read(self, wanted, limits):
        for member in iterate_members(self.path, limits, strip_root=True):
            if wanted(member.path):
                yield read_member(member, limits.max_file_bytes)


def crawl(tmp_path, data):
    archive = tmp_path / "p-1.0.archive"
    archive.write_bytes(data)
    request = Request("archive/p", "archive", "p")
    crawled = crawl_repository(request, Archive(archive), ["python"], Limits())
    assert [entry.name for entry in tmp_path.iterdir()] == [archive.name]
    good = {file.path: file.content for file in crawled.files}
    assert good == GOOD | {"last.py": b"last = 1\n"}
    return [(file.path, file.reason) for file in crawled.rejected]


def expected(others):
    found = {path.removeprefix("p/"): reason for path, reason in PATHS.items()} | others
    return sorted(found.items(), key=lambda item: item[0].encode())


def test_a_tar_of_everything_hostile(tmp_path):
    odd = {
        "s.py": (tarfile.SYMTYPE, Reason.LINK),
        "h.py": (tarfile.LNKTYPE, Reason.LINK),
        "c.py": (tarfile.CHRTYPE, Reason.SPECIAL_FILE),
        "f.py": (tarfile.FIFOTYPE, Reason.SPECIAL_FILE),
    }
    specials = [special("p/" + name, kind, "../../etc/x") for name, (kind, _) in odd.items()]
    hostile = [(path, b"x = 1\n") for path in PATHS]
    data = make_tar([*FIRST, *hostile, *specials])
    data = data.rstrip(b"\0")
    data += bytes(-len(data) % 512) + tar_block(b"p/caf\xe9.py", b"0", b"x")
    data += gnu_sparse(1) + make_tar(LAST)
    found = crawl(tmp_path, data)
    others = {name: reason for name, (_, reason) in odd.items()}
    # The sparse file is another one of the name of the link.
    assert found == sorted(
        [
            *expected(others),
            ("s.py", Reason.DUPLICATE_PATH),
            ("caf\\udce9.py", Reason.UNSAFE_PATH),
        ],
        key=lambda item: (item[0].encode(), item[1]),
    )


def test_a_zip_of_everything_hostile(tmp_path):
    link, socket = zipfile.ZipInfo("p/s.py"), zipfile.ZipInfo("p/k.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    socket.external_attr = (stat.S_IFSOCK | 0o777) << 16
    hostile = [(path, b"x = 1\n") for path in PATHS]
    encrypted = zipfile.ZipInfo("p/encrypted.py")
    members = [*FIRST, *hostile, (link, b"/etc/passwd"), (socket, b""), (encrypted, b"x"), *LAST]
    data = bytearray(make_zip(members))
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        header = data.rindex(magic, 0, data.index(b"p/encrypted.py", data.index(magic)))
        data[header + offset] |= 1
    others = {
        "s.py": Reason.LINK,
        "k.py": Reason.SPECIAL_FILE,
        "encrypted.py": Reason.ENCRYPTED,
    }
    assert crawl(tmp_path, bytes(data)) == expected(others)

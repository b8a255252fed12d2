import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import tables
from schemas.documents import part_of_repository
from schemas.requests import SCHEMA, file_name
from transforms.crawl import listing
from transforms.crawl.listing import ListSource, digest_requests, read_requests, request_batches
from transforms.crawl.source import Place, Request
from transforms.crawl.sources.git import GitSource
from transforms.crawl.sources.pypi import PypiSource
from transforms.parts import DamagedFileError, Workspace

PARTS = 5


@pytest.fixture
def workspace(tmp_path):
    return Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))


def list_all(workspace, *sources):
    """Lists sources and gives the paths of the files."""
    work = ListSource(workspace, sources, PARTS, "cache")
    units = [file_name(number).removesuffix(".parquet") for number in range(len(sources))]
    counts = [work(unit).statistics["requests"] for unit in units]
    return [workspace.staged(tables.REQUESTS, f"{unit}.parquet") for unit in units], counts


def test_each_request_is_read_with_its_part_and_with_no_other(workspace):
    git = GitSource(urls=[f"https://example.org/o/p{n}" for n in range(100)])
    pypi = PypiSource(projects=["boltons", "toolz==1.0", "toolz==2.0"])
    paths, counts = list_all(workspace, git, pypi)
    assert counts == [100, 3]
    found = [read_requests(paths, part) for part in range(PARTS)]
    assert sum(map(len, found)) == 103
    assert {request for each in found for request in each} == {
        *git.requests(None),
        *pypi.requests(None),
    }
    for part, requests in enumerate(found):
        assert requests == sorted(requests)
        assert {part_of_repository(request.repository, PARTS) for request in requests} <= {part}


def test_a_repository_that_two_sources_name_is_asked_for_once(workspace):
    url = "https://example.org/o/p"
    paths, _ = list_all(workspace, GitSource(urls=[url, url]), GitSource(urls=[url]))
    assert sum(len(read_requests(paths, part)) for part in range(PARTS)) == 1


def test_the_digest_of_a_part_depends_on_its_requests_and_not_on_their_order(workspace):
    some = GitSource(urls=[f"https://example.org/o/p{n}" for n in range(40)])
    more = PypiSource(projects=["boltons"])
    paths, _ = list_all(workspace, some, more)
    both = digest_requests(paths, PARTS)
    assert digest_requests(paths[::-1], PARTS) == both

    alone = digest_requests(paths[:1], PARTS)
    owner = part_of_repository("pypi/boltons", PARTS)
    assert [part for part in range(PARTS) if alone[part] != both[part]] == [owner]
    assert digest_requests([paths[0], paths[0]], PARTS) != alone


def test_a_long_list_is_read_and_written_as_a_stream(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "RUN_ROWS", 1000)
    monkeypatch.setattr(listing, "GROUP_ROWS", 50)
    held = []

    def counted(found, parts):
        for batch in request_batches(found, parts):
            held.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(listing, "request_batches", counted)
    lines = (f"https://example.org/o/p{n} main\n" for n in range(10_000))
    (tmp_path / "urls.txt").write_text("# a list\n\n" + "".join(lines))
    paths, counts = list_all(workspace, GitSource(lists=[str(tmp_path / "urls.txt")]))
    assert counts == [10_000]
    assert max(held) <= 50
    assert sum(len(read_requests(paths, part)) for part in range(PARTS)) == 10_000
    # Few row groups hold requests of more than one part or two.
    file = pq.ParquetFile(paths[0])
    parts = [
        len(set(file.read_row_group(group)["part"].to_pylist()))
        for group in range(file.num_row_groups)
    ]
    assert max(parts) <= 3


@given(
    st.lists(st.builds(Request, st.text(min_size=1), st.sampled_from(["git"]), st.text())),
    st.integers(1, 7),
)
def test_batches_hold_every_request_once_in_a_run(requests, parts):
    rows = [row for batch in request_batches(requests, parts) for row in batch.to_pylist()]
    assert {(r["repository"], r["source"], r["location"]) for r in rows} == {
        (r.repository, r.source, r.location) for r in requests
    }
    assert len(rows) == len(set(requests))
    assert all(batch.schema == SCHEMA for batch in request_batches(requests, parts))


def test_names_a_damaged_file(tmp_path):
    (tmp_path / "source-00000.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(DamagedFileError):
        read_requests([tmp_path / "source-00000.parquet"], 0)


def test_bad_lines_become_requests_that_fail_by_themselves(tmp_path):
    (tmp_path / "projects.txt").write_text("boltons\n???\n../x\n")
    source = PypiSource(lists=[str(tmp_path / "projects.txt")])
    place = Place(tmp_path, tmp_path)
    assert [r.repository for r in source.requests(place)] == [
        "pypi/boltons",
        "pypi/???",
        "pypi/../x",
    ]

import bz2
import gzip
import io
import json
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from schemas.failures import Reason
from transforms.crawl.datasets import grouping
from transforms.crawl.datasets.columns import Row
from transforms.crawl.datasets.grouping import Naming, group_rows
from transforms.crawl.repository import path_filter
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile
from transforms.crawl.sources.rows import JsonLinesSource, ParquetSource

COLUMNS = {
    "content": "text",
    "path": "path",
    "repository": "repo",
    "revision": "commit",
    "license": "license",
    "stars": "stars",
}
ROWS = [
    {
        "text": f"x = {n}\n",
        "path": f"/pkg/m{n}.py",
        "repo": f"o/{'ba'[n % 2]}",
        "commit": "c1",
        "license": ["MIT"],
        "stars": 5,
    }
    for n in range(4)
]


def is_python(path):
    return path.endswith(".py")


def parquet_bytes(rows=ROWS, schema=None, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, **options)
    return buffer.getvalue()


def json_bytes(rows=ROWS):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def crawl(tmp_path, place):
    """Writes a data file and reads it, as names and what they hold; gives the failure too."""

    def run(content, kind="parquet", columns=COLUMNS, limits=Limits(), **settings):  # noqa: B008
        source_type = {"parquet": ParquetSource, "jsonl": JsonLinesSource}[kind]
        (tmp_path / f"data.{kind}").write_bytes(content)
        path = str(tmp_path / f"data.{kind}")
        source = source_type(paths=(path,), columns=columns, **settings)
        (request,) = source.requests(place)
        collection = source_type.fetch(request, place, limits)
        found = []
        try:
            for name, held in collection.repositories(is_python, limits):
                found.append((name, held.facts, list(held.read(is_python, limits))))
        except CrawlError as error:
            return found, error.reason
        return found, None

    return run


def files_of(found):
    return [file for _, _, files in found for file in files]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_groups_rows_by_repository_in_the_order_of_names(crawl, kind):
    found, failure = crawl(parquet_bytes() if kind == "parquet" else json_bytes(), kind)
    assert failure is None
    assert [name for name, _, _ in found] == [f"{kind}/o/a", f"{kind}/o/b"]
    assert {(f.revision, f.licenses, f.stars) for _, f, _ in found} == {("c1", ("MIT",), 5)}
    assert [files for _, _, files in found] == [
        [SourceFile("pkg/m1.py", b"x = 1\n"), SourceFile("pkg/m3.py", b"x = 3\n")],
        [SourceFile("pkg/m0.py", b"x = 0\n"), SourceFile("pkg/m2.py", b"x = 2\n")],
    ]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_rows_that_only_have_content_belong_to_their_file(crawl, kind):
    rows = [{"text": "a = 1\n"}, {"text": "b = 2\n"}]
    content = parquet_bytes(rows) if kind == "parquet" else json_bytes(rows)
    found, _ = crawl(content, kind, columns={"content": "text"}, name="set")
    ((name, facts, files),) = found
    assert name == f"{kind}/set/data.{kind}"
    assert (facts.revision, facts.licenses, facts.stars) == (f"data.{kind}", (), None)
    assert files == [
        SourceFile("row-00000001.py", b"a = 1\n"),
        SourceFile("row-00000002.py", b"b = 2\n"),
    ]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_reads_nested_columns_and_names_with_dots(crawl, kind):
    rows = [{"file": {"text": "a = 1\n", "at": {"path": "a.py"}}, "repo.name": "o/a"}]
    content = parquet_bytes(rows) if kind == "parquet" else json_bytes(rows)
    columns = {"content": "file.text", "path": "file.at.path", "repository": "repo.name"}
    ((name, _, files),), _ = crawl(content, kind, columns=columns)
    assert (name, files) == (f"{kind}/o/a", [SourceFile("a.py", b"a = 1\n")])


def test_rows_of_other_languages_are_passed_over_and_each_row_keeps_its_license(crawl):
    rows = [
        {"text": "a", "path": "a.py", "repo": "r", "license": "MIT"},
        {"text": "b", "path": "b.js", "repo": "r", "license": "MIT"},
        {"text": "c", "path": "c.py", "repo": "r", "license": "0BSD"},
        {"text": "d", "path": "d.py", "repo": "r", "license": None},
    ]
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository", "license")}
    found, _ = crawl(parquet_bytes(rows), columns=columns)
    assert [(facts.licenses, [file.path for file in files]) for _, facts, files in found] == [
        ((), ["d.py"]),
        (("0BSD",), ["c.py"]),
        (("MIT",), ["a.py"]),
    ]


def test_a_row_without_extension_may_be_a_script_but_not_without_a_text():
    rows = [
        {"content": "#!/usr/bin/python\n", "path": "bin/a", "repository": "r"},
        {"content": None, "path": "bin/b", "repository": "r"},
        {"content": "c", "path": "Makefile", "repository": "r"},
    ]
    numbered = [Row(number, row) for number, row in enumerate(rows, start=1)]
    naming = Naming("parquet/", "data", "python")
    ((_, held),) = group_rows(numbered, naming, path_filter(["python"]))
    assert held.files == [SourceFile("bin/a", b"#!/usr/bin/python\n")]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_takes_every_kind_of_text(crawl, binary, large):
    kind = {
        (False, False): pa.string(),
        (False, True): pa.large_string(),
        (True, False): pa.binary(),
        (True, True): pa.large_binary(),
    }[binary, large]
    schema = pa.schema([("text", kind), ("path", pa.dictionary(pa.int32(), pa.string()))])
    rows = [{"text": b"\xe9 = 1" if binary else "\u00e9 = 1", "path": "a.py"}] * 300
    found, failure = crawl(parquet_bytes(rows, schema), columns={"content": "text", "path": "path"})
    assert failure is None
    expected = b"\xe9 = 1" if binary else "\u00e9 = 1".encode()
    assert files_of(found) == [SourceFile("a.py", expected)] * 300


def test_names_what_is_wrong_with_a_row(crawl):
    rows = [
        {"text": "a = 1\n", "path": "a.py", "repo": "r"},
        {"text": None, "path": "b.py", "repo": "r"},
        {"text": 7, "path": "c.py", "repo": "r"},
        {"text": "d", "path": 8, "repo": "r"},
        {"text": "e", "path": "e.py", "repo": {}},
        {"text": "f", "path": "f.py", "repo": "r", "stars": "many"},
        {"text": "g", "path": "g.py", "repo": "r", "stars": 2.0},
        {"text": "\ud800", "path": "h.py", "repo": "r"},
        {"text": "#" * 101, "path": "i.py", "repo": "r"},
    ]
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository", "stars")}
    content = json_bytes(rows) + b'{"text": \n\n[1]\n"\xff"\n' + b"[" * 100_000 + b"\n"
    content += b"#" * (1 << 20) * 2 + b"\n" + json_bytes(rows[:1])
    found, failure = crawl(content, "jsonl", columns=columns, limits=Limits(max_file_bytes=100))
    assert failure is None
    rejected = [
        (name, file.path, file.reason)
        for name, _, files in found
        for file in files
        if isinstance(file, RejectedFile)
    ]
    assert rejected == [
        ("jsonl/data.jsonl", "row-00000004.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000005.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000006.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000010.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000012.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000013.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000014.py", Reason.MALFORMED_ROW),
        ("jsonl/data.jsonl", "row-00000015.py", Reason.FILE_TOO_LARGE),
        ("jsonl/r", "b.py", Reason.MISSING_CONTENT),
        ("jsonl/r", "c.py", Reason.MALFORMED_ROW),
        ("jsonl/r", "h.py", Reason.UNDECODABLE),
    ]
    kept = [file for file in files_of(found) if isinstance(file, SourceFile)]
    assert [file.path for file in kept] == ["a.py", "i.py", "a.py", "g.py"]


def test_a_value_over_the_limit_in_parquet_is_never_made(crawl):
    rows = [{"text": "#" * 101, "path": "a.py"}, {"text": "ok", "path": "b.py"}]
    columns = {"content": "text", "path": "path"}
    found, _ = crawl(parquet_bytes(rows), columns=columns, limits=Limits(max_file_bytes=100))
    assert files_of(found) == [
        RejectedFile("a.py", Reason.FILE_TOO_LARGE, "more than 100 bytes"),
        SourceFile("b.py", b"ok"),
    ]


def test_hostile_names_stay_text(crawl):
    schema = pa.schema([("text", pa.string()), ("path", pa.binary()), ("repo", pa.binary())])
    rows = [
        {"text": "a", "path": b"\xff.py", "repo": b"o/\xff\n"},
        {"text": "b", "path": b"../b.py", "repo": b"o/b" * 1000},
        {"text": "c", "path": b"c" * 5000 + b".py", "repo": b"o"},
    ]
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository")}
    found, failure = crawl(parquet_bytes(rows, schema), columns=columns)
    assert failure is None
    for name, _, _ in found:
        assert name.encode().isascii()
        assert len(name) < 1100
    assert "\udcff.py" in [file.path for file in files_of(found)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"content": "txt"}, "txt"),
        ({"content": "stars"}, "stars"),
        ({"content": "text", "path": "license"}, "license"),
        ({"content": "text", "stars": "path"}, "path"),
        ({"content": "text", "path": "text.path"}, "text.path"),
    ],
)
def test_a_column_that_is_not_there_or_of_another_type_fails_the_file(crawl, columns, message):
    assert crawl(parquet_bytes(), columns=columns) == ([], Reason.UNUSABLE_COLUMN)


def test_json_lines_without_the_content_that_was_named_fail(crawl):
    found = crawl(b"\n" + json_bytes(), "jsonl", columns={"content": "contents"})
    assert found == ([], Reason.UNUSABLE_COLUMN)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, "zstd"])
def test_reads_compressed_json_lines(crawl, compress):
    content = json_bytes()
    if compress == "zstd":
        compressed = pa.Codec("zstd").compress(content, asbytes=True)
    else:
        compressed = compress(content)
    assert crawl(compressed, "jsonl") == crawl(content, "jsonl")


def many_rows(count):
    return [{"text": f"x = {n}\n" * 20, "path": f"m{n}.py", "repo": "r"} for n in range(count)]


@pytest.mark.parametrize("compressed", [False, True])
def test_what_comes_before_damage_in_json_lines_stays(crawl, compressed):
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository")}
    whole = json_bytes(many_rows(5000))
    content = gzip.compress(whole, mtime=0) if compressed else whole
    found, failure = crawl(content[: len(content) // 2], "jsonl", columns=columns)
    good = [file for file in files_of(found) if isinstance(file, SourceFile)]
    bad = [file for file in files_of(found) if isinstance(file, RejectedFile)]
    assert 1000 < len(good) < 5000
    assert failure is (Reason.CORRUPT_FILE if compressed else None)
    assert [file.reason for file in bad] == ([] if compressed else [Reason.MALFORMED_ROW])


def test_what_comes_before_damage_in_parquet_stays(crawl):
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository")}
    content = bytearray(
        parquet_bytes(many_rows(5000), row_group_size=500, write_page_checksum=True)
    )
    content[len(content) // 2] ^= 0x55
    found, failure = crawl(bytes(content), columns=columns)
    assert failure is Reason.CORRUPT_FILE
    assert 1000 < len(files_of(found)) < 4500


def test_files_that_are_no_parquet_are_named(crawl):
    whole = parquet_bytes()
    for content in (b"", b"PAR1", b"no parquet file", whole[:-20], whole[:-1], b"PAR1" * 3):
        assert crawl(content) == ([], Reason.CORRUPT_FILE)


def test_flipped_bits_never_end_in_anything_but_rows_or_a_reason(crawl):
    whole = parquet_bytes(many_rows(50))
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository")}
    for place in range(0, len(whole), 7):
        content = bytearray(whole)
        content[place] ^= 1 << (place % 8)
        _, failure = crawl(bytes(content), columns=columns)
        assert failure in (
            None,
            Reason.CORRUPT_FILE,
            Reason.UNUSABLE_COLUMN,
            Reason.REPOSITORY_TOO_LARGE,
        )


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def nested_footer(depth):
    """A Parquet footer in Thrift's compact protocol: a column in so many groups, no rows."""
    group = b"\x35\x02\x18\x01a\x15\x02\x00"
    elements = b"\x48\x01r\x15\x02\x00" + group * depth + b"\x15\x0c\x25\x02\x18\x01a\x00"
    return b"\x15\x02\x19\xfc" + varint(depth + 2) + elements + b"\x16\x00\x19\x0c\x00"


def test_schemas_of_absurd_depth_are_refused_before_they_are_built(crawl):
    footer = nested_footer(100_000)
    content = b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"
    assert crawl(content) == ([], Reason.CORRUPT_FILE)


def test_a_value_that_many_rows_share_does_not_fill_the_memory(crawl):
    # 4,000 rows of one value: 4 GB in a file of a few kilobytes.
    table = pa.table(
        {"text": pa.DictionaryArray.from_arrays(pa.array([0] * 4000), [("x = 1\n" * 170_000)])}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    assert len(buffer.getvalue()) < 1 << 20
    before = pa.total_allocated_bytes()
    limits = Limits(max_file_bytes=2_000_000)
    found, failure = crawl(buffer.getvalue(), columns={"content": "text"}, limits=limits)
    assert failure is Reason.REPOSITORY_TOO_LARGE
    assert sum(len(file.content) for file in files_of(found)) < 80 << 20
    assert pa.total_allocated_bytes() - before < 16 << 20


def test_json_lines_that_expand_too_much_stop(crawl):
    line = json_bytes([{"text": "x = 1\n" * 100_000, "path": "a.py", "repo": "r"}])
    limits = Limits(max_ratio=10)
    _, failure = crawl(
        gzip.compress(line * 200), "jsonl", columns={"content": "text"}, limits=limits
    )
    assert failure is Reason.REPOSITORY_TOO_LARGE


def test_memory_holds_a_bounded_number_of_rows(crawl, monkeypatch):
    monkeypatch.setattr(grouping, "GATHERED_ROWS", 9)
    columns = {key: COLUMNS[key] for key in ("content", "path", "repository")}
    found, _ = crawl(parquet_bytes(many_rows(95)), columns=columns)
    assert [len(files) for _, _, files in found] == [10] * 9 + [5]
    assert {name for name, _, _ in found} == {"parquet/r"}


def test_reads_a_data_file_over_http_and_keeps_nothing(index, place):
    index.replace("/data/part 1.parquet", body=parquet_bytes())
    url = f"http://127.0.0.1:{index.port}/data/part%201.parquet"
    source = ParquetSource(paths=(url,), columns=COLUMNS)
    (request,) = source.requests(place)
    assert request.repository == f"parquet/127.0.0.1:{index.port}/data/part 1.parquet"
    collection = source.fetch(request, place, Limits())
    assert index.paths == []
    assert len(list(collection.repositories(is_python, Limits()))) == 2
    assert list(place.scratch.iterdir()) == []


def test_a_data_file_elsewhere_is_bounded_and_compared(index, place):
    index.replace("/data.parquet", body=parquet_bytes())
    url = f"http://127.0.0.1:{index.port}/data.parquet"

    def reason(url, **settings):
        source = ParquetSource(paths=(url,), columns=COLUMNS, **settings)
        (request,) = source.requests(place)
        with pytest.raises(CrawlError) as caught:
            list(source.fetch(request, place, Limits()).repositories(is_python, Limits()))
        assert list(place.scratch.iterdir()) == []
        return caught.value.reason

    assert reason(url, max_data_file_bytes=100) is Reason.REPOSITORY_TOO_LARGE
    assert reason(f"{url}#sha256={'0' * 64}") is Reason.HASH_MISMATCH
    assert reason(url.replace("data", "absent")) is Reason.NOT_FOUND


def test_a_local_data_file_is_bounded_compared_and_must_be_there(tmp_path, place):
    (tmp_path / "data.parquet").write_bytes(parquet_bytes())

    def reason(name, **settings):
        source = ParquetSource(paths=(str(tmp_path / name),), columns=COLUMNS, **settings)
        (request,) = source.requests(place)
        with pytest.raises(CrawlError) as caught:
            list(source.fetch(request, place, Limits()).repositories(is_python, Limits()))
        return caught.value.reason

    assert reason("data.parquet", max_data_file_bytes=100) is Reason.REPOSITORY_TOO_LARGE
    assert reason(f"data.parquet#sha256={'0' * 64}") is Reason.HASH_MISMATCH
    assert reason("absent.parquet") is Reason.NOT_FOUND


def test_settings_of_no_use_are_refused():
    with pytest.raises(ValidationError, match="no language 'cobol' is known"):
        ParquetSource(paths=("a",), columns=COLUMNS, language="cobol")
    with pytest.raises(ValidationError, match="content"):
        ParquetSource(paths=("a",), columns={"path": "path"})

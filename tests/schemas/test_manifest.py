import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.manifest import FileEntry, Manifest, ManifestError

MANIFEST = Manifest(
    table="documents",
    stage="crawl",
    version="1.2.3",
    fingerprint="f" * 64,
    settings={"parts": 2, "languages": ["python"]},
    inputs={"repositories": "d" * 64},
    files=(
        FileEntry("part-00000.parquet", rows=3, bytes=100, sha256="a" * 64, digest="b" * 64),
        FileEntry("part-00001.parquet", rows=4, bytes=50, sha256="c" * 64, digest="d" * 64),
    ),
    statistics={"documents": 7},
)

_words = st.text(max_size=5)
_counts = st.integers(0, 2**62)
MANIFESTS = st.builds(
    Manifest,
    table=_words,
    stage=_words,
    version=_words,
    fingerprint=_words,
    settings=st.dictionaries(_words, st.none() | _counts | _words | st.lists(_words, max_size=2)),
    inputs=st.dictionaries(_words, _words),
    files=st.lists(
        st.builds(
            FileEntry, name=_words, rows=_counts, bytes=_counts, sha256=_words, digest=_words
        ),
        max_size=3,
    ).map(tuple),
    statistics=st.dictionaries(_words, _counts),
)


def changed(**changes):
    return json.dumps(json.loads(MANIFEST.to_json()) | changes)


@settings(max_examples=50)
@given(MANIFESTS)
def test_reads_what_it_writes(manifest):
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_sums_rows_and_bytes_over_files():
    body = json.loads(MANIFEST.to_json())
    assert (MANIFEST.rows, MANIFEST.bytes) == (7, 150)
    assert (body["rows"], body["bytes"], body["digest"]) == (7, 150, MANIFEST.digest)


def test_equal_manifests_have_equal_bytes():
    other = dataclasses.replace(MANIFEST, settings=dict(reversed(MANIFEST.settings.items())))
    assert other.to_json() == MANIFEST.to_json()


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", '"text"', "{}", '{"format": 1}', '{"format": 1, "files": [3]}'],
)
def test_refuses_what_is_no_manifest(text):
    with pytest.raises(ManifestError, match="not a manifest"):
        Manifest.from_json(text)


def test_refuses_every_truncation_of_a_manifest():
    text = MANIFEST.to_json()
    for length in range(0, len(text) - 1, 7):
        with pytest.raises(ManifestError):
            Manifest.from_json(text[:length])


@pytest.mark.parametrize(
    "part", ["table", "stage", "version", "fingerprint", "settings", "inputs", "files", "digest"]
)
def test_refuses_a_manifest_that_lacks_a_part(part):
    body = json.loads(MANIFEST.to_json())
    del body[part]
    with pytest.raises(ManifestError, match=f"not a manifest: KeyError: '{part}'"):
        Manifest.from_json(json.dumps(body))


def test_refuses_an_entry_that_has_an_unknown_part():
    entry = dataclasses.asdict(MANIFEST.files[0]) | {"color": "blue"}
    with pytest.raises(ManifestError, match="color"):
        Manifest.from_json(changed(files=[entry]))


def test_refuses_another_format():
    with pytest.raises(ManifestError, match="manifest has format 2, this version reads 1"):
        Manifest.from_json(changed(format=2))


@pytest.mark.parametrize("change", [{"rows": 9}, {"digest": "e" * 64}, {"name": "other"}])
def test_refuses_files_that_do_not_give_the_digest(change):
    entries = [dataclasses.asdict(entry) for entry in MANIFEST.files]
    with pytest.raises(ManifestError, match="digest is not that of its files"):
        Manifest.from_json(changed(files=[entries[0] | change, entries[1]]))


def test_refuses_files_in_another_order():
    entries = [dataclasses.asdict(entry) for entry in reversed(MANIFEST.files)]
    with pytest.raises(ManifestError, match="digest is not that of its files"):
        Manifest.from_json(changed(files=entries))


def test_the_digest_sees_content_and_not_how_it_is_compressed():
    first, second = MANIFEST.files
    recompressed = dataclasses.replace(first, bytes=1, sha256="0" * 64)
    assert dataclasses.replace(MANIFEST, files=(recompressed, second)).digest == MANIFEST.digest
    rewritten = dataclasses.replace(first, digest="0" * 64)
    assert dataclasses.replace(MANIFEST, files=(rewritten, second)).digest != MANIFEST.digest


def test_the_digest_of_a_table_never_changes():
    # Manifests name their inputs by it: another rule would make every finished stage stale.
    assert MANIFEST.digest == ("c626c9209549885f0563e27e2f8922bb9bce444d6d1f2dac07691b9007b639df")

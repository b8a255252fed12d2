import hashlib

import datasets
import numpy as np
import pyarrow as pa
import pytest

from schemas import shards, tables, tokens
from tests.transforms.builders import (
    ANNOTATED,
    Repository,
    commit,
    document_names,
    part_names,
    read_column,
    run_stage,
    words,
    write_run,
)
from transforms.annotate.stage import AnnotateOptions, AnnotatePart
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.parts import PartWriter, map_stream, write_whole
from transforms.select.rules import Rule
from transforms.select.stage import SelectOptions, SelectPart
from transforms.shard.locate import find_document
from transforms.shard.plan import Packing
from transforms.shard.stage import (
    ShardOptions,
    WriteShards,
    count_rows,
    repository_hashes,
    shard_names,
)
from transforms.stage import do_unit
from transforms.tokenize.stage import TOKENIZER_UNIT, TokenizePart

END = 50256
CONTEXT = 16
SPLITS = [str(split) for split in shards.Split]
PACKING = Packing(context_length=CONTEXT, sequences_per_shard=4, seed=1, end_of_text=END)
OPTIONS = ShardOptions(packing=PACKING, validation_fraction=0.3)
TOKENIZER = '{"name": "caf\u00e9"}'.encode()
# Empty, shorter than a sequence, just as long with and without its end-of-text, far longer.
LENGTHS = [0, 1, 7, CONTEXT - 1, CONTEXT, CONTEXT + 1, 0, 3 * CONTEXT - 1, 100]
NAMES = [f"repository-{number}" for number in range(8)]


def prepare(folder, names=NAMES, parts=4):
    """A run whose tokens tell their document; every third document is not selected."""
    files = {f"{number}.py": b"" for number in range(len(LENGTHS))}
    workspace = write_run(folder, [Repository(name, files) for name in names], parts)
    schema = tokens.schema(pa.uint16())
    by_document = {}
    for document, (name, path) in document_names(workspace).items():
        number = int(path.removesuffix(".py"))
        if number % 3 != 2:
            random = np.random.default_rng([NAMES.index(name), number])
            by_document[document] = random.integers(0, 50000, LENGTHS[number]).tolist()
    write_whole(workspace.committed(tables.TOKENS, tokens.TOKENIZER_FILE), TOKENIZER)
    for part in range(parts):
        rows = [
            {"document": document, "input_ids": ids}
            for document, ids in sorted(by_document.items())
            if document >> 32 == part
        ]
        path = workspace.committed(tables.TOKENS, tables.part_name(part, "arrow"))
        with PartWriter(path, schema, row_group_bytes=100) as writer:
            for row in rows:
                writer.write(pa.RecordBatch.from_pylist([row], schema=schema))
    return workspace, by_document


def write_shards(workspace, workers=2, options=OPTIONS):
    run_stage(WriteShards(workspace, part_names(workspace, tables.TOKENS), options), workers)


def shard_files(workspace, split=""):
    return sorted(workspace.staged(tables.SHARDS, "").glob(f"{split}*.arrow"))


def read_split(workspace, split):
    """All rows of a split."""
    return [row for path in shard_files(workspace, split) for row in map_stream(path).to_pylist()]


def pieces_of(row):
    """Document, offset and tokens of each piece of a sequence."""
    starts = row["document_starts"]
    ends = [*starts[1:], row["length"]]
    for start, end, document, offset in zip(
        starts, ends, row["documents"], row["offsets"], strict=True
    ):
        yield document, offset, row["input_ids"][start:end]


def rebuild(rows):
    """The tokens of each document, and its end-of-text, from its pieces in any order."""
    found = {}
    for row in rows:
        for document, offset, ids in pieces_of(row):
            assert ids, "a piece is empty"
            for place, token in enumerate(ids, offset):
                assert place not in found.setdefault(document, {}), "a token appears twice"
                found[document][place] = token
    for places in found.values():
        assert sorted(places) == list(range(len(places)))
    return {document: [p[place] for place in sorted(p)] for document, p in found.items()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    workspace, documents = prepare(tmp_path_factory.mktemp("run"))
    write_shards(workspace)
    return workspace, documents


def test_every_token_of_every_selected_document_is_in_one_place(written):
    workspace, documents = written
    rows = [row for split in SPLITS for row in read_split(workspace, split)]
    assert rebuild(rows) == {document: [*ids, END] for document, ids in documents.items()}


def test_a_split_is_one_stream_in_the_order_of_documents(written):
    # The order in which the sequences stood before they were shuffled is that of the
    # documents and offsets that they begin with.
    workspace, documents = written
    for split in SPLITS:
        rows = read_split(workspace, split)
        order = sorted(rows, key=lambda row: (row["documents"][0], row["offsets"][0]))
        stream = [token for row in order for token in row["input_ids"][: row["length"]]]
        members = sorted({document for row in rows for document in row["documents"]})
        assert stream == [token for each in members for token in [*documents[each], END]]
        assert order != rows, "nothing was shuffled"


def test_only_the_last_sequence_of_a_split_is_padded(written):
    workspace, _ = written
    for split in SPLITS:
        rows = read_split(workspace, split)
        partial = [row for row in rows if row["length"] < CONTEXT]
        assert len(partial) <= 1
        for row in partial:
            last = max(rows, key=lambda each: (each["documents"][0], each["offsets"][0]))
            assert row == last
            assert set(row["input_ids"][row["length"] :]) == {END}
        assert all(row["document_starts"][0] == 0 for row in rows)


def test_no_repository_is_in_both_splits(written):
    workspace, documents = written
    names = document_names(workspace)
    sides = []
    for split in SPLITS:
        rows = read_split(workspace, split)
        sides.append({names[document][0] for row in rows for document in row["documents"]})
    train, validation = sides
    assert train
    assert validation
    assert not train & validation
    assert train | validation == {names[document][0] for document in documents}


def test_shards_are_full_but_the_last_and_are_named_by_their_number(written):
    workspace, _ = written
    for split in SPLITS:
        files = shard_files(workspace, split)
        sizes = [map_stream(path).num_rows for path in files]
        assert set(sizes[:-1]) <= {4}
        assert 1 <= sizes[-1] <= 4
        assert [path.name for path in files] == [
            f"{split}-{number:05d}-of-{len(files):05d}.arrow" for number in range(len(files))
        ]


def test_receipts_count_what_was_written(written):
    workspace, documents = written
    totals = {}
    for receipt in workspace.receipts().values():
        for name, count in receipt.statistics.items():
            totals[name] = totals.get(name, 0) + count
    for split in SPLITS:
        rows = read_split(workspace, split)
        lengths = sum(row["length"] for row in rows)
        assert totals[f"{split}.sequences"] == len(rows)
        assert totals[f"{split}.tokens"] == lengths
        assert totals[f"{split}.padding"] == len(rows) * CONTEXT - lengths
    assert totals["train.documents"] + totals["validation.documents"] == len(documents)
    tokens_in = sum(len(ids) + 1 for ids in documents.values())
    assert totals["train.tokens"] + totals["validation.tokens"] == tokens_in


def test_datasets_opens_a_shard_as_it_is(written):
    workspace, _ = written
    path = shard_files(workspace, "train")[0]
    before = pa.total_allocated_bytes()
    dataset = datasets.Dataset.from_file(str(path))
    assert pa.total_allocated_bytes() - before < path.stat().st_size
    assert isinstance(dataset.data, datasets.table.MemoryMappedTable)
    assert dataset.to_list() == map_stream(path).to_pylist()


def test_a_memory_map_gives_the_ids_without_a_copy(written):
    workspace, _ = written
    path = shard_files(workspace, "train")[0]
    with pa.memory_map(str(path)) as source:
        whole = source.read_buffer()
        source.seek(0)
        [batch] = pa.ipc.open_stream(source).read_all().to_batches()
    ids = batch["input_ids"].flatten().to_numpy(zero_copy_only=True).reshape(-1, CONTEXT)
    assert ids.dtype == np.uint16
    assert ids.tolist() == batch["input_ids"].to_pylist()
    assert whole.address < ids.ctypes.data < whole.address + whole.size


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_does_not_matter(written, tmp_path, workers):
    workspace, _ = written
    other, _ = prepare(tmp_path)
    write_shards(other, workers)
    assert {path.name: path.read_bytes() for path in shard_files(other)} == {
        path.name: path.read_bytes() for path in shard_files(workspace)
    }
    assert other.receipts() == workspace.receipts()


def test_a_shard_is_written_in_batches_of_bounded_size(written, tmp_path, monkeypatch):
    workspace, _ = written
    monkeypatch.setattr("schemas.shards.ROWS_PER_BATCH", 3)
    other, _ = prepare(tmp_path)
    write_shards(other)
    for mine, theirs in zip(shard_files(other), shard_files(workspace), strict=True):
        table = map_stream(mine)
        assert max(map(len, table.to_batches())) <= 3
        assert table.equals(map_stream(theirs))


def test_another_seed_gives_other_shards_of_the_same_tokens(written, tmp_path):
    _, documents = written
    other, _ = prepare(tmp_path)
    packing = Packing(context_length=CONTEXT, sequences_per_shard=4, seed=2, end_of_text=END)
    write_shards(other, options=ShardOptions(packing, 0))
    assert shard_files(other, "validation") == []
    rows = read_split(other, "train")
    assert rebuild(rows) == {document: [*ids, END] for document, ids in documents.items()}


def test_the_tokenizer_stands_beside_the_shards(written):
    workspace, _ = written
    path = workspace.staged(tables.SHARDS, tokens.TOKENIZER_FILE)
    assert path.read_bytes() == TOKENIZER
    [entry] = workspace.receipts()["tokenizer"].files[tables.SHARDS]
    assert entry.sha256 == hashlib.sha256(TOKENIZER).hexdigest()


def test_a_document_is_found_in_every_shard_that_holds_a_piece(written):
    workspace, documents = written
    for split in SPLITS:
        for path in shard_files(workspace, split):
            shard = map_stream(path)
            rows = shard["documents"].to_pylist()
            for document in documents:
                expected = [row for row, members in enumerate(rows) if document in members]
                assert find_document(shard, document) == expected


def test_a_run_without_tokens_has_no_shards_but_a_tokenizer(tmp_path):
    workspace, _ = prepare(tmp_path, names=[], parts=2)
    write_shards(workspace)
    assert shard_files(workspace) == []
    assert list(workspace.receipts()) == ["tokenizer"]


def test_ids_of_four_bytes_stay_so(tmp_path):
    workspace, _ = prepare(tmp_path, names=[], parts=1)
    schema = tokens.schema(pa.uint32())
    path = workspace.committed(tables.TOKENS, "part-00000.arrow")
    with PartWriter(path, schema) as writer:
        row = {"document": 0, "input_ids": [70000, 5]}
        writer.write(pa.RecordBatch.from_pylist([row], schema=schema))
    write_run(tmp_path, [Repository("a", {"a.py": b""})], parts=1)
    write_shards(workspace, options=ShardOptions(PACKING, 0.5))
    [path] = shard_files(workspace)
    assert map_stream(path).schema.equals(shards.schema(pa.uint32(), CONTEXT))
    [row] = read_split(workspace, "train")
    assert row["input_ids"] == [70000, 5] + [END] * (CONTEXT - 2)
    assert (row["length"], row["documents"], row["offsets"]) == (3, [0], [0])


def test_hashes_stand_for_each_document_of_each_repository(tmp_path):
    files = {"a": {"1": b"", "2": b""}, "b": {}, "c": {"1": b""}}
    crawled = [Repository(name, held) for name, held in files.items()]
    workspace = write_run(tmp_path, crawled, parts=1)
    first, second, third = repository_hashes(workspace, 0, seed=1).tolist()
    assert first == second != third


def test_names_no_shards_of_an_empty_plan():
    plan = pa.table({"length": pa.array([], pa.int64())})
    assert list(shard_names(shards.Split.TRAIN, plan, PACKING)) == []


def test_counts_sequences_tokens_padding_and_beginnings_of_documents():
    row = {
        "input_ids": [1] * CONTEXT,
        "length": 9,
        "document_starts": [0, 2, 8],
        "documents": [1, 2, 3],
        "offsets": [7, 0, 0],
    }
    batch = pa.RecordBatch.from_pylist([row], schema=shards.schema(pa.uint16(), CONTEXT))
    assert count_rows(batch, PACKING) == {
        "sequences": 1,
        "tokens": 9,
        "padding": CONTEXT - 9,
        "documents": 2,
    }


def test_no_duplicate_cluster_is_in_both_splits(tmp_path):
    # Each repository holds a near-copy or copy of every other one's file, and a file of its own.
    crawled = [
        Repository(
            f"repository-{n}",
            {
                "exact.py": words(10_000, 10_060),
                "near.py": words(0, 100 - n),
                "own.py": words(1000 * (n + 1), 1000 * (n + 1) + 50),
            },
        )
        for n in range(8)
    ]
    workspace = write_run(tmp_path, crawled, parts=3)
    units = [name.removesuffix(".parquet") for name in part_names(workspace)]
    tokenized = [*units, TOKENIZER_UNIT]
    annotate = AnnotatePart(workspace, AnnotateOptions(permutations=256, seed=1))
    select = SelectPart(workspace, SelectOptions((Rule("duplicate", "duplicate_of is not None"),)))
    tokenize = TokenizePart(workspace, "p50k", b"")
    for unit in units:
        do_unit(annotate, unit)
    commit(workspace, *ANNOTATED)
    options = DeduplicateOptions(threshold=0.7, permutations=256)
    run_stage(DeduplicateDocuments(workspace, 3, options))
    commit(workspace, tables.DUPLICATES)
    for table, work, names in (
        (tables.SELECTION, select, units),
        (tables.TOKENS, tokenize, tokenized),
    ):
        for unit in names:
            do_unit(work, unit)
        commit(workspace, table)
    write_shards(workspace)
    names = document_names(workspace)
    clusters = read_column(workspace, tables.DUPLICATES, "cluster")
    assert len(set(clusters.values())) < len(clusters)
    sides = []
    for split in SPLITS:
        rows = read_split(workspace, split)
        sides.append({clusters[names[each]] for row in rows for each in row["documents"]})
    train, validation = sides
    assert validation
    assert not train & validation
    assert train | validation == set(clusters.values())

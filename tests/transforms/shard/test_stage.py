import hashlib
import json
import shutil
from collections import Counter
from dataclasses import replace

import datasets
import numpy as np
import pyarrow as pa
import pytest

from schemas import shards, tables, tokens
from schemas.documents import document_id
from schemas.duplicates import DUPLICATES
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE
from tests.transforms.builders import (
    Repository,
    document_names,
    part_names,
    run_stage,
    write_run,
    write_table,
)
from transforms.parts import map_stream, read_part
from transforms.shard.locate import find_document
from transforms.shard.measures import Mixture
from transforms.shard.options import Division, ShardOptions
from transforms.shard.plan import Packing
from transforms.shard.stage import WriteShards, count_rows
from transforms.stores.files import write_whole

END = 50256
CONTEXT = 16
SPLITS = [str(split) for split in shards.Split]
PACKING = Packing(context_length=CONTEXT, sequences_per_shard=4, seed=1, end_of_text=END)
OPTIONS = ShardOptions(packing=PACKING, validation_fraction=0.3)
BESIDE = {
    TOKENIZER_FILE: '{"name": "caf\u00e9"}'.encode(),
    SPECIAL_TOKENS_FILE: b'{"end_of_text": {"token": "</s>", "id": 50256}}',
}
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
    for name, data in BESIDE.items():
        write_whole(workspace.committed(tables.TOKENIZER, name), data)
    for part in range(parts):
        rows = [
            {"document": document, "key": hash_of(document), "input_ids": ids}
            for document, ids in sorted(by_document.items())
            if document >> 32 == part
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=schema)
        write_table(workspace, tables.TOKENS, part, batch)
        ranks = [{"rank": rank} for rank in range(len(rows))]
        order = pa.RecordBatch.from_pylist(ranks, schema=tokens.READING_ORDER)
        write_table(workspace, tables.READING_ORDER, part, order)
    write_clusters(workspace)
    return workspace, by_document


def hash_of(document):
    return int.from_bytes(hashlib.sha256(str(document).encode()).digest()[:8], "big")


def write_clusters(workspace, clusters=None):
    """Commits duplicates in which documents are alone, but for those with a given cluster."""
    for part, name in enumerate(part_names(workspace)):
        count = read_part(workspace.committed(tables.DOCUMENTS, name), ["path"]).num_rows
        ids = [document_id(part, row) for row in range(count)]
        rows = [
            dict.fromkeys(DUPLICATES.names) | {"cluster": (clusters or {}).get(each, each)}
            for each in ids
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=DUPLICATES)
        write_table(workspace, tables.DUPLICATES, part, batch)


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
        pieces = Counter(document for row in rows for document in row["documents"])
        assert totals[f"{split}.documents"] == totals[f"{split}.copies"] == len(pieces)
        assert totals[f"{split}.cut"] == sum(count > 1 for count in pieces.values())
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
    write_shards(other, options=ShardOptions(replace(PACKING, seed=2), 0))
    assert shard_files(other, "validation") == []
    rows = read_split(other, "train")
    assert rebuild(rows) == {document: [*ids, END] for document, ids in documents.items()}


def test_the_tokenizer_stands_beside_the_shards(written):
    workspace, _ = written
    entries = {each.name: each for each in workspace.receipts()["tokenizer"].files[tables.SHARDS]}
    assert set(entries) == set(BESIDE)
    for name, data in BESIDE.items():
        assert workspace.staged(tables.SHARDS, name).read_bytes() == data
        assert entries[name].sha256 == hashlib.sha256(data).hexdigest()


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
    assert list(workspace.receipts()) == ["plan", "tokenizer"]
    path = workspace.staged(tables.MIXTURE, "part-00000.parquet")
    assert read_part(path).num_rows == 0


def test_ids_of_four_bytes_stay_so(tmp_path):
    workspace = write_run(tmp_path, [Repository("a", {"a.py": b""})], parts=1)
    for name, data in BESIDE.items():
        write_whole(workspace.committed(tables.TOKENIZER, name), data)
    row = {"document": 0, "key": 1, "input_ids": [70000, 5]}
    batch = pa.RecordBatch.from_pylist([row], schema=tokens.schema(pa.uint32()))
    write_table(workspace, tables.TOKENS, 0, batch)
    order = pa.RecordBatch.from_pylist([{"rank": 0}], schema=tokens.READING_ORDER)
    write_table(workspace, tables.READING_ORDER, 0, order)
    write_clusters(workspace)
    write_shards(workspace, options=ShardOptions(PACKING, 0.5))
    [path] = shard_files(workspace)
    assert map_stream(path).schema.equals(shards.schema(pa.uint32(), CONTEXT))
    [row] = read_split(workspace, "train")
    assert row["input_ids"] == [70000, 5] + [END] * (CONTEXT - 2)
    assert (row["length"], row["documents"], row["offsets"]) == (3, [0], [0])


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
        "copies": 2,
    }


@pytest.mark.parametrize("division", [Division(), Division(section_pieces=1)], ids=["one", "many"])
@pytest.mark.parametrize("seed", range(5))
def test_no_duplicate_cluster_and_no_repository_is_in_both_splits(tmp_path, division, seed):
    # Duplicates that a configuration keeps: they join some repositories, over others, too.
    workspace, documents = prepare(tmp_path)
    names = document_names(workspace)
    of_name = {name: document for document, name in names.items()}
    clusters = {
        of_name[NAMES[1], "0.py"]: of_name[NAMES[0], "0.py"],
        of_name[NAMES[2], "1.py"]: of_name[NAMES[1], "1.py"],
        of_name[NAMES[4], "3.py"]: of_name[NAMES[3], "4.py"],
    }
    shutil.rmtree(workspace.committed(tables.DUPLICATES, ""))
    write_clusters(workspace, clusters)
    packing = replace(PACKING, seed=seed)
    write_shards(workspace, options=ShardOptions(packing, 0.4, division=division))
    held = []
    for split in SPLITS:
        rows = read_split(workspace, split)
        held.append({document for row in rows for document in row["documents"]})
    train, validation = held
    assert train
    assert validation
    assert not train & validation
    assert train | validation == set(documents)
    for side in (clusters_of(clusters), lambda document: names[document][0]):
        assert not set(map(side, train)) & set(map(side, validation))


def clusters_of(clusters):
    return lambda document: clusters.get(document, document)


def test_a_document_that_fits_is_not_cut_by_best_fit(tmp_path):
    workspace, documents = prepare(tmp_path)
    write_shards(workspace, options=ShardOptions(replace(PACKING, method="best_fit"), 0.3))
    rows = [row for split in SPLITS for row in read_split(workspace, split)]
    assert rebuild(rows) == {document: [*ids, END] for document, ids in documents.items()}
    pieces = Counter(document for row in rows for document in row["documents"])
    for document, count in pieces.items():
        assert count == max(1, -(-(len(documents[document]) + 1) // CONTEXT))


def test_documents_are_read_in_the_order_of_their_ranks(tmp_path):
    workspace, documents = prepare(tmp_path, parts=1)
    shutil.rmtree(workspace.committed(tables.READING_ORDER, ""))
    ranks = [{"rank": len(documents) - place} for place in range(len(documents))]
    order = pa.RecordBatch.from_pylist(ranks, schema=tokens.READING_ORDER)
    write_table(workspace, tables.READING_ORDER, 0, order)
    write_shards(workspace, options=ShardOptions(PACKING, 0))
    rows = read_split(workspace, "train")
    order = sorted(rows, key=lambda row: (-row["documents"][0], row["offsets"][0]))
    stream = [token for row in order for token in row["input_ids"][: row["length"]]]
    backwards = sorted(documents, reverse=True)
    assert stream == [token for each in backwards for token in [*documents[each], END]]


def test_the_mixture_counts_what_of_each_repository_is_in_the_shards(tmp_path):
    workspace, _ = prepare(tmp_path)
    mixture = Mixture(epochs=2, weights={"repository": {NAMES[0]: 2.5, NAMES[1]: 0.0}})
    write_shards(workspace, options=ShardOptions(PACKING, 0.3, mixture))
    names = document_names(workspace)
    tokens_of = Counter()
    for split in SPLITS:
        for row in read_split(workspace, split):
            for document, _, ids in pieces_of(row):
                tokens_of[names[document][0], split] += len(ids)
    rows = read_part(workspace.staged(tables.MIXTURE, "part-00000.parquet")).to_pylist()
    assert [row["repository"] for row in rows] == NAMES
    for row in rows:
        assert row["shard_tokens"] == tokens_of[row["repository"], row["split"]]
        epochs = 2 if row["split"] == "train" else 1
        assert row["weight"] * row["tokens"] * epochs == pytest.approx(row["shard_tokens"])
    by_name = {row["repository"]: row for row in rows}
    assert by_name[NAMES[1]]["copies"] == 0
    # Of 2.5 copies an epoch, five in two: each document has them whatever was drawn for it.
    assert by_name[NAMES[0]]["shard_tokens"] == 5 * by_name[NAMES[0]]["tokens"]


def test_datasets_opens_the_folder_from_the_disk(written):
    workspace, _ = written
    found = datasets.load_from_disk(str(workspace.staged(tables.SHARDS, "")))
    for split in SPLITS:
        assert found[split].to_list() == read_split(workspace, split)


def test_other_formats_hold_the_same_rows_in_the_same_order(tmp_path):
    workspace, _ = prepare(tmp_path)
    formats = (tables.MEGATRON, tables.MDS)
    write_shards(workspace, options=ShardOptions(PACKING, 0.3, formats=formats))
    for split in SPLITS:
        index = json.loads(workspace.staged(tables.MDS, f"{split}/index.json").read_text())
        for number, path in enumerate(shard_files(workspace, split)):
            rows = map_stream(path).to_pylist()
            stream = [token for row in rows for token in row["input_ids"][: row["length"]]]
            data = workspace.staged(tables.MEGATRON, f"{path.stem}.bin").read_bytes()
            assert np.frombuffer(data, "<u2").tolist() == stream
            shard = index["shards"][number]
            assert shard["samples"] == len(rows)
            mds = workspace.staged(tables.MDS, f"{split}/{shard['raw_data']['basename']}")
            assert mds.stat().st_size == shard["raw_data"]["bytes"]
            kind = np.dtype([("input_ids", "<u2", (CONTEXT,)), ("length", "<i4")])
            samples = np.frombuffer(mds.read_bytes()[-len(rows) * kind.itemsize :], kind)
            assert samples["input_ids"].tolist() == [row["input_ids"] for row in rows]
            assert samples["length"].tolist() == [row["length"] for row in rows]
    for receipt in workspace.receipts().values():
        for table in formats:
            for entry in receipt.files.get(table, ()):
                data = workspace.staged(table, entry.name).read_bytes()
                assert entry.sha256 == hashlib.sha256(data).hexdigest()
                assert entry.bytes == len(data)

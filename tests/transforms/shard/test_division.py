import hashlib
import itertools
import json
from collections import Counter
from dataclasses import replace

import pytest

from schemas import tables
from tests.transforms.builders import part_names
from tests.transforms.shard.steps import plan_shards
from tests.transforms.shard.test_stage import (
    CONTEXT,
    NAMES,
    OPTIONS,
    PACKING,
    SPLITS,
    pieces_of,
    prepare,
    read_split,
    shard_files,
    write_shards,
)
from transforms.parts import read_part
from transforms.shard.measures import Mixture
from transforms.shard.options import Division, ShardOptions
from transforms.shard.reader import PlanReader

# Of some that train.
SHARES = {NAMES[0]: 3.0, NAMES[1]: 0.0, NAMES[2]: 1.0, NAMES[5]: 2.0}
LIMITED = Mixture(epochs=2, weights={"repository": {NAMES[0]: 9.0}}, max_repository_share=0.25)
MIXED = Mixture(3, {"repository": {NAMES[0]: 2.5}}, "repository", SHARES)
FORMATS = (tables.MEGATRON, tables.MDS)
CASES = {
    "concatenate": OPTIONS,
    "best_fit": replace(OPTIONS, packing=replace(PACKING, method="best_fit")),
    "mixed": ShardOptions(PACKING, 0.3, MIXED, FORMATS, identity="tokens"),
    "mixed_best_fit": ShardOptions(replace(PACKING, method="best_fit"), 0.3, MIXED),
    "limited": ShardOptions(PACKING, 0.3, LIMITED),
    "train_alone": ShardOptions(PACKING, 0.0, LIMITED, FORMATS),
}


def digest_receipts(workspace):
    """What stands for all files and counts of a stage."""
    told = {
        unit: {
            "files": {
                table: [(each.name, each.rows, each.digest) for each in entries]
                for table, entries in receipt.files.items()
            },
            "statistics": receipt.statistics,
        }
        for unit, receipt in workspace.receipts().items()
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


GOLDEN = {
    "concatenate": "ca4ea4b31bd09fc3",
    "best_fit": "350f3e44d2f559bd",
    "mixed": "7101f14995bbf25a",
    "mixed_best_fit": "ce970a3c3e3e8862",
    "limited": "3b0953f6ca50e7f5",
    "train_alone": "6af709f33ceb62bc",
}


@pytest.mark.parametrize("case", CASES)
def test_shards_never_change(tmp_path, case):
    # Made where one step planned all of a run.
    workspace, _ = prepare(tmp_path)
    write_shards(workspace, options=CASES[case])
    assert digest_receipts(workspace) == GOLDEN[case]


DIVISION = Division(section_pieces=20, bucket_pieces=15)


def divided(options, division=DIVISION):
    return replace(options, division=division)


@pytest.fixture(scope="module", params=CASES)
def both(request, tmp_path_factory):
    """A run that was written in one section, one that was in several, and its options."""
    written = []
    for options in (CASES[request.param], divided(CASES[request.param])):
        workspace, _ = prepare(tmp_path_factory.mktemp("run"))
        write_shards(workspace, options=options)
        written.append(workspace)
    reader = PlanReader(workspace, options)
    assert reader.sections == 4
    assert reader.layout().buckets > 2
    return *written, reader


def test_sections_give_each_document_as_often_as_one_would(both):
    one, many, _ = both
    for split in SPLITS:
        held, found = (count_tokens_of(workspace, split) for workspace in (one, many))
        assert bool(held) == bool(shard_files(one, split))
        assert found == held
    kept = [
        {f"{split}.{name}": totals(workspace)[f"{split}.{name}"] for split in SPLITS}
        for workspace in (one, many)
        for name in ("documents", "copies", "tokens")
    ]
    assert kept[:3] == kept[3:]


def count_tokens_of(workspace, split):
    """How often each token of each document is in a split."""
    found = Counter()
    for row in read_split(workspace, split):
        for document, offset, ids in pieces_of(row):
            found.update((document, offset + place, token) for place, token in enumerate(ids))
    return found


def totals(workspace):
    found = Counter()
    for receipt in workspace.receipts().values():
        found.update(receipt.statistics)
    return found


def test_the_mixture_does_not_depend_on_sections(both):
    rows = [read_part(each.staged(tables.MIXTURE, "part-00000.parquet")) for each in both[:2]]
    assert rows[0].equals(rows[1])


def test_a_sequence_is_of_one_section_and_few_are_short_where_documents_are_joined(both):
    _, many, reader = both
    section_of = {
        tables.part_number(name): section
        for section in range(reader.sections)
        for name in reader.parts(section)
    }
    for split in SPLITS:
        rows = read_split(many, split)
        short = Counter()
        for row in rows:
            [section] = {section_of[document >> 32] for document in row["documents"]}
            short[section] += row["length"] < CONTEXT
        if reader.options.packing.method == "concatenate":
            epochs = reader.options.mixture.epochs if split == "train" else 1
            assert max(short.values(), default=0) <= epochs
        cut = sum(row["offsets"][0] > 0 for row in rows)
        assert totals(many)[f"{split}.cut"] <= cut


def test_sequences_of_sections_are_mixed(both):
    _, many, reader = both
    parts = [row["documents"][0] >> 32 for row in read_split(many, "train")]
    changes = sum(one != other for one, other in itertools.pairwise(parts))
    assert changes > 3 * reader.options.mixture.epochs * len(set(parts))


def test_a_repository_has_no_more_than_its_share_in_any_division(both):
    rows = read_part(both[1].staged(tables.MIXTURE, "part-00000.parquet")).to_pylist()
    held = [row["shard_tokens"] for row in rows if row["split"] == "train"]
    options = both[2].options
    if options.mixture.max_repository_share < 1:
        # Of all epochs together, as it holds for each.
        assert max(held) <= options.mixture.max_repository_share * sum(held)
        assert rows[0]["shard_tokens"] < 18 * rows[0]["tokens"]


def plans_of(workspace, pattern="*.arrow"):
    folder = workspace.staged("plan", "")
    return {path.name: path.read_bytes() for path in folder.rglob(pattern)}


def test_buckets_change_no_shard(both, tmp_path):
    _, many, reader = both
    workspace, _ = prepare(tmp_path)
    whole = PlanReader(workspace, divided(reader.options, Division(section_pieces=20)))
    names = plan_shards(whole, part_names(workspace, tables.TOKENS))
    assert whole.layout().buckets == 1
    assert sorted(names) == [path.stem for path in shard_files(many)]
    assert plans_of(workspace, "*-of-*.arrow") == plans_of(many, "*-of-*.arrow")


def test_the_number_of_workers_does_not_matter_to_sections(tmp_path):
    receipts = []
    for workers in (1, 4):
        workspace, _ = prepare(tmp_path / str(workers))
        write_shards(workspace, workers, divided(CASES["mixed"]))
        receipts.append(workspace.receipts())
    assert receipts[0] == receipts[1]


def test_steps_that_are_repeated_leave_the_same(both, tmp_path):
    _, many, reader = both
    workspace, _ = prepare(tmp_path)
    again = PlanReader(workspace, reader.options)
    names = plan_shards(again, part_names(workspace, tables.TOKENS), times=2)
    assert sorted(names) == [path.stem for path in shard_files(many)]
    assert workspace.receipts()["plan"] == many.receipts()["plan"]
    assert plans_of(workspace) == plans_of(many)

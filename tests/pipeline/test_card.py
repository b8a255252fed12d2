from pathlib import Path

import datasets
import pytest
import yaml

from pipeline.card import CARD, count_licenses, public_settings, write_card
from pipeline.errors import UserError
from pipeline.reading import read_configuration
from schemas import tables
from tests.pipeline.runs import run_again, run_configuration


def card_of(run):
    path = Path(write_card(run, read_configuration(run.path / "config.yaml")))
    assert path == run.path / CARD
    text = path.read_text()
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_library_datasets_loads_the_folder_by_its_card(run, tmp_path):
    card_of(run)
    found = datasets.load_dataset(str(run.path), cache_dir=str(tmp_path / "cache"))
    shards = run.manifest(tables.SHARDS).statistics
    assert {name: len(split) for name, split in found.items()} == {
        split: shards[f"{split}.sequences"] for split in ("train", "validation")
    }
    assert len(found["train"][0]["input_ids"]) == 64


def test_the_library_streams_the_folder_by_its_card(run):
    card_of(run)
    stream = datasets.load_dataset(str(run.path), split="train", streaming=True)
    assert len(next(iter(stream))["input_ids"]) == 64


def test_the_card_says_what_is_in_and_how_it_was_made(run):
    front, body = card_of(run)
    assert front["configs"][0]["data_files"][0] == {
        "split": "train",
        "path": "shards/train-*.arrow",
    }
    assert front["size_categories"] == ["n<1K"]
    for words in (
        "| near_duplicate | 1 |",
        "| selected | 5 |",
        "| python | ",
        "threshold: 0.7",
        "Opting out",
        run.manifest(tables.SHARDS).digest,
    ):
        assert words in body
    # No places of this machine.
    assert str(run.path) not in body
    assert "sources:" not in body


def test_shards_of_another_configuration_have_no_card(run):
    run_again(run, "deduplicate.threshold=0.99", stages=("deduplicate",))
    with pytest.raises(UserError, match="not of its configuration, of which select"):
        card_of(run)


def test_the_card_names_no_places_and_no_repositories(configure, tmp_path):
    path = tmp_path / "secret" / "problems.jsonl"
    changes = {
        "contamination": {"benchmarks": [str(path)]},
        "tokenize": {"tokenizer": {"file": str(tmp_path / "secret" / "tokenizer.json")}},
        "shard": {"mixture": {"weights": {"repository": {"directory/private": 2}}}},
    }
    text = yaml.safe_dump(public_settings(read_configuration(configure(**changes))))
    assert "problems.jsonl" in text
    assert "tokenizer.json" in text
    assert "secret" not in text
    assert "private" not in text


def test_licenses_are_those_of_the_selected_documents(run):
    ((name, documents, size),) = count_licenses(run)
    assert (name, documents) == ("none found", 5)
    selected = run.manifest(tables.SELECTION).statistics["bytes.selected"]
    assert size == selected


def test_a_run_without_shards_has_no_card_yet(configure):
    run = run_configuration(configure(), stages=("select",))
    with pytest.raises(UserError, match="has no shards yet: `repomill run CONFIG` makes them"):
        card_of(run)

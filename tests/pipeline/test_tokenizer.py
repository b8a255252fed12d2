import json

import pytest
from tokenizers import Tokenizer, models, normalizers

from pipeline.errors import UsageError, UserError
from pipeline.reading import read_configuration, write_configuration
from pipeline.summary import summarize
from schemas import tables
from tests.pipeline.runs import executed, run_again, run_configuration
from transforms.parts import map_stream
from transforms.tokenizers.vocabulary import gpt2_tokenizer, p50k_tokenizer

TOKENIZED = ("tokenize",)


def texts_of(run):
    """The texts of the tokens of a run, decoded by its own tokenizer."""
    tokenizer = Tokenizer.from_str((run.path / tables.TOKENIZER / "tokenizer.json").read_text())
    parts = sorted((run.path / tables.TOKENS).glob("part-*"))
    return [
        tokenizer.decode(ids, skip_special_tokens=False)
        for path in parts
        for ids in map_stream(path)["input_ids"].to_pylist()
    ]


def counts(run):
    return run.manifest(tables.TOKENS).statistics


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        ("p51k", "tokenize.tokenizer.name: .*'p50k' or 'gpt2'"),
        ({}, "tokenize.tokenizer: must be one of p50k, gpt2, or a mapping with one of"),
        ({"file": "x", "train": {}}, "tokenize.tokenizer: must be one of p50k, gpt2"),
        ({"train": {}, "end_of_text": "</s>"}, "`whitespace_runs` belong to a `file`"),
        ({"file": "x", "whitespace_runs": 1}, "must be 0 or at least 2: one space has a token"),
        ({"train": {"vocab_sise": 5}}, "vocab_sise: unknown key; did you mean vocab_size"),
        ({"train": {"vocab_size": 300, "whitespace_runs": 99}}, "300 is too small: .* need 355"),
        ({"train": {"pattern": "gpt5"}}, "tokenize.tokenizer.train.pattern: .*'gpt2'"),
    ],
)
def test_says_what_is_wrong_with_a_choice(configure, tokenizer, message):
    with pytest.raises(UsageError, match=message):
        read_configuration(configure(tokenize={"tokenizer": tokenizer}))


@pytest.mark.parametrize(
    "tokenizer",
    ["gpt2", {"file": "/a/tokenizer.json", "whitespace_runs": 9}, {"train": {"vocab_size": 999}}],
)
def test_a_choice_is_the_same_when_it_is_read_back(configure, tmp_path, tokenizer):
    configuration = read_configuration(configure(tokenize={"tokenizer": tokenizer}))
    (tmp_path / "again.yaml").write_text(write_configuration(configuration))
    again = read_configuration(tmp_path / "again.yaml")
    assert again.tokenize == configuration.tokenize


def test_runs_of_spaces_save_tokens_of_the_same_texts(run):
    with_runs = counts(run)
    texts = texts_of(run)
    run_again(run, "tokenize.tokenizer=gpt2")
    assert texts_of(run) == texts
    assert counts(run)["text_tokens"] == with_runs["text_tokens_without_runs"]
    assert counts(run)["text_tokens"] > with_runs["text_tokens"]
    assert counts(run)["text_tokens_without_runs"] == counts(run)["text_tokens"]
    assert summarize(run).tokenizing.vocabulary == 50257


def test_a_tokenizer_is_learned_from_the_selected_documents(configure):
    choice = {"train": {"vocab_size": 350, "whitespace_runs": 12, "pattern": "cl100k"}}
    run = run_configuration(configure(tokenize={"tokenizer": choice}))
    summary = summarize(run)
    assert summary.tokenizing.vocabulary == 350
    # Without the runs it has learned some of its own, so that the base encodes anew.
    assert summary.tokenizing.text_tokens <= summary.tokenizing.without_runs
    assert summary.tokenizing.text_tokens < summary.tokenizing.languages[0].characters / 2
    assert len(texts_of(run)) == 5
    before = run.manifest(tables.TOKENIZER).digest
    fresh = run_configuration(
        configure(tokenize={"tokenizer": choice}), "crawl.parts=1", output=f"{run.path}-1"
    )
    assert fresh.manifest(tables.TOKENIZER).digest == before


def test_a_vocabulary_that_the_text_cannot_fill_is_refused(configure):
    choice = {"train": {"vocab_size": 50_000}}
    with pytest.raises(UserError, match="give more text or lower the size"):
        run_configuration(configure(tokenize={"tokenizer": choice}), stages=TOKENIZED)


def test_a_tokenizer_from_a_file_gets_runs_and_its_content_decides(configure, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(gpt2_tokenizer().to_str())
    choice = {"file": str(path), "whitespace_runs": 25}
    run = run_configuration(configure(tokenize={"tokenizer": choice}), stages=TOKENIZED)
    found = (run.path / tables.TOKENIZER / "tokenizer.json").read_text()
    assert found == p50k_tokenizer().to_str()
    path.write_text(gpt2_tokenizer().to_str() + "\n")
    run_configuration(configure(tokenize={"tokenizer": choice}), stages=TOKENIZED)
    # The same tokenizer in other bytes is learned again, and nothing behind it.
    assert executed(run)[-2:] == ["tokenize", "learn"]


def refused(configure, tmp_path, text, **tokenize):
    """What a run says of a tokenizer's file before it does anything."""
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        run_configuration(configure(tokenize={"tokenizer": {"file": str(path)}, **tokenize}))
    assert not (tmp_path / "run" / "documents").exists()
    return str(error.value)


def test_a_tokenizer_that_changes_text_is_refused_before_any_work(configure, tmp_path):
    tokenizer = gpt2_tokenizer()
    tokenizer.normalizer = normalizers.Replace("import", "export")
    found = refused(configure, tmp_path, tokenizer.to_str())
    assert "the tokenizer changes text before it encodes it (Replace)" in found


def test_what_is_no_tokenizer_is_refused_before_any_work(configure, tmp_path):
    assert "is no tokenizer.json" in refused(configure, tmp_path, "{}")
    definition = json.loads(gpt2_tokenizer().to_str())
    del definition["added_tokens"]
    found = refused(configure, tmp_path, json.dumps(definition))
    assert "tokenize.tokenizer.file: " in found


def test_tokens_for_gaps_that_a_tokenizer_cannot_take_are_refused_before_any_work(
    configure, tmp_path
):
    definition = json.loads(gpt2_tokenizer().to_str())
    definition["model"]["vocab"]["<|fim_prefix|>"] = 50257
    gaps = {"fill_in_the_middle": {"rate": 0.5}}
    found = refused(configure, tmp_path, json.dumps(definition), **gaps)
    assert "tokens of text that are spelled as the special tokens ['<|fim_prefix|>']" in found


def test_runs_cannot_be_added_to_what_is_not_byte_level(configure, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(Tokenizer(models.WordLevel({"a": 0}, "a")).to_str())
    choice = {"file": str(path), "whitespace_runs": 5}
    with pytest.raises(UsageError, match=r"tokenize\.tokenizer\.file"):
        run_configuration(configure(tokenize={"tokenizer": choice}))
    with pytest.raises(UsageError, match="No such file"):
        run_configuration(configure(tokenize={"tokenizer": {"file": str(tmp_path / "none")}}))


def test_gaps_and_headers_get_special_tokens_that_stand_beside_the_shards(configure):
    tokenize = {
        "fill_in_the_middle": {"rate": 1.0},
        "header": "special",
        "order": "imports",
    }
    run = run_configuration(configure(tokenize=tokenize))
    for text in texts_of(run):
        assert text.startswith("<|repository|>directory/")
        assert text.count("<|fim_middle|>") == 1
    special = (run.path / tables.SHARDS / "special_tokens.json").read_text()
    assert all(f'"{role}"' in special for role in ("end_of_text", "fim_prefix", "content"))
    assert summarize(run).tokenizing.vocabulary == 50281 + 6
    # With other rates the tokenizer stays the same; with none it has no such tokens.
    run_again(run, "tokenize.fill_in_the_middle.rate=0.5", stages=TOKENIZED)
    assert executed(run)[-1:] == ["tokenize"]
    run_again(run, "tokenize.fill_in_the_middle.rate=0", stages=TOKENIZED)
    assert executed(run)[-2:] == ["learn", "tokenize"]

import json

import pytest
from tokenizers import Tokenizer

from schemas import tables
from schemas.tokenizers import FIM_ROLES, HEADER_ROLES, Role
from tests.transforms.builders import Repository, part_names, run_stage, words
from tests.transforms.learn.test_sample import prepare
from transforms.learn.sample import Sampling
from transforms.learn.stage import LearnOptions, MakeTokenizer, Training
from transforms.stores.files import write_whole
from transforms.tokenizers.roles import SpecialToken, special_tokens_json
from transforms.tokenizers.vocabulary import (
    END_OF_TEXT,
    END_OF_TEXT_ID,
    gpt2_tokenizer,
    p50k_tokenizer,
)

CODE = b"def f(x):\n    if x:\n        return x\n    return None\n" * 5
CRAWLED = [Repository(name, {"a.py": CODE, "b.py": words(0, 200)}) for name in "abc"]


def learn(workspace, options):
    run_stage(MakeTokenizer(workspace, part_names(workspace), options))
    folder = workspace.staged(tables.TOKENIZER, "")
    return {path.name: path.read_text() for path in folder.iterdir()}


def given(workspace):
    """What the driver leaves for a tokenizer that need not be learned."""
    folder = workspace.staged("given", "")
    write_whole(folder / "tokenizer.json", gpt2_tokenizer().to_str().encode())
    special = {Role.END_OF_TEXT: SpecialToken(END_OF_TEXT, END_OF_TEXT_ID)}
    write_whole(folder / "special_tokens.json", special_tokens_json(special).encode())
    return str(folder)


def test_a_given_tokenizer_stays_as_it_is(tmp_path):
    workspace = prepare(tmp_path, CRAWLED)
    files = learn(workspace, LearnOptions(given(workspace)))
    assert set(files) == {"tokenizer.json", "special_tokens.json"}
    assert files["tokenizer.json"] == gpt2_tokenizer().to_str()
    assert json.loads(files["special_tokens.json"]) == {
        "end_of_text": {"token": END_OF_TEXT, "id": END_OF_TEXT_ID}
    }
    assert workspace.receipts()["tokenizer"].statistics == {"vocabulary": 50257}


def test_runs_make_p50k_of_gpt2_and_say_how_new_embeddings_begin(tmp_path):
    workspace = prepare(tmp_path, CRAWLED)
    files = learn(workspace, LearnOptions(given(workspace), whitespace_runs=25))
    assert files["tokenizer.json"] == p50k_tokenizer().to_str()
    assert files["base.json"] == gpt2_tokenizer().to_str()
    tokens = json.loads(files["embeddings.json"])["tokens"]
    assert [token["id"] for token in tokens] == list(range(50257, 50281))
    assert [token["parts"] for token in tokens] == [[220] * n for n in range(2, 26)]


def test_roles_get_tokens_behind_all_others(tmp_path):
    workspace = prepare(tmp_path, CRAWLED)
    roles = (*FIM_ROLES, *HEADER_ROLES)
    files = learn(workspace, LearnOptions(given(workspace), whitespace_runs=3, roles=roles))
    special = json.loads(files["special_tokens.json"])
    assert list(special) == ["end_of_text", *roles]
    assert [token["id"] for token in special.values()] == [50256, *range(50259, 50265)]
    tokenizer = Tokenizer.from_str(files["tokenizer.json"])
    for token in special.values():
        assert tokenizer.token_to_id(token["token"]) == token["id"]


def learned(workspace, **options):
    training = Training(400, "gpt2", Sampling(1.0, 1))
    return learn(workspace, LearnOptions(training=training, **options))


@pytest.mark.parametrize("runs", [0, 9])
def test_a_learned_tokenizer_has_so_many_ids_in_all(tmp_path, runs):
    files = learned(prepare(tmp_path, CRAWLED), whitespace_runs=runs)
    tokenizer = Tokenizer.from_str(files["tokenizer.json"])
    assert tokenizer.get_vocab_size() == 400
    text = CODE.decode()
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    for length in range(2, runs + 1):
        assert len(tokenizer.encode(" " * length).ids) == 1
    assert ("base.json" in files) == (runs > 0)
    assert "embeddings.json" not in files


def test_a_learned_tokenizer_does_not_depend_on_how_the_run_is_divided(tmp_path):
    one = learned(prepare(tmp_path / "one", CRAWLED, parts=1), whitespace_runs=9)
    three = learned(prepare(tmp_path / "three", CRAWLED[::-1], parts=3), whitespace_runs=9)
    assert one == three


def test_a_learned_tokenizer_does_not_learn_what_is_not_selected(tmp_path):
    with_b = learned(prepare(tmp_path / "with", CRAWLED))
    without = learned(prepare(tmp_path / "without", CRAWLED, rejected={"a.py"}))
    vocabulary = [
        Tokenizer.from_str(each["tokenizer.json"]).get_vocab() for each in (with_b, without)
    ]
    assert "\u0120return" in vocabulary[0]
    assert "\u0120return" not in vocabulary[1]

import pyarrow as pa

from schemas.redundancy import CHARACTERS_PER_TOKEN, REDUNDANCY
from tests.transforms.builders import large_binary
from transforms.parse.redundancy import measure_redundancy
from transforms.tokenizers.engines import choose_engine
from transforms.tokenizers.vocabulary import p50k_tokenizer

TEXT = "d\u00e9f add(first, second):\n        return first + second\n"


def test_what_is_not_asked_for_is_null():
    batch = measure_redundancy(large_binary([TEXT.encode()]), ["top_3gram_share"], None)
    assert batch.schema == REDUNDANCY
    assert [name for name in REDUNDANCY.names if batch[name].null_count == 0] == ["top_3gram_share"]
    empty = measure_redundancy(pa.array([], pa.large_binary()), REDUNDANCY.names, None)
    assert len(empty) == 0


def test_characters_a_token_are_code_points_by_the_tokenizer():
    engine = choose_engine(p50k_tokenizer(), large_binary([TEXT.encode()]))
    texts = large_binary([TEXT.encode(), b""])
    batch = measure_redundancy(texts, [CHARACTERS_PER_TOKEN], engine)
    tokens = p50k_tokenizer().encode(TEXT, add_special_tokens=False).ids
    assert batch[CHARACTERS_PER_TOKEN].to_pylist() == [len(TEXT) / len(tokens), None]

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, TOKENIZED_TEXT, large_binary, slow_mix, thorough
from tests.transforms.tokenize.test_segments import as_lists, as_segments
from transforms.tokenize.fim import (
    PREFIX_FIRST,
    SUFFIX_FIRST,
    WHOLE,
    CutLevel,
    FimOptions,
    FimTokens,
    arrange_tokens,
    cut_texts,
    join_pieces,
)
from transforms.tokenize.segments import Segments
from transforms.tokenizers.engines import TokenizersEngine
from transforms.tokenizers.vocabulary import p50k_tokenizer

PRE, SUF, MID = 1_001, 1_002, 1_003
TOKENS = FimTokens(prefix=PRE, suffix=SUF, middle=MID)
STEP = 0x9E3779B97F4A7C15
KEYS = st.integers(0, MASK)
SHARES = st.sampled_from((0.0, 0.3, 0.5, 1.0)) | st.floats(0, 1)
OPTIONS = st.builds(FimOptions, rate=SHARES, spm_rate=SHARES, seed=st.integers(-(2**70), 2**70))
DOCUMENTS = st.lists(st.tuples(st.lists(st.integers(0, 1_000), max_size=12), KEYS), max_size=8)
TEXTS = st.lists(st.tuples(TOKENIZED_TEXT, KEYS), max_size=8)


def as_keys(values):
    return np.array(values, np.uint64)


def slow_cut(length, key, options):
    """Order and places of a document, on Python's integers."""
    state = slow_mix(slow_mix((options.seed + STEP) & MASK) ^ key)
    numbers = [slow_mix((state + n * STEP) & MASK) for n in range(1, 5)]
    if length == 0 or (numbers[0] >> 11) / 2**53 >= options.rate:
        return WHOLE, 0, 0
    order = SUFFIX_FIRST if (numbers[1] >> 11) / 2**53 < options.spm_rate else PREFIX_FIRST
    return (order, *sorted(number % (length + 1) for number in numbers[2:]))


def slow_arrange(tokens, key, options):
    order, first, second = slow_cut(len(tokens), key, options)
    prefix, middle, suffix = tokens[:first], tokens[first:second], tokens[second:]
    if order == PREFIX_FIRST:
        return [PRE, *prefix, SUF, *suffix, MID, *middle]
    if order == SUFFIX_FIRST:
        return [PRE, SUF, *suffix, MID, *prefix, *middle]
    return tokens


def undo(tokens):
    """The document that was arranged."""
    if PRE not in tokens:
        return tokens
    assert tokens[0] == PRE
    suffix, middle = tokens.index(SUF), tokens.index(MID)
    return tokens[1:suffix] + tokens[middle + 1 :] + tokens[suffix + 1 : middle]


def arrange(documents, options):
    keys = as_keys([key for _, key in documents])
    segments = as_segments([tokens for tokens, _ in documents], before=2)
    return as_lists(arrange_tokens(segments, keys, options, TOKENS))


def encode_bytes(texts):
    """Texts as tokens that are their bytes."""
    return as_segments([list(text) for text in texts.to_pylist()])


@thorough
@given(DOCUMENTS, OPTIONS)
def test_arranges_tokens_as_a_slow_version_does(documents, options):
    expected = [slow_arrange(tokens, key, options) for tokens, key in documents]
    assert arrange(documents, options) == expected


@thorough
@given(DOCUMENTS, OPTIONS)
def test_nothing_is_lost_between_tokens(documents, options):
    found = arrange(documents, options)
    assert [undo(tokens) for tokens in found] == [tokens for tokens, _ in documents]


@thorough
@given(TEXTS, OPTIONS)
def test_arranges_characters_as_a_slow_version_does(documents, options):
    texts = large_binary([text.encode() for text, _ in documents])
    pieces, orders = cut_texts(texts, as_keys([key for _, key in documents]), options)
    expected = []
    for text, key in documents:
        order, first, second = slow_cut(len(text), key, options)
        cut = [text] if order == WHOLE else [text[:first], text[first:second], text[second:]]
        expected += [piece.encode() for piece in cut]
    assert pieces.to_pylist() == expected
    found = as_lists(join_pieces(encode_bytes(pieces), orders, TOKENS))
    assert [bytes(undo(tokens)).decode() for tokens in found] == [text for text, _ in documents]


@pytest.fixture(scope="module")
def tokenizer():
    return p50k_tokenizer()


def test_pieces_that_an_engine_has_encoded_decode_to_the_text(tokenizer):
    written = [f"def \u4f60{n}(x):\n    return x" for n in range(20)]
    texts = large_binary([text.encode() for text in written])
    pieces, orders = cut_texts(texts, as_keys(range(20)), FimOptions(rate=1))
    encoded = Segments(*TokenizersEngine(tokenizer).encode(pieces))
    special = FimTokens(prefix=60_001, suffix=60_002, middle=60_003)
    joined = as_lists(join_pieces(encoded, orders, special))
    assert {tokens[1] == 60_002 for tokens in joined} == {True, False}
    assert all(tokens[0] == 60_001 and 60_003 in tokens for tokens in joined)
    lists = iter(as_lists(encoded))
    decoded = ["".join(tokenizer.decode(next(lists)) for _ in range(3)) for _ in written]
    assert decoded == written


def test_prefix_first_and_suffix_first_begin_alike():
    documents = [([1, 2, 3, 4], key) for key in range(40)]
    prefix_first = arrange(documents, FimOptions(rate=1, spm_rate=0))
    suffix_first = arrange(documents, FimOptions(rate=1, spm_rate=1))
    assert {tokens[0] for tokens in prefix_first + suffix_first} == {PRE}
    assert {tokens[1] for tokens in suffix_first} == {SUF}
    assert all(tokens.index(SUF) < tokens.index(MID) for tokens in prefix_first)
    # The same document is cut at the same places in either order.
    assert [tokens[tokens.index(SUF) : tokens.index(MID)] for tokens in prefix_first] == [
        tokens[1 : tokens.index(MID)] for tokens in suffix_first
    ]


def test_documents_without_tokens_stay_as_they_are():
    assert arrange([([], key) for key in range(50)], FimOptions(rate=1)) == [[]] * 50
    pieces, orders = cut_texts(large_binary([b""] * 50), as_keys(range(50)), FimOptions(rate=1))
    assert (pieces.to_pylist(), orders.tolist()) == ([b""] * 50, [WHOLE] * 50)


def test_the_one_token_of_a_document_may_be_in_any_piece():
    found = arrange([([5], key) for key in range(99)], FimOptions(rate=1, spm_rate=0))
    assert {tuple(tokens) for tokens in found} == {
        (PRE, 5, SUF, MID),
        (PRE, SUF, 5, MID),
        (PRE, SUF, MID, 5),
    }


@pytest.mark.parametrize(("rate", "spm_rate"), [(0.5, 0.5), (0.9, 0.1), (0.01, 1.0)])
def test_shares_are_those_asked_for(rate, spm_rate):
    count = 40_000
    texts = large_binary([b"text"] * count)
    _, orders = cut_texts(texts, as_keys(range(count)), FimOptions(rate, spm_rate, seed=3))
    for order, share in ((PREFIX_FIRST, rate * (1 - spm_rate)), (SUFFIX_FIRST, rate * spm_rate)):
        deviation = math.sqrt(count * share * (1 - share))
        assert abs((orders == order).sum() - count * share) <= 4 * deviation


def test_all_pairs_of_places_are_equally_likely():
    count = 45_000
    texts = large_binary([b"ab"] * count)
    pieces, _ = cut_texts(texts, as_keys(range(count)), FimOptions(rate=1))
    lengths = np.diff(np.array([0, *map(len, pieces.to_pylist())]).cumsum()).reshape(-1, 3)
    _, counts = np.unique(lengths, axis=0, return_counts=True)
    # Of nine ordered pairs each two that differ only in order give the same pieces; sorted by
    # the lengths of prefix and middle: both ends, 0 and 1, 0 and 2, and so on.
    expected = count / 9 * np.array([1, 2, 2, 1, 2, 1])
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()


@thorough
@given(DOCUMENTS, OPTIONS, st.randoms(use_true_random=False))
def test_a_document_does_not_depend_on_those_beside_it(documents, options, random):
    together = dict(zip(range(len(documents)), arrange(documents, options), strict=True))
    places = list(together)
    random.shuffle(places)
    middle = random.randint(0, len(places))
    for part in (places[:middle], places[middle:]):
        assert arrange([documents[n] for n in part], options) == [together[n] for n in part]


@thorough
@given(DOCUMENTS, SHARES, SHARES)
def test_a_higher_rate_keeps_what_a_lower_one_does(documents, one, other):
    less, more = (arrange(documents, FimOptions(rate=rate)) for rate in sorted((one, other)))
    for (tokens, _), before, after in zip(documents, less, more, strict=True):
        assert before in (after, tokens)


def test_seeds_make_other_choices():
    documents = [(list(range(9)), key) for key in range(20)]
    found = [arrange(documents, FimOptions(seed=seed)) for seed in (0, 1, 0)]
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1.1}, "rate must be a share from 0 to 1, got 1.1"),
        ({"spm_rate": -0.1}, "spm_rate must be .* got -0.1"),
        ({"rate": math.nan}, "got nan"),
        ({"level": "token"}, r"level must be a CutLevel \(token or character\), got 'token'"),
    ],
)
def test_refuses_options_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        FimOptions(**options)
    assert FimOptions(rate=1, spm_rate=0, level=CutLevel.TOKEN).seed == 0


def test_refuses_keys_and_pieces_that_do_not_fit():
    with pytest.raises(ValueError, match="got 1 documents and 2 keys"):
        arrange_tokens(as_segments([[1]]), as_keys([1, 2]), FimOptions(), TOKENS)
    with pytest.raises(ValueError, match="got 2 documents and 1 keys"):
        cut_texts(large_binary([b"a", b"b"]), as_keys([1]), FimOptions())
    orders = np.array([WHOLE, PREFIX_FIRST], np.uint8)
    with pytest.raises(ValueError, match="ask for 4 pieces, got 3"):
        join_pieces(as_segments([[1], [2], [3]]), orders, TOKENS)

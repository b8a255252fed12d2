"""Tokenizers from the files of others: any ``tokenizer.json`` that gives text back exactly."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from tokenizers import Tokenizer

from transforms.tokenizers.definitions import (
    Definition,
    build_tokenizer,
    check_specials_stay_text,
    definition_of,
    special_tokens,
)
from transforms.tokenizers.engines import PROBES

END_OF_TEXT_NAMES = (
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end\u2581of\u2581text|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "</s>",
    "<eos>",
    "<|eos|>",
    "<EOS>",
    "[EOS]",
)
"""What public tokenizers call the token after a document, in the order of preference."""

EVERY_BYTE = "".join(
    map(
        chr,
        itertools.chain(
            range(0x800),
            range(0x800, 0xD800, 0x400),
            range(0xE000, 0x10000, 0x400),
            range(0x10000, 0x110000, 0x4000),
            [0x2581],
        ),
    )
)
"""A text that has every byte that UTF-8 has, and what some tokenizers spell a space as."""

SHOWN = 20
"""Characters around a difference in an error."""


def read_tokenizer(source: Path | str, end_of_text: str | None = None) -> Tokenizer:
    """A tokenizer from a ``tokenizer.json``: the file's path, or its text where a string.

    Ids of texts are those of the file. It adds nothing around texts, cuts and pads none, is
    not random (BPE dropout), and text that spells a special token stays text.

    Raises:
      ValueError: it is no tokenizer, has no end-of-text token (`find_end_of_text`), or may
        not give a text back exactly.
      OSError: the file cannot be read.
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    try:
        definition = json.loads(text)
        definition |= {"post_processor": None, "truncation": None, "padding": None}
        if definition["model"].get("dropout") is not None:
            definition["model"]["dropout"] = None
        tokenizer = build_tokenizer(definition)
    # What the library raises has no type of its own.
    except Exception as error:
        named = source if isinstance(source, Path) else "the text"
        raise ValueError(
            f"{named} is no tokenizer.json of Hugging Face's tokenizers: {error}"
        ) from error
    for token in definition.get("added_tokens") or ():
        found = tokenizer.token_to_id(token["content"])
        if found != token["id"]:
            raise ValueError(
                f"the file gives its added token {token['content']!r} the id {token['id']}, and "
                f"tokenizers {found}, because ids before it are missing: fill the vocabulary"
            )
    check_nothing_is_lost(definition_of(tokenizer))
    find_end_of_text(tokenizer, end_of_text)
    check_specials_stay_text(tokenizer)
    check_exactness(tokenizer)
    return tokenizer


def find_end_of_text(tokenizer: Tokenizer, named: str | None = None) -> str:
    """The name of the special token that ends a document: the given one, or a known one.

    Raises:
      ValueError: the tokenizer has no special token of the given name or of a known one.
    """
    special = special_tokens(tokenizer)
    listed = f"its special tokens are {', '.join(special)}" if special else "it has none"
    if named is not None:
        if named not in special:
            raise ValueError(
                f"end_of_text names {named!r}, which is no special token of the tokenizer; {listed}"
            )
        return named
    known = [name for name in END_OF_TEXT_NAMES if name in special]
    if not known:
        raise ValueError(
            "none of the tokenizer's special tokens is known to end a document: set end_of_text "
            f"to the one that does; {listed}"
        )
    return known[0]


def check_nothing_is_lost(definition: Definition) -> None:
    """Raises ValueError for parts of a tokenizer that change or drop some text, if not any."""
    cure = "choose one without, such as a byte-level BPE"
    if definition["normalizer"] is not None:
        kind = definition["normalizer"]["type"]
        raise ValueError(f"the tokenizer changes text before it encodes it ({kind}): {cure}")
    if drops_text(definition["pre_tokenizer"]):
        raise ValueError(f"the tokenizer cuts text where it drops what it finds: {cure}")
    for token in definition["added_tokens"]:
        if not token["special"] and (token["lstrip"] or token["rstrip"]):
            raise ValueError(
                f"the added token {token['content']!r} takes the space around it away: {cure}"
            )


def drops_text(pre_tokenizer: Definition | None) -> bool:
    """Whether a pre-tokenizer has a part that leaves out what it cuts at."""
    if pre_tokenizer is None:
        return False
    parts = pre_tokenizer.get("pretokenizers", ())
    removes = pre_tokenizer.get("behavior") == "Removed"
    return removes or pre_tokenizer["type"] == "CharDelimiterSplit" or any(map(drops_text, parts))


def check_exactness(tokenizer: Tokenizer) -> None:
    """Raises ValueError if the tokens of a probe do not give it back, naming it and the place.

    Token data that cannot be turned back into its text has lost some of it: tokenizers that
    lower case, normalize Unicode, or have no token for a byte are refused.
    """
    texts = [*PROBES, EVERY_BYTE]
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    decoded = tokenizer.decode_batch(
        [encoding.ids for encoding in encodings], skip_special_tokens=False
    )
    for index, (text, back) in enumerate(zip(texts, decoded, strict=True)):
        if back != text:
            pairs = itertools.zip_longest(text, back)
            place = next(i for i, (given, found) in enumerate(pairs) if given != found)
            shown = slice(max(0, place - SHOWN), place + SHOWN)
            # Escapes, because texts that differ may look the same.
            raise ValueError(
                f"the tokenizer does not give text back exactly: at character {place} of probe "
                f"{index}, {text[shown]!a} comes back as {back[shown]!a}: choose one that neither "
                "normalizes text nor lacks tokens for some of it, such as a byte-level BPE"
            )

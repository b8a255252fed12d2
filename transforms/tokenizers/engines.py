"""Engines that turn texts into token ids: the reference, and a fast one that must equal it."""

from __future__ import annotations

import json
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tokenizers import Tokenizer

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]

PROBES = (
    "",
    " ",
    "\n\n\n",
    "def f(x):\n    return x\n",
    " " * 26 + "x" + " " * 50 + "\t\t\r\n",
    "<|endoftext|>",
    "'s 'S I'll they'RE",
    "Gr\u00fc\u00dfe \u4f60\u597d \U0001f600\u200d\U0001f680 \u00a0\u2003x\u0085y",
    "0123456789" * 9 + "_" * 33 + "!?" * 17,
    "e\u0301\ufeff\u202eab\x00\x01\x7f",
)
"""Texts on which engines are known to differ."""


class Engine(Protocol):
    """Turns texts into token ids; text that spells a special token stays text."""

    @property
    def name(self) -> str:
        """The library that does the work."""

    def encode(self, texts: pa.LargeBinaryArray) -> tuple[Ids, Offsets]:
        """The ids of UTF-8 texts.

        Returns:
          ``ids`` uint32[n] and ``offsets`` int64[texts + 1]: those of text i are
          ``ids[offsets[i]:offsets[i + 1]]``.
        """


class TokenizersEngine:
    """The reference: Hugging Face's ``tokenizers``."""

    name = "tokenizers"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, texts: pa.LargeBinaryArray) -> tuple[Ids, Offsets]:
        """The ids of UTF-8 texts."""
        strings = [value.decode() for value in texts.to_pylist()]
        encodings = self._tokenizer.encode_batch_fast(strings, add_special_tokens=False)
        lists = [encoding.ids for encoding in encodings]
        offsets = np.concatenate(([0], np.cumsum([len(ids) for ids in lists]))).astype(np.int64)
        flat = np.fromiter((token for ids in lists for token in ids), np.uint32, offsets[-1])
        return flat, offsets


class GigatokenEngine:
    """A fast engine of the same tokenizer, on the calling thread."""

    name = "gigatoken"

    def __init__(self, tokenizer: Tokenizer) -> None:
        import gigatoken

        body = json.loads(tokenizer.to_str())
        # Without special tokens there is none that text could spell. Other added tokens are
        # tokens of text.
        body["added_tokens"] = [token for token in body["added_tokens"] if not token["special"]]
        self._engine = gigatoken.Tokenizer.from_json(json.dumps(body))

    def encode(self, texts: pa.LargeBinaryArray) -> tuple[Ids, Offsets]:
        """The ids of UTF-8 texts."""
        if len(texts) == 0:
            return np.zeros(0, np.uint32), np.zeros(1, np.int64)
        encoded = self._engine.encode_batch(texts.to_pylist(), parallel=False).layout
        offsets = np.asarray(encoded.offsets.data).astype(np.int64)
        ids = np.asarray(encoded.content.data)[offsets[0] : offsets[-1]]
        return ids.astype(np.uint32, copy=False), offsets - offsets[0]


def choose_engine(tokenizer: Tokenizer, sample: pa.LargeBinaryArray) -> Engine:
    """The fast engine if it gives the reference's ids on a sample and on probes, else that.

    Probes are `PROBES` and the names of the tokenizer's added tokens between other text.
    """
    reference = TokenizersEngine(tokenizer)
    added = [f"x{token.content}  y" for token in tokenizer.get_added_tokens_decoder().values()]
    probes = [probe.encode() for probe in (*PROBES, *added)]
    texts = pa.concat_arrays([sample, pa.array(probes, pa.large_binary())])
    try:
        fast = GigatokenEngine(tokenizer)
        found = fast.encode(texts)
    except Exception:
        # Whatever keeps the fast engine from working here, the reference works.
        return reference
    expected = reference.encode(texts)
    same = np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])
    return fast if same else reference

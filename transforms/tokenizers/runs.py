"""Tokens for runs of spaces, as Codex added them to GPT-2's (arXiv 2107.03374, section 3.2).

Runs are merges and not added tokens: OpenAI's encoder merges ranks inside the pieces that
the pattern cuts, so a run keeps the spaces of its piece and leaves the last one to the
next word. With every way to split a run as a merge, one that is a piece is one token.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from transforms.compiled import compiled
from transforms.tokenizers.bytelevel import SPACE, extend_merges, why_not_byte_level
from transforms.tokenizers.definitions import build_tokenizer, definition_of

LONGEST_RUN = 25
"""Spaces in the longest run of p50k."""

MAX_LONGEST_RUN = 255
"""Merges grow with the square of the longest run, and a length must fit a byte."""


def add_whitespace_runs(tokenizer: Tokenizer, longest: int = LONGEST_RUN) -> Tokenizer:
    """A tokenizer with a token for each run of 2 to ``longest`` spaces, the rest as it was.

    Text that spells a special token stays text. Lengths that the vocabulary has keep their
    ids; the others get the next free ones, in the order of lengths.

    Raises:
      ValueError: it is not byte-level BPE, its own added tokens or its pre-tokenizer
        divide runs otherwise, or ``longest`` is not from 2 to `MAX_LONGEST_RUN`.
    """
    if not 2 <= longest <= MAX_LONGEST_RUN:
        raise ValueError(
            f"the longest run has {longest} spaces: give 2 to {MAX_LONGEST_RUN}, "
            "or add no runs at all"
        )
    definition = definition_of(tokenizer)
    reason = why_not_byte_level(definition)
    if reason is not None:
        raise ValueError(
            f"runs of spaces need a byte-level BPE tokenizer, such as GPT-2's, and {reason}: "
            "choose another tokenizer or add no runs to it"
        )
    lengths = range(2, longest + 1)
    if _are_added_tokens(tokenizer, lengths):
        return build_tokenizer(definition)
    model = definition["model"]
    present = {tuple(merge) for merge in model["merges"]}
    splits = [(SPACE * a, SPACE * (length - a)) for length in lengths for a in range(1, length)]
    extended = extend_merges(
        definition,
        [SPACE * length for length in lengths if SPACE * length not in model["vocab"]],
        [split for split in splits if split not in present],
    )
    for length in lengths:
        if len(extended.encode(" " * length, add_special_tokens=False).ids) != 1:
            raise ValueError(
                f"the pre-tokenizer cuts a run of {length} spaces, so that merges cannot join "
                "it: choose another tokenizer or add no runs to it"
            )
    return extended


def _are_added_tokens(tokenizer: Tokenizer, lengths: range) -> bool:
    """Whether all runs are added tokens already, which are cut before anything is merged."""
    added = {
        len(token.content)
        for token in tokenizer.get_added_tokens_decoder().values()
        if len(token.content) > 1 and not token.content.strip(" ")
    }
    if not added:
        return False
    if not added.issuperset(lengths):
        longest = next(length for length in range(2, 1 << 30) if length not in added) - 1
        cure = f"give at most {longest} for the longest run, or " if longest > 1 else ""
        raise ValueError(
            f"the tokenizer cuts runs of {', '.join(map(str, sorted(added)))} spaces by added "
            f"tokens, before others could be merged: {cure}add no runs to it"
        )
    return True


def spaces_stay_single(tokenizer: Tokenizer) -> bool:
    """Whether no token is a run of two or more spaces.

    If so, every merge that `add_whitespace_runs` adds makes a new token. No old merge takes
    one, and all old merges go first: the old tokens of a text are those of the tokenizer
    without runs, some single spaces joined. `run_lengths` then counts them from ids.
    """
    return not any(
        len(token) > 1 and (not token.strip(SPACE) or not token.strip(" "))
        for token in tokenizer.get_vocab(with_added_tokens=True)
    )


def run_lengths(base: Tokenizer, with_runs: Tokenizer) -> npt.NDArray[np.uint8]:
    """How many tokens of ``base`` each id of the tokenizer with runs stands for.

    Returns:
      uint8[greatest id + 1], 1 for all but new runs. The sum over the ids of a text is the
      number of tokens that ``base`` gives, if its `spaces_stay_single`; else about that.
    """
    old = base.get_vocab(with_added_tokens=True)
    vocabulary = with_runs.get_vocab(with_added_tokens=True)
    lengths = np.ones(max(vocabulary.values()) + 1, np.uint8)
    for token, token_id in vocabulary.items():
        if token not in old and not token.strip(SPACE):
            run = base.encode(" " * len(token), add_special_tokens=False)
            lengths[token_id] = len(run.ids)
    return lengths


def count_without_runs(ids: npt.NDArray[np.uint32], lengths: npt.NDArray[np.uint8]) -> int:
    """How many tokens some ids are without runs, by the ``lengths`` of `run_lengths`.

    Raises:
      ValueError: an id is not in the vocabulary.
    """
    if ids.size and ids.max() >= lengths.size:
        raise ValueError(f"ids must be below {lengths.size}, got {ids.max()}")
    return int(_sum_lengths(ids, lengths))


@compiled
def _sum_lengths(ids: npt.NDArray[np.uint32], lengths: npt.NDArray[np.uint8]) -> int:
    total = 0
    for token in ids:
        total += lengths[token]
    return total

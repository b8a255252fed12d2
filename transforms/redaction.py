"""Redaction: spans of secrets replaced by a word for their class, all else as it was."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.secrets import SecretClass, SecretKind, secret_class
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.compiled import compiled

PLACEHOLDERS = {
    SecretClass.KEY: b"<KEY>",
    SecretClass.EMAIL: b"<EMAIL>",
    SecretClass.IP_ADDRESS: b"<IP_ADDRESS>",
}
"""What stands in the place of a secret: the same everywhere, so that no order matters."""

_CLASSES = tuple(SecretClass)
_WORDS = np.frombuffer(b"".join(PLACEHOLDERS[name] for name in _CLASSES), np.uint8)
_WORD_ENDS = np.cumsum([0, *(len(PLACEHOLDERS[name]) for name in _CLASSES)])
_CLASS_OF = {str(kind): _CLASSES.index(secret_class(kind)) for kind in SecretKind}

Integers = npt.NDArray[np.int64]


def redact_texts(
    texts: pa.LargeBinaryArray, spans: pa.ListArray, classes: Collection[str]
) -> tuple[pa.LargeBinaryArray, dict[SecretClass, int]]:
    """Texts with the spans of some classes replaced, and how many of each class were.

    Args:
      texts: the UTF-8 texts that the spans were found in.
      spans: the column ``spans`` of ``attributes/secrets``, one list for each text.
      classes: the classes to replace.

    Returns:
      The array itself where nothing is to be replaced.

    Raises:
      ValueError: the spans cannot be of these texts.
    """
    if len(spans) != len(texts):
        raise ValueError(f"{len(texts)} texts have spans for {len(spans)}")
    rows, starts, ends, codes = _chosen(spans, classes)
    counts = {
        name: int((codes == code).sum()) for code, name in enumerate(_CLASSES) if name in classes
    }
    if not rows.size:
        return texts, counts
    data, offsets = binary_buffers(texts)
    _check(offsets, rows, starts, ends)
    lengths = np.diff(offsets)
    change = np.diff(_WORD_ENDS)[codes] - (ends - starts)
    np.add.at(lengths, rows, change)
    after = np.concatenate([[0], np.cumsum(lengths)])
    redacted = np.empty(after[-1], np.uint8)
    _replace(data, redacted, offsets[rows] + starts, offsets[rows] + ends, codes, offsets)
    buffers = [None, pa.py_buffer(after), pa.py_buffer(redacted)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(texts), buffers), counts


def _chosen(
    spans: pa.ListArray, classes: Collection[str]
) -> tuple[Integers, Integers, Integers, Integers]:
    """Row, start, end and class of each span of some classes, in order."""
    values = spans.flatten()
    rows = np.repeat(np.arange(len(spans)), spans.value_lengths().to_numpy())
    kinds = values.field("kind").dictionary_encode()
    of_kind = np.array([_CLASS_OF[kind] for kind in kinds.dictionary.to_pylist()], np.int64)
    codes = of_kind[kinds.indices.to_numpy()]
    wanted = np.isin(codes, [_CLASSES.index(SecretClass(name)) for name in classes])
    starts, ends = (values.field(name).to_numpy() for name in ("start", "end"))
    return rows[wanted], starts[wanted], ends[wanted], codes[wanted]


def _check(offsets: Offsets, rows: Integers, starts: Integers, ends: Integers) -> None:
    lengths = np.diff(offsets)[rows]
    bad = (starts < 0) | (starts >= ends) | (ends > lengths)
    bad[1:] |= (rows[1:] == rows[:-1]) & (starts[1:] < ends[:-1])
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"span {starts[place]}-{ends[place]} of row {rows[place]} cannot be of its text of "
            f"{lengths[place]} bytes: the secrets were found in other text. Annotate again."
        )


@compiled
def _replace(
    data: Bytes,
    redacted: Bytes,
    starts: Integers,
    ends: Integers,
    codes: Integers,
    offsets: Offsets,
) -> None:
    source = offsets[0]
    target = 0
    for index in range(starts.size):
        size = starts[index] - source
        redacted[target : target + size] = data[source : source + size]
        target += size
        for place in range(_WORD_ENDS[codes[index]], _WORD_ENDS[codes[index] + 1]):
            redacted[target] = _WORDS[place]
            target += 1
        source = ends[index]
    size = offsets[-1] - source
    redacted[target : target + size] = data[source : source + size]

"""Secrets and personal data in texts: candidates from one pass, each judged by its format.

The pass over the bytes is a kernel; what it finds is rare, and is judged in Python one by
one at a bounded cost. Where two spans overlap, a key comes before an address.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.secrets import COUNT_COLUMNS, SECRETS, SPAN, SecretClass, SecretKind, secret_class
from transforms.annotate.secrets.assignments import MAX_NAME_BYTES, has_variety
from transforms.annotate.secrets.candidates import Family, find_candidates
from transforms.annotate.secrets.domains import RESOLVERS, is_somebodys
from transforms.annotate.secrets.providers import (
    PEM_DASHES,
    PLACEHOLDER,
    RULES,
    Rule,
    private_key_end,
)
from transforms.buffers import Bytes, binary_buffers

_KINDS = tuple(SecretKind)
_CLASSES = tuple(SecretClass)
_CLASS_OF = np.array([_CLASSES.index(secret_class(kind)) for kind in _KINDS], np.int64)
# Where two spans overlap, the lower rank stays: known keys, other keys, addresses.
_GUESSED = (SecretKind.URL_PASSWORD, SecretKind.GENERIC_KEY)
_RANK = np.array([2 * _CLASS_OF[n] + (kind in _GUESSED) for n, kind in enumerate(_KINDS)])
_CODE = {kind: code for code, kind in enumerate(_KINDS)}

_KEY_NAME = re.compile(
    rb"(?i)(?:(?:api|access|account|admin|app|application|auth|client|consumer|crypto|"
    rb"encryption|hmac|jwt|license|master|private|secret|server|service|session|shared|signing|"
    rb"storage|write)[_.-]?key|secret|token|passw(?:or)?d|pwd|passphrase|credentials?|auth|"
    rb"authorization)$"
)
_NO_KEY_NAME = re.compile(rb"(?i)hash|digest|public|page|next|cursor|continuation|sync")
_NAME = re.compile(rb"[\w.-]+")
_TEST = re.compile(rb"(?i)test")
_TEMPLATE = re.compile(rb"\A[$%]|\$\{|\$\(\w+\)|%\(\w+\)|[{}<>]|\*\*\*|\.\.\.")
_NO_PASSWORD = re.compile(
    rb"(?i)(?:my|your|the|some|user|db|test)?[_-]?(?:p|pw|pwd|pass|passwd|password|passphrase|"
    rb"secret|token|key|apikey|api[_-]key|port|test|guest|root|admin|user|username|x+|changeme|"
    rb"foo|bar|tiger)[0-9]{0,3}"
)
_NO_HOST = re.compile(
    rb"(?i)(?:localhost|127\.0\.0\.1|\[?::1\]?|0\.0\.0\.0|host(?:name)?|(?:[\w-]+\.)*example"
    rb"(?:\.\w+)?)(?![\w.-])"
)
_VERSION = re.compile(rb"(?i)version|\bver\b|release|\boid\b|section|build")
_MIN_PASSWORD_BYTES = 3
_VERSION_CONTEXT_BYTES = 40


class _Hit(NamedTuple):
    kind: SecretKind
    start: int
    end: int


class _Text(NamedTuple):
    """One text inside of the buffer of all."""

    data: Bytes
    view: memoryview
    begin: int
    end: int

    def slice(self, start: int, end: int) -> bytes:
        return bytes(self.view[max(start, self.begin) : min(end, self.end)])


def find_secrets(texts: pa.LargeBinaryArray) -> pa.RecordBatch:
    """The secrets and personal data in UTF-8 texts, in the schema of ``attributes/secrets``."""
    data, offsets = binary_buffers(texts)
    view = memoryview(data.data)
    bounds = offsets.tolist()
    found: list[tuple[int, int, int, int]] = []
    for row, family, start, end, context in find_candidates(data, offsets).tolist():
        begin = bounds[row]
        text = _Text(data, view, begin, bounds[row + 1])
        hit = _judge(text, family, start, end, context)
        if hit is not None:
            found.append((row, _CODE[hit.kind], hit.start - begin, hit.end - begin))
    hits = np.array(found, np.int64).reshape(-1, 4)
    return _record_batch(_without_overlaps(hits), len(texts))


def _judge(text: _Text, family: int, start: int, end: int, context: int) -> _Hit | None:
    if family == Family.EMAIL:
        somebodys = is_somebodys(text.slice(start, end))
        return _Hit(SecretKind.EMAIL, start, end) if somebodys else None
    if family == Family.IP_ADDRESS:
        return _judge_ip(text, start, end)
    if family == Family.URL_PASSWORD:
        return _judge_url(text, start, end, context)
    if family == Family.ASSIGNMENT:
        return _judge_assignment(text, start, end, context)
    if family == Family.PRIVATE_KEY:
        return _judge_private_key(text, start)
    return _judge_provider(text, RULES[family - Family.PROVIDER], start)


def _judge_ip(text: _Text, start: int, end: int) -> _Hit | None:
    if text.slice(start, end).lower() in RESOLVERS:
        return None
    line = text.slice(start - _VERSION_CONTEXT_BYTES, start).rpartition(b"\n")[2]
    return None if _VERSION.search(line) else _Hit(SecretKind.IP_ADDRESS, start, end)


def _judge_url(text: _Text, start: int, end: int, user: int) -> _Hit | None:
    password = text.slice(start, end)
    if len(password) < _MIN_PASSWORD_BYTES or password == text.slice(user, start - 1):
        return None
    if _TEMPLATE.search(password) or PLACEHOLDER.search(password):
        return None
    if _NO_PASSWORD.fullmatch(password) or _NO_HOST.match(text.slice(end + 1, end + 64)):
        return None
    return _Hit(SecretKind.URL_PASSWORD, start, end)


def _judge_assignment(text: _Text, start: int, end: int, name_start: int) -> _Hit | None:
    name = _NAME.match(text.slice(name_start, name_start + MAX_NAME_BYTES))
    if name is None or not _KEY_NAME.search(name[0]) or _NO_KEY_NAME.search(name[0]):
        return None
    value = text.slice(start, end)
    if PLACEHOLDER.search(value) or _TEST.search(value) or _TEMPLATE.search(value):
        return None
    return _Hit(SecretKind.GENERIC_KEY, start, end)


def _judge_private_key(text: _Text, place: int) -> _Hit | None:
    start = place - PEM_DASHES
    if text.slice(start, place) != b"-" * PEM_DASHES:
        return None
    end = private_key_end(text.view, place, text.end)
    return _Hit(SecretKind.PRIVATE_KEY, start, end) if end >= 0 else None


def _judge_provider(text: _Text, rule: Rule, start: int) -> _Hit | None:
    match = rule.pattern.match(text.view, start, text.end)
    if match is None:
        return None
    key = match[0]
    if PLACEHOLDER.search(match[1]) or not rule.check(key):
        return None
    if not has_variety(text.data, match.start(1), match.end(1)):
        return None
    return _Hit(rule.kind, start, match.end())


def _without_overlaps(hits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Hits in order; of two that overlap the one of lower rank, or else the first."""
    ordered = hits[np.lexsort((hits[:, 2], hits[:, 0]))]
    kept: list[list[int]] = []
    for hit in ordered.tolist():
        if kept and kept[-1][0] == hit[0] and hit[2] < kept[-1][3]:
            if _RANK[hit[1]] >= _RANK[kept[-1][1]]:
                continue
            kept.pop()
        kept.append(hit)
    return np.array(kept, np.int64).reshape(-1, 4)


def _record_batch(hits: npt.NDArray[np.int64], rows: int) -> pa.RecordBatch:
    ends = np.searchsorted(hits[:, 0], np.arange(rows + 1)).astype(np.int32)
    kinds = pa.array(_KINDS, pa.string()).take(pa.array(hits[:, 1]))
    spans = pa.StructArray.from_arrays(
        [pa.array(hits[:, 2]), pa.array(hits[:, 3]), kinds], fields=list(SPAN)
    )
    listed = pa.ListArray.from_arrays(pa.array(ends), spans, type=SECRETS.field("spans").type)
    classes = _CLASS_OF[hits[:, 1]]
    counts = [
        pa.array(np.bincount(hits[classes == code, 0], minlength=rows).astype(np.int64))
        for code in map(_CLASSES.index, COUNT_COLUMNS)
    ]
    return pa.RecordBatch.from_arrays([listed, *counts], schema=SECRETS)

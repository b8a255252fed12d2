"""The license that a license file states.

A tag decides. Else the texts and notices in the file do, up to where it turns to the
licenses of others ("this product bundles ..."); several of them are a choice where the
words between them say so ("either", "at your option", "dual"), else all of them hold.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence

from transforms.crawl.licenses.findings import LicenseFinding
from transforms.crawl.licenses.matching import Region, find_regions
from transforms.crawl.licenses.names import license_named, license_titled, licenses_mentioned
from transforms.crawl.licenses.tags import find_tag
from transforms.license_expressions import UNKNOWN_LICENSE, join_expressions

MAX_TEXT_BYTES = 1 << 16
"""What is read of a license file: the AGPL has 35 kB."""

_MAX_NAME_CHARACTERS = 100
_MAX_POINTER_CHARACTERS = 600
_MIN_TERMS_WORDS = 20
# A text begins with its own license; with so many words before the first one that is known,
# that one may be of something else, and is where it makes up less of the text than the rest.
_MAX_PREFACE_WORDS = 80
_DOUBTFUL = 0.4
_MOSTLY_KNOWN = 0.75
_OTHERS = re.compile(
    r"\b(?:third[- ]part(?:y|ies)|bundle[sd]?|bundling|vendored|sub-?components?"
    r"|(?:some|small|other)? *(?:portions|parts) of|derived from|incorporates?|dependencies"
    r"|includes? (?:\w+ ){0,3}(?:code|software|works?|files?|librar\w+|data|components?|modules?)"
    r"|following (?:\w+ ){0,2}(?:components?|files?|librar\w+|software|packages?|modules?)"
    r"|other (?:files|components|licen[sc]es))\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\b(?:either (?:of|licen|the|an?)\b|(?:dual|tri)(?:ly)?[- ]+licen|at your option|your choice"
    r"|of your choosing|choose (?:between|either|one|which|to)|alternatively"
    r"|(?:any|one) of the (?:following|licen[sc]es|two|three))",
    re.IGNORECASE,
)
_POINTER = re.compile(r"\b(?:LICEN[SC]E|COPYING)S?[-./]\w|\bsee\b", re.IGNORECASE)
_CLASSPATH = "Classpath-exception-2.0"
_LINKING = re.compile(r"link\s+this\s+library\s+with\s+independent\s+modules")
# What a license text is followed by that adds to its permissions.
_EXCEPTIONS = (
    ("Apache-2.0", re.compile(r"LLVM Exceptions? to the Apache"), "LLVM-exception"),
    ("GPL-2.0-only", _LINKING, _CLASSPATH),
    ("GPL-2.0-or-later", _LINKING, _CLASSPATH),
)
_GNU_ENDING = re.compile(r"-(?:only|or-later)\Z")
_RULER = re.compile(r"[-=*_#~+]{3,}")


_UNRECOGNIZED = LicenseFinding(UNKNOWN_LICENSE, "file", 0.0)


def find_in_license_file(content: bytes) -> LicenseFinding | None:
    """What a license file says; evidence is left to who knows its path.

    A text that says something, but nothing known, is `LicenseRef-unknown` with confidence
    0; None is for what says nothing: no text, or a few words that point elsewhere.
    """
    text = decode_text(content)
    if text is None:
        return None
    regions = find_regions(text)
    own = text[: _own_end(text, regions)]
    tag = find_tag(own)
    if tag is not None:
        return tag
    return _state(own, [region for region in regions if region.end <= len(own)])


def decode_text(content: bytes) -> str | None:
    """The beginning of a license file as text; None where it is not text."""
    head = content[:MAX_TEXT_BYTES]
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace").replace("\0", " ")
    if b"\0" in head:
        return None
    return head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")


def combine(names: Iterable[str], between: str) -> str:
    """The expression of licenses found together, given the words between them.

    Of a GNU license's text and its notice the first decides: the text ends with a notice to
    copy, and a notice that stands before the text says which versions hold.
    """
    distinct: dict[str, str] = {}
    for name in names:
        distinct.setdefault(_GNU_ENDING.sub("", name), name)
    if "LGPL-3.0" in distinct:
        # It is written as an addition to the GPL, whose text goes with it.
        distinct.pop("GPL-3.0", None)
    return join_expressions(list(distinct.values()), "OR" if offers_choice(between) else "AND")


def offers_choice(words: str) -> bool:
    """Whether words around licenses say that one of them may be chosen."""
    return _CHOICE.search(words) is not None


def _own_end(text: str, regions: Sequence[Region]) -> int:
    """Where a license file turns to the licenses of others; never before its first license."""
    ends = [*(region.start for region in regions[1:]), len(text)]
    for region, end in zip(regions, ends, strict=False):
        others = _OTHERS.search(text, region.end, end)
        if others is not None:
            return others.start()
    return len(text)


def _state(text: str, regions: Sequence[Region]) -> LicenseFinding | None:
    stated = [region for region in regions if not region.is_link]
    between = _outside(text, stated)
    if stated:
        names = (_with_exception(region.license, text) for region in stated)
        expression = combine(names, between)
        confidence = _confidence(text, between)
        preface = len(text[: stated[0].start].split(maxsplit=_MAX_PREFACE_WORDS))
        if preface <= _MAX_PREFACE_WORDS:
            return _finding(expression, confidence)
        if confidence >= _MOSTLY_KNOWN:
            return _finding(expression, _DOUBTFUL)
        return _unrecognized(text)
    named = license_named(text) if len(text) <= _MAX_NAME_CHARACTERS else None
    if named is not None:
        return _finding(named, 0.8)
    mentioned = list(licenses_mentioned(text[:_MAX_POINTER_CHARACTERS]))
    mentioned = mentioned or [region.license for region in regions]
    if mentioned and len(text) <= 4 * _MAX_POINTER_CHARACTERS:
        return _finding(combine(mentioned, text), 0.6)
    return _unrecognized(text)


def _with_exception(name: str, text: str) -> str:
    for base, words, exception in _EXCEPTIONS:
        if name == base and words.search(text):
            return f"{name} WITH {exception}"
    return name


def _unrecognized(text: str) -> LicenseFinding | None:
    title = license_titled(text)
    if title is not None:
        return _finding(title, 0.7)
    if len(text) <= _MAX_POINTER_CHARACTERS and _POINTER.search(text):
        return None
    if len(text.split(maxsplit=_MIN_TERMS_WORDS)) <= _MIN_TERMS_WORDS:
        return None
    return _UNRECOGNIZED


def _outside(text: str, regions: Sequence[Region]) -> str:
    pieces: list[str] = []
    last = 0
    for region in regions:
        pieces.append(text[last : region.start])
        last = region.end
    return "\n".join([*pieces, text[last:]])


def _confidence(text: str, outside: str) -> float:
    """How much of a text is known text of licenses; half of that is sure by itself."""
    said = len(_RULER.sub("", outside).split())
    return round(0.5 + 0.5 * max(0.0, 1 - said / max(len(text.split()), 1)), 2)


def _finding(expression: str, confidence: float) -> LicenseFinding:
    return LicenseFinding(expression, "file", confidence)

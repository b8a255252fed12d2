"""The license that a source file states itself: by a tag, or by a notice near its top.

Files without any are told apart by searches for a few words in their first bytes. The
comment that holds such a word is cut out and matched; notices repeat over the files of a
repository, and a comment that was met before costs a look-up.
"""

from __future__ import annotations

import re
from itertools import pairwise

from transforms.crawl.licenses.findings import HEADER, LicenseFinding
from transforms.crawl.licenses.matching import Region, find_regions
from transforms.crawl.licenses.names import licenses_mentioned
from transforms.crawl.licenses.tags import MARK, find_tag
from transforms.crawl.licenses.texts import combine, offers_choice

MAX_HEAD_BYTES = 4096
MAX_NOTICE_BYTES = 3072

_MARK = MARK.encode()
# Each notice has one of these: "license", "Permission", "Redistribution", "public domain".
_WORDS = (b"icens", b"ICENS", b"icenc", b"ermission ", b"edistribution ", b"ublic domain")
_LINE_COMMENT = re.compile(rb"[ \t]*(#|//|\*(?!/)|;|--|%|\.\.|dnl\b|REM\b)")
_BLOCK_ENDS = re.compile(rb'"""|\'\'\'|\*/|-->|\*\)|-\}')
_MIN_NOTICE_CHARACTERS = 60


def find_in_header(content: bytes) -> LicenseFinding | None:
    """What a source file says of its license in its first `MAX_HEAD_BYTES` bytes, if anything."""
    head = content[:MAX_HEAD_BYTES]
    places = [place for word in _WORDS if (place := head.find(word)) >= 0]
    if not places:
        return None
    if _MARK in head:
        tag = find_tag(head.decode("utf-8", "replace"))
        if tag is not None:
            return tag
    notice = _notice(content[: MAX_HEAD_BYTES + MAX_NOTICE_BYTES], min(places))
    return _state(notice.decode("utf-8", "replace")) if notice else None


def _notice(head: bytes, place: int) -> bytes:
    """The comment or string around a place, from the paragraph that the place is in.

    Empty where the place is in code.
    """
    start = head.rfind(b"\n", 0, place) + 1
    comment = _LINE_COMMENT.match(head, start)
    if comment is not None:
        prefix = comment[1]
        start = _paragraph_start(head, start, prefix)
        return _run_of_lines(head[start : start + MAX_NOTICE_BYTES], prefix)
    opened = _opening(head, place)
    if opened < 0:
        return b""
    blank = max(head.rfind(b"\n\n", opened, place), head.rfind(b"\n\r\n", opened, place))
    start = max(opened, blank)
    end = _BLOCK_ENDS.search(head, place)
    stop = end.start() if end is not None else len(head)
    return head[start : min(stop, start + MAX_NOTICE_BYTES)]


def _opening(head: bytes, place: int) -> int:
    """Where the string or comment that holds a place begins; -1 where none does."""
    openings = (b'"""', b"'''", b"/*", b"<!--", b"(*", b"{-", b"=begin", b"=pod")
    opened = max(head.rfind(mark, 0, place) for mark in openings)
    if opened < 0:
        return -1
    # An odd one is open, an even one closed the string that it ends.
    mark = head[opened : opened + 3]
    if mark in (b'"""', b"'''") and head.count(mark, 0, place) % 2 == 0:
        return -1
    closings = (b"*/", b"-->", b"*)", b"-}", b"=end", b"=cut")
    closed = max(head.rfind(closing, opened + 2, place) for closing in closings)
    return -1 if closed >= 0 else opened


def _paragraph_start(head: bytes, start: int, prefix: bytes) -> int:
    """Goes up from a line of a comment to the first one of its paragraph."""
    while start > 0:
        above = head.rfind(b"\n", 0, start - 1) + 1
        line = head[above : start - 1].strip()
        if not line.startswith(prefix) or not line.strip(prefix + b" \t\r"):
            break
        start = above
    return start


def _run_of_lines(text: bytes, prefix: bytes) -> bytes:
    lines: list[bytes] = []
    for line in text.split(b"\n"):
        bare = line.strip()
        if not bare.startswith(prefix) or bare.startswith(b"*/"):
            break
        lines.append(bare.removesuffix(b"*/").lstrip(prefix))
    return b"\n".join(lines)


def _state(notice: str) -> LicenseFinding | None:
    regions = find_regions(notice)
    stated = [region for region in regions if _is_notice(region)]
    if stated:
        names, between, confidence = [one.license for one in stated], _around(notice, stated), 0.95
    else:
        names, between, confidence = list(licenses_mentioned(notice)), notice, 0.8
    if len(set(names)) == 1 and offers_choice(between):
        # The others of the choice are not known here; license files may say.
        return None
    if names:
        return LicenseFinding(combine(names, between), HEADER, confidence)
    links = [region.license for region in regions if region.is_link]
    # An address alone may be that of any license that the text is about; that of a Creative
    # Commons license is most often about data or pictures.
    if len(links) == 1 and "icens" in notice and not links[0].startswith("CC-"):
        return LicenseFinding(links[0], HEADER, 0.6)
    return None


def _is_notice(region: Region) -> bool:
    return not region.is_link and region.end - region.start >= _MIN_NOTICE_CHARACTERS


def _around(notice: str, regions: list[Region]) -> str:
    """What a notice says around the licenses in it."""
    pieces = [notice[: regions[0].start]]
    for region, following in pairwise(regions):
        pieces.append(notice[region.end : following.start])
    return "\n".join([*pieces, notice[regions[-1].end :]])

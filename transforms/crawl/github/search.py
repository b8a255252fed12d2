"""Searches of more repositories than GitHub gives for one query.

It gives the first 1,000. So a query that finds more is asked in halves, by the time at
which repositories were created, until each part has at most 1,000. The time that is
halved does not depend on today, so that the parts, and with them the pages in the
cache, are the same each time.

A query that takes GitHub too long is answered with ``incomplete_results``. It is asked
once more, and then in halves too, which take less time each. Where a part of one day is
still incomplete the listing fails: a list that lacks some for no reason that one can
name would not be the same the next time.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

from schemas.failures import Reason
from transforms.crawl.github.pages import PER_PAGE, Pages
from transforms.crawl.github.repositories import Repository
from transforms.crawl.source import CrawlError

MAX_FOUND = 1000
_SECOND = datetime.timedelta(seconds=1)
_DAY = datetime.timedelta(days=1)
_TOO_MANY = f"finds more than {MAX_FOUND:,} repositories"
_INCOMPLETE = "takes GitHub longer than it gives a search"
_CREATED = re.compile(r"(?:^|\s)created:(\S+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Span(NamedTuple):
    """A time of creation: from the first to the last second, both included."""

    first: datetime.datetime
    last: datetime.datetime

    def halves(self) -> tuple[Span, Span]:
        """The earlier and the later half."""
        seconds = (self.last - self.first) // _SECOND
        middle = self.first + seconds // 2 * _SECOND
        return Span(self.first, middle), Span(middle + _SECOND, self.last)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%dT%H:%M:%SZ}..{self.last:%Y-%m-%dT%H:%M:%SZ}"


EVER = Span(
    # Before GitHub was; and a long time from now, which costs a few queries that find nothing.
    datetime.datetime(2007, 10, 1, tzinfo=datetime.UTC),
    datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC) - _SECOND,
)


def parse_query(query: str) -> tuple[str, Span]:
    """A query without its ``created:``, and the time that this gives.

    Raises ValueError where there are several of them or one is no time.
    """
    given = _CREATED.findall(query)
    if len(given) > 1:
        raise ValueError(f"{query!r} has more than one created:")
    rest = " ".join(_CREATED.sub(" ", query).split())
    return rest, _parse_span(given[0]) if given else EVER


def search(pages: Pages, query: str) -> Iterator[Repository]:
    """All repositories that a query finds, perhaps some of them twice; raises `CrawlError`."""
    rest, whole = parse_query(query)
    waiting = [whole]
    while waiting:
        span = waiting.pop()
        text = rest if span == EVER else f"{rest} created:{span}".strip()
        problem = yield from _read_part(pages, text)
        if problem:
            smallest = _SECOND if problem == _TOO_MANY else _DAY
            if span.last - span.first < smallest:
                detail = f"the search {text!r} {problem}; make its query narrower"
                raise CrawlError(Reason.UNREACHABLE, detail)
            waiting += reversed(span.halves())


def _read_part(pages: Pages, query: str) -> Generator[Repository, None, str]:
    """Gives the repositories of a part; says why where these are not all that it finds."""
    for number in range(1, MAX_FOUND // PER_PAGE + 1):
        page = pages.search(query, number)
        if not page.is_complete:
            page = pages.search(query, number)
        if page.total > MAX_FOUND:
            return _TOO_MANY
        if not page.is_complete:
            return _INCOMPLETE
        yield from page.repositories
        if not page.has_next:
            break
    return ""


def _parse_span(text: str) -> Span:
    """The time of ``created:``, which is a moment, a comparison or a range."""
    low, dots, high = text.partition("..")
    if dots:
        first = EVER.first if low == "*" else _parse_moment(low).first
        last = EVER.last if high == "*" else _parse_moment(high).last
    elif text.startswith(">"):
        moment = _parse_moment(text.lstrip(">="))
        first = moment.first if text.startswith(">=") else moment.last + _SECOND
        last = EVER.last
    elif text.startswith("<"):
        moment = _parse_moment(text.lstrip("<="))
        last = moment.last if text.startswith("<=") else moment.first - _SECOND
        first = EVER.first
    else:
        first, last = _parse_moment(text)
    if first > last:
        raise ValueError(f"created:{text} holds no time at all")
    return Span(first, last)


def _parse_moment(text: str) -> Span:
    """A day, or a second of it; in UTC where it says nothing else."""
    try:
        moment = datetime.datetime.fromisoformat(text).replace(microsecond=0)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"created: is followed by {text!r}, which is no date such as 2024-05-06"
        ) from None
    return Span(moment, moment + _DAY - _SECOND if _DATE.fullmatch(text) else moment)

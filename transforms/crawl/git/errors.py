"""What git's messages mean: it has one exit status for every kind of failure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.failures import Reason
from transforms.crawl.git.urls import without_credentials
from transforms.crawl.retries import PassingError
from transforms.crawl.source import CrawlError

_MAX_DETAIL = 300

# The first match counts, so the certain signs stand before those that git also gives
# as a consequence of others. Messages of git, curl and ssh in the locale C.
_MEANINGS: Sequence[tuple[Reason, re.Pattern[str]]] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (Reason.REQUEST_REFUSED, r"transport '.*' not allowed|unable to find remote helper"),
        (
            Reason.NOT_FOUND,
            r"repository .*not found|couldn't find remote ref|not our ref|unadvertised object"
            r"|does not appear to be a git repo|repository not exported|no such repository"
            r"|no such file or directory|error: 404|expected commit type|needed a single revision",
        ),
        (
            Reason.ACCESS_DENIED,
            r"authentication failed|could not read (?:username|password)|permission denied"
            r"|access denied|error: 40[13]|host key verification failed|dubious ownership",
        ),
        (
            Reason.UNREACHABLE,
            r"could not resolve|unable to look up|connection|timed? ?out|operation too slow"
            r"|unable to (?:access|connect)|hung up|early eof|unexpected disconnect|rpc failed"
            r"|could not read from remote|network is unreachable",
        ),
        (
            Reason.CORRUPT_REPOSITORY,
            r"index-pack|pack|inflate|corrupt|bad (?:object|tree|line)|mismatch|not a valid"
            r"|missing (?:blob|tree|commit)|unable to read|protocol error|bad band",
        ),
    )
)


def explain(stderr: str) -> CrawlError | PassingError:
    """The error that git's messages stand for; one that may pass is a `PassingError`."""
    reason = next(
        (reason for reason, pattern in _MEANINGS if pattern.search(stderr)), Reason.UNREACHABLE
    )
    detail = _telling_line(stderr)
    return PassingError(detail) if reason is Reason.UNREACHABLE else CrawlError(reason, detail)


def _telling_line(stderr: str) -> str:
    """The last line that reports an error; after it, git may still give general advice."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR", "ssh:"))]
    last = (telling or lines or ["git failed without a word"])[-1]
    return without_credentials(last)[:_MAX_DETAIL].rstrip(":")

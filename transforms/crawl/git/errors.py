"""What git's messages mean: it has one exit status for every kind of failure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.failures import Reason
from transforms.crawl.git.urls import without_credentials
from transforms.crawl.source import CrawlError
from transforms.web.retries import PassingError

_MAX_DETAIL = 300
# The words of a URL say nothing of what went wrong.
_QUOTED_URL = re.compile(r"'[^'\s]*://[^'\s]*'")

# The first match counts, so the certain signs stand before those that git also gives
# as a consequence of others. Messages of git, curl and ssh in the locale C. Where there
# is no reason, it may pass.
_MEANINGS: Sequence[tuple[Reason | None, re.Pattern[str]]] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (
            Reason.REQUEST_REFUSED,
            r"transport '.*' not allowed|unable to find remote helper"
            r"|protocol .* (?:not supported|disabled)",
        ),
        (Reason.NO_COMMIT, r"couldn't find remote ref HEAD\b"),
        (
            Reason.REPOSITORY_TOO_LARGE,
            r"out of memory|cannot allocate memory|unable to create threaded|mmap failed",
        ),
        (
            Reason.NOT_FOUND,
            r"repository .*not found|couldn't find remote ref|not our ref|unadvertised object"
            r"|does not appear to be a git repo|repository not exported|no such repository"
            r"|no such file or directory|error: 4(?:04|10)|is this a git repository"
            # A name of one hash in a repository of the other.
            r"|mismatched algorithms",
        ),
        (
            Reason.ACCESS_DENIED,
            r"authentication failed|could not read (?:username|password)|permission denied"
            r"|access denied|error: 40[137]|host key verification failed|dubious ownership",
        ),
        (
            Reason.UNREACHABLE,
            r"certificate (?:problem|verif)|peer certificate|dumb http transport"
            r"|does not support (?:shallow|protocol)|unexpected service"
            r"|error: (?:3\d\d|4(?!08|25|29)\d\d)",
        ),
        (
            None,
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
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for reason, pattern in _MEANINGS:
        decisive = [line for line in lines if pattern.search(_QUOTED_URL.sub("URL", line))]
        if decisive:
            detail = _telling_line(decisive)
            return PassingError(detail) if reason is None else CrawlError(reason, detail)
    return PassingError(_telling_line(lines or ["git failed without a word"]))


def _telling_line(lines: Sequence[str]) -> str:
    """The last line that reports an error; after it, git may still give general advice."""
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR", "ssh:"))]
    return without_credentials((telling or lines)[-1])[:_MAX_DETAIL].rstrip(":")

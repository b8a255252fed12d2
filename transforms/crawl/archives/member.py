"""What an archive is made of, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.failures import Reason
from transforms.crawl.source import RejectedFile, SourceFile


@dataclass(frozen=True)
class Member:
    """Anything in an archive but a folder.

    ``read`` works once, until the next member is asked for: ``read(n)`` gives all of the
    file, or None where it has more than ``n`` bytes. ``problem`` is why there is nothing
    to read; then it must not be called.
    """

    path: str
    read: Callable[[int], bytes | None]
    problem: Reason | None = None
    detail: str = ""


def read_member(member: Member, max_file_bytes: int) -> SourceFile | RejectedFile:
    """A member as a source gives it out."""
    if member.problem is not None:
        return RejectedFile(member.path, member.problem, member.detail)
    content = member.read(max_file_bytes)
    if content is None:
        detail = f"more than {max_file_bytes:,} bytes"
        return RejectedFile(member.path, Reason.FILE_TOO_LARGE, detail)
    return SourceFile(member.path, content)


def unreadable(_max_bytes: int) -> bytes | None:
    """What members with a problem have in the place of a reader; raises ValueError."""
    raise ValueError("a member with a problem has no content")

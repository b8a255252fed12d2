"""What an object store refuses, in one line with the cure."""

from __future__ import annotations

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def is_disk_full(error: BaseException) -> bool:
    """Whether nothing more can be written, whatever it is about."""
    return isinstance(error, OSError) and error.errno in _FULL


class StoreError(OSError):
    """An object store cannot do what was asked; the message says why and what to do."""


class MissingObjectError(StoreError, FileNotFoundError):
    """There is no object of this name."""


class PassingError(StoreError):
    """A store does not answer, or fails; that may be otherwise in a moment."""


class BusyObjectError(StoreError):
    """An object is not what it was a moment ago: somebody else has written it."""

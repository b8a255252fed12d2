"""What an object store refuses, in one line with the cure."""

from __future__ import annotations


class StoreError(OSError):
    """An object store cannot do what was asked; the message says why and what to do."""


class MissingObjectError(StoreError, FileNotFoundError):
    """There is no object of this name."""


class PassingError(StoreError):
    """A store does not answer, or fails; that may be otherwise in a moment."""


class BusyObjectError(StoreError):
    """An object is not what it was a moment ago: somebody else has written it."""

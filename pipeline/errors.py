"""Errors that a user can act on: one or two lines that say what is wrong and what to do."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right. The message says how."""

    exit_status = 1


class UsageError(UserError):
    """The call or the configuration is wrong."""

    exit_status = 2


class StageError(UserError):
    """A stage ran and failed; what was committed before is untouched."""


class LostLockError(UserError):
    """Another process may work on the run; this one must not write to it any more."""

"""Which of many documents it is that work fails on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def naming_culprit(
    count: int, attempt: Callable[[int], object], name: Callable[[int], str]
) -> Iterator[None]:
    """Adds to an error in work on ``count`` documents, as a note, which of them it is.

    Args:
      count: of the documents.
      attempt: does the work again on one of them, by its number.
      name: what to call one.
    """
    try:
        yield
    except Exception as error:
        for number in range(count):
            try:
                attempt(number)
            except Exception:
                error.add_note(name(number))
                break
        raise


def named_in(error: BaseException) -> str:
    """What `naming_culprit` says of an error, empty where it says nothing."""
    notes: list[str] = getattr(error, "__notes__", [])
    return notes[0] if notes else ""

"""Surroundings of replays: what programs can see, and a right answer does not depend on."""

from __future__ import annotations

from dataclasses import dataclass, field

from transforms.sandbox.process import Surroundings

_DAY = 86_400


@dataclass(frozen=True)
class ReplaySettings:
    """Of one of the replays of a function."""

    surroundings: Surroundings
    """Of the fork server, in whose children the replay takes place."""

    seed: int
    """Of `random`."""

    order: int = 1
    """Calls are made in the order of their places times this, by a prime number."""

    afresh: bool = False
    """Whether the program is loaded again for each call."""

    folder: str = ""
    """A folder to be in, below the one that is the usual one."""

    shift: int = 0
    """Seconds by which the clock is fast."""

    traced: bool = field(default=False, kw_only=True)
    """Whether lines are noted, which takes time."""


def _around(hash_seed: int, zone: str, locale: str) -> Surroundings:
    # Without the last two Python itself takes UTF-8 where a locale has ASCII.
    home = f"/home/user{hash_seed}"
    environment = {"TZ": zone, "LC_ALL": locale, "LANG": locale, "HOME": home}
    if locale in ("C", "POSIX"):
        environment |= {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    return Surroundings(hash_seed, environment)


REPLAYS = (
    ReplaySettings(_around(0, "UTC0", "C.UTF-8"), seed=1, traced=True),
    ReplaySettings(_around(1, "EST5EDT,M3.2.0,M11.1.0", "C"), seed=2, order=-1, folder="a"),
    ReplaySettings(_around(42, "<+1245>-12:45", "C.UTF-8"), seed=3, afresh=True, folder="b c"),
    ReplaySettings(_around(1234, "CET-1CEST,M3.5.0,M10.5.0/3", "POSIX"), seed=4, order=7919),
    # A day of the year, of the month and of the week, and a time of day, of their own.
    ReplaySettings(
        _around(99991, "UTC0", "C.UTF-8"), seed=5, order=104729, shift=400 * _DAY + 5 * 3600 + 1741
    ),
)
"""Time zones are written as rules, for which no file is needed. The fifth one is in the future."""

"""The options of ``score`` as values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import platformdirs

from pipeline.errors import UsageError
from runners.names import EngineName
from runners.settings import EngineSettings
from transforms.sandbox.limits import Limits, Tier

LEAST_OPEN_FILES = 16
"""The fork server has some open itself, and the limit holds for it, too."""

_MOST = {int: 1 << 53, float: 1_000_000}
_MUST_BE = {
    bool: "true or false",
    int: "a whole number below 2^53",
    float: "a number of seconds below 1,000,000",
}
_OTHER_FORMATS = frozenset({".gz", ".bz2", ".xz", ".zst", ".parquet", ".arrow"})


def read_ks(text: str) -> tuple[int, ...]:
    """Ascending ks from numbers with commas between; raises `UsageError`."""
    try:
        ks = sorted({int(word) for word in text.split(",")})
    except ValueError:
        ks = []
    if not ks or ks[0] < 1:
        raise UsageError(f"--k must be numbers from 1 with commas between, got {text!r}")
    return tuple(ks)


def read_limits(changes: Iterable[str]) -> Limits:
    """The limits with some changed; raises `UsageError`."""
    kinds = {field.name: type(getattr(Limits(), field.name)) for field in fields(Limits)}
    values: dict[str, float | bool] = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, 1)
            cure = f"did you mean {near[0]}?" if near else f"there are {', '.join(kinds)}"
            raise UsageError(f"--limit {change}: no limit is called {name!r}; {cure}")
        try:
            values[name] = _value(text, kinds[name])
        except (KeyError, ValueError, OverflowError):
            raise UsageError(f"--limit {change}: {name} must be {_MUST_BE[kinds[name]]}") from None
    if values.get("open_files", LEAST_OPEN_FILES) < LEAST_OPEN_FILES:
        raise UsageError(f"--limit: open_files must be at least {LEAST_OPEN_FILES}")
    if "cpu_seconds" in values and "wall_seconds" not in values:
        # Who gives a program more time means that it may take it.
        values["wall_seconds"] = max(Limits().wall_seconds, values["cpu_seconds"] * 4)
    try:
        return Limits(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"--limit: {error}") from error


def _value(text: str, kind: type) -> float | bool:
    if kind is bool:
        return {"true": True, "false": False}[text.lower()]
    number = float(text)
    if number >= _MOST[kind] or not (kind is float or number.is_integer()):
        raise ValueError(text)
    return int(number) if kind is int else number


def read_tier(name: str | None, *, unsafe: bool) -> Tier | None:
    """The tier that is asked for, None for the best that there is; raises `UsageError`."""
    if unsafe:
        if name is not None:
            raise UsageError("--unsafe uses no tier: leave out --tier, or --unsafe")
        return Tier.UNSAFE
    if name is None:
        return None
    if name.upper() not in (Tier.NAMESPACES, Tier.LANDLOCK):
        raise UsageError(f"--tier must be A or B, got {name!r}")
    return Tier(name.upper())


def read_output(results: Path, samples: Path, problems: Path | None) -> Path:
    """The file of results, which replaces what is there; raises `UsageError`."""
    if results.is_dir():
        raise UsageError(f"--output {results} is a folder: name a file in it")
    if results.suffix.lower() in _OTHER_FORMATS:
        raise UsageError(f"--output {results}: results are plain JSON Lines, as in NAME.jsonl")
    for given in filter(None, (samples, problems)):
        if results.exists() and results.samefile(given):
            raise UsageError(f"--output {results} would replace {given}: name another file")
    return results


def score_engine(name: EngineName, url: str, workers: int) -> EngineSettings:
    """The engine that is asked for."""
    cache = Path(platformdirs.user_cache_path("repomill"))
    return EngineSettings(name=name, url=url, workers=workers, cache=cache)

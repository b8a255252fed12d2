"""The sections of a configuration that are about problems from test suites."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transforms.crawl.lists import FilePath


class Trace(BaseModel):
    """Whose tests are run and traced for problems, and what one repository may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    repositories: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Names of repositories, such as ``pypi/boltons``, with ``*`` for any text. Sources of rows
    (parquet, jsonl) have no test suites."""
    packages: tuple[str, ...] = ()
    """Packages that problems may import besides the standard library."""
    before: datetime.date | None = None
    """The package index as it was before this day, so that a run can be repeated."""
    build_seconds: Annotated[float, Field(gt=0)] = 900.0
    """Time for making the environment of a repository."""
    suite_seconds: Annotated[float, Field(gt=0)] = 900.0
    """Time for its tests; problems come of what was called until then."""
    memory_bytes: Annotated[int, Field(ge=1 << 28)] = 4 << 30
    """Of all processes of a repository together."""
    disk_bytes: Annotated[int, Field(ge=1 << 26)] = 4 << 30
    """Of its files, environment and all."""
    processes: Annotated[int, Field(ge=8)] = 256
    """At one time."""


class PassRateBounds(BaseModel):
    """Which problems are wanted by how many of a model's samples for them pass."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    results: FilePath
    """File of results that ``repomill score`` wrote of samples for problems of the same run.
    Problems without samples stay."""
    least: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Problems of which a smaller share passes are left out (``too_hard``)."""
    most: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Problems of which a larger share passes are left out (``too_easy``)."""


class Collect(BaseModel):
    """Which traced functions become problems."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_body_lines: Annotated[int, Field(ge=1)] = 100
    """Longer reference solutions are left out (``body_too_long``)."""
    min_complexity: Annotated[int, Field(ge=1)] = 1
    """Functions of less cyclomatic complexity are left out (``too_simple``)."""
    max_complexity: Annotated[int, Field(ge=1)] = 30
    """Functions of more are left out (``too_complex``)."""
    max_prompt_characters: Annotated[int, Field(ge=1)] = 16_000
    """Functions that need more code before them are left out (``prompt_too_long``)."""
    min_line_coverage: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Functions of whose lines the test covers less are left out (``covers_little``)."""
    min_mutants_killed: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Functions are left out of which more small changes pass the test (``passes_mutants``)."""
    pass_rates: PassRateBounds | None = None
    """Pass rates of a model by which problems are chosen."""
    contaminated: bool = False
    """Whether problems stay that say or do the same as one of `contamination.benchmarks`."""
    sets: tuple[FilePath, ...] = ()
    """Files of problems with tests that are taken as they are, such as those of competitions, in
    the formats that ``repomill score`` reads."""

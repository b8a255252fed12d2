"""Files about problems that a configuration names: sets of problems, and results of samples."""

from __future__ import annotations

from pipeline.errors import UsageError
from pipeline.tracing_settings import Collect
from transforms.collect.pass_rates import PassRateError, PassRates, read_pass_rates
from transforms.problemsets.problem_files import ProblemFileError, read_problems
from transforms.stores.store import local_path


def check_sets(collect: Collect) -> None:
    """Raises UsageError where a set of problems cannot be read."""
    for each in collect.sets:
        try:
            read_problems(local_path(each))
        except ProblemFileError as error:
            raise UsageError(f"collect.sets: {error}") from error


def pass_rates_of(collect: Collect) -> PassRates | None:
    """The pass rates by which problems are chosen, if there are any.

    Raises:
      UsageError: the file of results cannot be read.
    """
    bounds = collect.pass_rates
    if bounds is None:
        return None
    try:
        rates = read_pass_rates(local_path(bounds.results))
    except PassRateError as error:
        raise UsageError(f"collect.pass_rates.results: {error}") from error
    return PassRates(rates, bounds.least, bounds.most)

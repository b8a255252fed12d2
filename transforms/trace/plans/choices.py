"""Which of several environments, jobs or requirements are about tests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from transforms.trace.plans.context import Recipe
from transforms.trace.plans.versions import interpreter_version

_WORD = re.compile(r"[a-z]+")

_OTHER = """
    lint linting linter linters flake8 flake ruff black isort mypy pyright typing typecheck types
    type typos docs doc documentation sphinx readme publish release deploy pypi dist wheel
    wheels coverage cov codecov report combine clean bench benchmark benchmarks perf performance
    codspeed fuzz audit security bandit safety pre commit precommit format fmt style changelog
    manifest pylint changes spell spelling codespell demo
   mutmut mutation downstream integration nightly pypy jython windows macos emscripten wasm
    race pyodide android ios minimal minimum oldest lowest cleanup
"""
_OTHER_WORDS = frozenset(_OTHER.split())
_TESTS = "test tests testing unit unittest unittests pytest py suite ci"
_TEST_WORDS = frozenset(_TESTS.split())


def is_for_tests(name: str) -> bool:
    """Whether an environment, session, job or target seems to be for tests by its name."""
    words = frozenset(_WORD.findall(name.lower()))
    return bool(words & _TEST_WORDS) or not words & _OTHER_WORDS


def name_rank(name: str) -> tuple[int, int]:
    """The smaller, the more a name is that of the usual tests."""
    words = frozenset(_WORD.findall(name.lower()))
    return len(words & _OTHER_WORDS) - min(1, len(words & _TEST_WORDS)), len(name)


def pick_first(recipes: Sequence[Recipe], count: int = 8) -> list[Recipe]:
    """Recipes that seem to be for tests, the most likely first, newer Pythons before older."""

    def key(recipe: Recipe) -> tuple[int, int, int]:
        rank, length = name_rank(recipe.name)
        versions = [interpreter_version(part) for part in recipe.name.split("-")]
        minors = [int(version.split(".")[1]) for version in versions if version]
        return rank, length, -max(minors, default=0)

    return sorted(recipes, key=key)[:count]


# Programs of other work than running tests, which plans name beside what tests need.
_TOOLS = """
    tox tox-uv tox-gh-actions tox-gh tox-pdm nox nox-poetry uv pip virtualenv pipenv poetry
    pre-commit prek mypy pyright basedpyright pyre-check pytype ty pyrefly ruff black isort flake8
    autoflake autopep8 yapf pylint pyflakes pycodestyle pydocstyle pycln bandit safety pip-audit
    codespell interrogate vulture radon xenon darglint doc8 rstcheck docformatter pyupgrade
    sphinx sphinx-rtd-theme sphinx-autodoc-typehints sphinx-copybutton sphinx-lint sphinx-design
    sphinx-autobuild sphinx-issues sphinx-notfound-page sphinxcontrib-log-cabinet sphinx-tabs
    sphinxcontrib-towncrier sphinxcontrib-trio sphinxext-opengraph furo myst-parser alabaster
    pallets-sphinx-themes numpydoc mkdocs mkdocs-material mkdocstrings mkdocstrings-python mike
    pdoc towncrier reno twine bumpversion bump2version bump-my-version bumpver zest-releaser
    check-manifest check-wheel-contents validate-pyproject pyroma codecov coveralls
    coverage-enable-subprocess codacy-coverage python-semantic-release commitizen gitlint
    cibuildwheel auditwheel delocate pytest-codspeed pytest-flake8 pytest-flakes pytest-black
    pytest-isort pytest-mypy pytest-pylint pytest-ruff pytest-pep8 pytest-pycodestyle
    pytest-checkdocs pytest-enabler pytest-sugar pytest-instafail pytest-xdist pytest-cov
    pytest-randomly pytest-random-order pytest-rerunfailures pytest-html pytest-emoji pytest-md
    pytest-watch pytest-watcher pytest-profiling pytest-memray pytest-repeat ipython jupyter
    notebook jupyterlab ipdb pdbpp asv memory-profiler line-profiler py-spy snakeviz
    licensecheck pip-licenses pip-tools build wheel changelog-chug refurb ssort
"""
NOT_FOR_TESTS = frozenset(_TOOLS.split())
_NOT_PREFIXES = ("sphinx", "mkdocs", "types-", "flake8-", "pylint-", "mypy-", "tox-", "furo")


def serves_tests(name: str) -> bool:
    """Whether a distribution, by its normalized name, may be what tests need."""
    return name not in NOT_FOR_TESTS and not name.startswith(_NOT_PREFIXES)

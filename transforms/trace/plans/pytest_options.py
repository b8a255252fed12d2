"""pytest's options: which of a command are kept, and which plugin each needs.

Kept is what decides which tests there are and how they are found. Dropped is what ends a
run early, measures coverage, writes reports, needs more processes or a terminal, or checks
style: a traced run wants all tests, once, in one process.
"""

from __future__ import annotations

import ast
import fnmatch
import posixpath
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from transforms.trace.plans.repository import Repository, inside

KEEP, DROP, PATH = "keep", "drop", "path"
"""What becomes of an option; ``PATH`` is kept where its value is inside of the repository."""


@dataclass(frozen=True)
class Option:
    """What is done with an option, whether it takes a value, and the plugin that has it.

    ``value`` is "no", "yes", or "equals" where it may be given behind ``=`` only.
    """

    fate: str
    value: str = "no"
    plugin: str = ""


def _options(fate: str, value: str, names: str, plugin: str = "") -> dict[str, Option]:
    return {name: Option(fate, value, plugin) for name in names.split()}


OPTIONS = {
    # pytest's own
    **_options(KEEP, "yes", "-k -m -W --pythonwarnings -o --override-ini --import-mode --capture"),
    **_options(KEEP, "yes", "--doctest-glob --doctest-report --deselect --assert --log-level"),
    **_options(KEEP, "yes", "--ignore-glob --verbosity"),
    **_options(KEEP, "no", "--doctest-modules --doctest-ignore-import-errors --pyargs -s"),
    **_options(KEEP, "no", "--doctest-continue-on-failure --runxfail --noconftest --strict"),
    **_options(KEEP, "no", "--strict-markers --strict-config --disable-warnings"),
    **_options(KEEP, "no", "--disable-pytest-warnings --keep-duplicates --collect-in-virtualenv"),
    **_options(KEEP, "no", "--continue-on-collection-errors"),
    **_options(PATH, "yes", "--ignore -c --config-file --rootdir --confcutdir"),
    **_options(DROP, "no", "-x --exitfirst --pdb --trace --lf --last-failed --ff --failed-first"),
    **_options(DROP, "no", "--nf --new-first --sw --stepwise --sw-skip --cache-clear --version"),
    **_options(DROP, "no", "-q --quiet -v --verbose -l --showlocals --no-header --no-summary -h"),
    **_options(DROP, "no", "--full-trace --help --co --collect-only --setup-show --setup-only"),
    **_options(DROP, "no", "--setup-plan --markers --fixtures --force-short-summary"),
    **_options(DROP, "yes", "--maxfail --durations --durations-min --tb --color --code-highlight"),
    **_options(DROP, "yes", "--junitxml --junit-xml --junitprefix --junit-prefix --show-capture"),
    **_options(DROP, "yes", "--pastebin --basetemp --pdbcls -r --log-cli-level --log-file"),
    **_options(DROP, "yes", "--log-file-level --log-format --log-date-format --log-cli-format"),
    **_options(DROP, "equals", "--debug"),
    # of plugins
    **_options(DROP, "equals", "--cov", "pytest-cov"),
    **_options(DROP, "yes", "--cov-report --cov-config --cov-fail-under --cov-context", "pytest-cov"),
    **_options(DROP, "yes", "--cov-precision", "pytest-cov"),
    **_options(DROP, "no", "--no-cov --cov-append --cov-branch --cov-reset", "pytest-cov"),
    **_options(DROP, "no", "--no-cov-on-fail", "pytest-cov"),
    **_options(DROP, "yes", "-n --numprocesses --maxprocesses --dist --tx", "pytest-xdist"),
    **_options(DROP, "yes", "--max-worker-restart", "pytest-xdist"),
    **_options(DROP, "no", "-d -f --looponfail --boxed", "pytest-xdist"),
    **_options(DROP, "no", "--forked", "pytest-forked"),
    **_options(DROP, "yes", "--timeout --timeout-method --session-timeout", "pytest-timeout"),
    **_options(DROP, "yes", "--reruns --reruns-delay --only-rerun", "pytest-rerunfailures"),
    **_options(DROP, "yes", "--html --css", "pytest-html"),
    **_options(DROP, "no", "--self-contained-html", "pytest-html"),
    **_options(DROP, "no", "--json-report", "pytest-json-report"),
    **_options(DROP, "yes", "--json-report-file --json-report-indent", "pytest-json-report"),
    **_options(DROP, "yes", "--report-log", "pytest-reportlog"),
    **_options(DROP, "yes", "--md", "pytest-md"),
    **_options(DROP, "no", "--emoji", "pytest-emoji"),
    **_options(DROP, "yes", "--instafail-tb", "pytest-instafail"),
    **_options(DROP, "no", "--instafail", "pytest-instafail"),
    **_options(DROP, "yes", "--splits --group --durations-path", "pytest-split"),
    **_options(DROP, "yes", "--random-order-bucket --random-order-seed", "pytest-random-order"),
    **_options(DROP, "no", "--random-order", "pytest-random-order"),
    **_options(DROP, "yes", "--randomly-seed", "pytest-randomly"),
    **_options(DROP, "no", "--randomly-dont-reorganize", "pytest-randomly"),
    **_options(DROP, "no", "--codspeed", "pytest-codspeed"),
    **_options(DROP, "no", "--memray", "pytest-memray"),
    **_options(DROP, "no", "--profile --profile-svg", "pytest-profiling"),
    **_options(DROP, "no", "--flake8", "pytest-flake8"),
    **_options(DROP, "no", "--flakes", "pytest-flakes"),
    **_options(DROP, "no", "--mypy --mypy-ignore-missing-imports", "pytest-mypy"),
    **_options(DROP, "yes", "--mypy-ini-file --mypy-only-local-stub", "pytest-mypy-plugins"),
    **_options(DROP, "no", "--black", "pytest-black"),
    **_options(DROP, "no", "--isort", "pytest-isort"),
    **_options(DROP, "no", "--pylint", "pytest-pylint"),
    **_options(DROP, "no", "--ruff --ruff-format", "pytest-ruff"),
    **_options(DROP, "no", "--pep8", "pytest-pep8"),
    **_options(DROP, "no", "--pycodestyle --pydocstyle", "pytest-pycodestyle"),
    **_options(DROP, "no", "--checkdocs", "pytest-checkdocs"),
    **_options(DROP, "no", "--enabler", "pytest-enabler"),
    **_options(DROP, "yes", "--benchmark-json --benchmark-columns --benchmark-sort", "pytest-benchmark"),
    **_options(DROP, "yes", "--benchmark-group-by --benchmark-save --benchmark-compare", "pytest-benchmark"),
    **_options(DROP, "no", "--benchmark-autosave --benchmark-only --benchmark-enable", "pytest-benchmark"),
    **_options(KEEP, "no", "--benchmark-skip --benchmark-disable", "pytest-benchmark"),
    **_options(KEEP, "yes", "--asyncio-mode", "pytest-asyncio"),
    **_options(KEEP, "yes", "--hypothesis-profile --hypothesis-seed", "hypothesis"),
    **_options(KEEP, "no", "--hypothesis-show-statistics", "hypothesis"),
    **_options(KEEP, "yes", "--ds --dc", "pytest-django"),
    **_options(KEEP, "no", "--nomigrations --reuse-db --create-db", "pytest-django"),
    **_options(KEEP, "equals", "--remote-data", "pytest-remotedata"),
    **_options(KEEP, "no", "--disable-socket --allow-unix-socket", "pytest-socket"),
    **_options(KEEP, "yes", "--allow-hosts", "pytest-socket"),
    **_options(KEEP, "no", "--doctest-plus --doctest-rst", "pytest-doctestplus"),
    **_options(KEEP, "no", "--markdown-docs", "pytest-markdown-docs"),
    **_options(KEEP, "no", "--nbval --nbval-lax", "nbval"),
    **_options(KEEP, "yes", "--record-mode --vcr-record", "pytest-recording"),
    **_options(KEEP, "no", "--block-network", "pytest-recording"),
    **_options(KEEP, "yes", "--snapshot-default-extension", "syrupy"),
    **_options(KEEP, "no", "--inline-snapshot-disable", "inline-snapshot"),
}  # fmt: skip

PLUGINS = {
    "xdist": "pytest-xdist",
    "pytest_cov": "pytest-cov",
    "cov": "pytest-cov",
    "asyncio": "pytest-asyncio",
    "pytest_asyncio": "pytest-asyncio",
    "pytest_mock": "pytest-mock",
    "pytest_httpserver": "pytest-httpserver",
    "pytest_benchmark": "pytest-benchmark",
    "pytest_timeout": "pytest-timeout",
    "pytest_django": "pytest-django",
    "anyio": "anyio",
    "trio": "pytest-trio",
    "hypothesis": "hypothesis",
    "randomly": "pytest-randomly",
    "sugar": "pytest-sugar",
    "pyfakefs": "pyfakefs",
    "pytest_regressions": "pytest-regressions",
    "pytest_localserver": "pytest-localserver",
    "pytest_datadir": "pytest-datadir",
    "jaraco.test.http": "jaraco.test",
    "flaky": "flaky",
    "aiohttp.pytest_plugin": "pytest-aiohttp",
    "pytest_subtests": "pytest-subtests",
    "pytest_randomly": "pytest-randomly",
    "requests_mock": "requests-mock",
    "syrupy": "syrupy",
}
"""Plugins by the names that ``-p`` and ``pytest_plugins`` give."""

_DROPPED_PLUGINS = frozenset(("xdist", "pytest_cov", "cov", "pytest_sugar", "sugar"))


@dataclass
class Arguments:
    """Arguments of a pytest command that are kept, and why others are not.

    ``plugins`` are of all options, ``needed`` of those that are kept.
    """

    kept: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_arguments(words: Sequence[str], repository: Repository, directory: str) -> Arguments:
    """Sorts the arguments of a pytest command that runs in a directory; never raises."""
    found = Arguments()
    own = conftest_options(repository)
    # A module's name may stand in place of a path.
    names_modules = "--pyargs" in words
    for name, value in _split(words, own):
        if name is None:
            _read_path(value or "", repository, directory, names_modules, found)
        else:
            option = OPTIONS.get(name) or (Option(KEEP) if name in own else None)
            _read_option(name, value, option, repository, directory, found)
    return found


def _split(words: Sequence[str], own: dict[str, Option]) -> Iterator[tuple[str | None, str | None]]:
    """Options with their values, and paths as values without an option."""
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--" or not word:
            continue
        if not word.startswith("-"):
            yield None, word
            continue
        name, equals, value = word.partition("=")
        if word[1] != "-" and len(word) > 2:
            name, equals, value = word[:2], "=", word[2:].removeprefix("=")
        option = OPTIONS.get(name) or own.get(name)
        if option is not None and option.value == "no" and word[1] != "-" and value:
            # Several flags of a letter each: -xvs
            yield name, None
            pending.insert(0, f"-{value}")
        elif equals:
            yield name, value
        elif option is not None and option.value == "yes" and pending:
            yield name, pending.pop(0)
        else:
            yield name, None


def _read_option(
    name: str,
    value: str | None,
    option: Option | None,
    repository: Repository,
    directory: str,
    found: Arguments,
) -> None:
    text = name if value is None else f"{name} {value}"
    if name == "-p" and value is not None:
        _read_plugin(value, found)
        return
    if option is None:
        found.notes.append(f"pytest option {text[:80]!r} dropped: it is not known")
        return
    if option.plugin:
        found.plugins.append(option.plugin)
        if option.fate == KEEP:
            found.needed.append(option.plugin)
    makes_errors = name in {"-W", "--pythonwarnings"} and (value or "").startswith("error")
    if option.fate == DROP or makes_errors:
        found.dropped.append(name)
        return
    if option.fate == PATH and not _is_present(value or "", repository, directory):
        found.notes.append(f"pytest option {text[:80]!r} dropped: no such path inside")
        return
    if name in {"-o", "--override-ini"} and (value or "").startswith("addopts"):
        value = "addopts="
    joined = name if value is None else f"{name}={value}"
    found.kept += [joined] if name.startswith("--") or value is None else [name, value]


def _read_plugin(value: str, found: Arguments) -> None:
    name = value.removeprefix("no:")
    if name != value:
        found.kept += ["-p", value]
    elif name in _DROPPED_PLUGINS:
        found.dropped.append(f"-p {name}")
    else:
        found.kept += ["-p", value]
        if name in PLUGINS:
            found.plugins.append(PLUGINS[name])
            found.needed.append(PLUGINS[name])


def _is_present(value: str, repository: Repository, directory: str) -> bool:
    path = inside(value, directory)
    return path is not None and repository.exists(path)


def _read_path(
    value: str, repository: Repository, directory: str, names_modules: bool, found: Arguments
) -> None:
    place, colons, test = value.partition("::")
    path = inside(place, directory)
    if path is not None and repository.exists(path):
        found.paths.append(posixpath.relpath(path, directory) + colons + test)
    elif names_modules and place.replace(".", "").isidentifier():
        found.paths.append(value)
    elif path is not None and any(mark in place for mark in "*?["):
        found.paths += _matches(place, repository, directory)
    else:
        found.notes.append(f"pytest path {value[:80]!r} refused: no such path inside")


def _matches(pattern: str, repository: Repository, directory: str) -> list[str]:
    """Files and folders that a shell pattern in the last part of a path names."""
    folder, name = posixpath.split(pattern)
    within = inside(folder or ".", directory)
    if within is None or len(name) > 100 or name.count("*") > 3:
        return []
    paths = (*repository.files, *sorted(repository.folders))
    children = (path for path in paths if (posixpath.dirname(path) or ".") == within)
    return sorted(
        posixpath.relpath(path, directory)
        for path in children
        if fnmatch.fnmatchcase(posixpath.basename(path), name)
    )[:200]


def conftest_options(repository: Repository) -> dict[str, Option]:
    """Options that the repository's own conftest files add."""
    found: dict[str, Option] = {}
    paths = [path for path in repository.files if posixpath.basename(path) == "conftest.py"]
    for path in sorted(paths)[:50]:
        for node in ast.walk(repository.python(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in {"addoption", "_addoption"}:
                    found |= _added(node)
    return found


def _added(call: ast.Call) -> dict[str, Option]:
    action = next(
        (
            k.value.value
            for k in call.keywords
            if k.arg == "action" and isinstance(k.value, ast.Constant)
        ),
        "store",
    )
    takes_value = action in {"store", "append"}
    names = (each.value for each in call.args if isinstance(each, ast.Constant))
    return {
        name: Option(KEEP, "yes" if takes_value else "no")
        for name in names
        if isinstance(name, str) and name.startswith("-")
    }


def split_words(text: str) -> list[str]:
    """Words of an ``addopts`` value; those between spaces where quotes are open."""
    try:
        return shlex.split(text[:8_000], comments=False)
    except ValueError:
        return text[:8_000].split()

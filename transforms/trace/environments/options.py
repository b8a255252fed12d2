"""Which options of pytest a suite is run with: its own, without those that end or change a run."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

_MOST_CONFIGURATION_BYTES = 1 << 20


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENDING = _words("""
    -x --exitfirst --maxfail --ff --failed-first --lf --last-failed --nf --new-first --sw
    --stepwise --stepwise-skip --lfnf --last-failed-no-failures --cache-clear --cache-show
    --co --collect-only --pdb --pdbcls --trace --setup-only --setup-plan --fixtures --markers
""")
"""What ends a run early, or chooses tests by an earlier one."""
_SPREADING = _words("""
    -n --numprocesses --dist --tx --maxprocesses --boxed --forked --looponfail -f --workers
    --tests-per-worker --random-order --random-order-seed --random-order-bucket
    --randomly-seed --reruns --reruns-delay --only-rerun --count --flake-finder --flake-runs
""")
"""What runs it in several processes, shuffles it or repeats it."""
_MEASURING = _words("""
    --cov --cov-report --cov-config --cov-append --cov-branch --cov-fail-under --no-cov
    --no-cov-on-fail --cov-context --cov-reset --testmon --benchmark-only --profile --memray
""")
"""What measures it: coverage would take the tracer's place."""
_REPORTING = _words("""
    --junitxml --junit-xml --junit-prefix --html --self-contained-html --report-log
    --json-report --json-report-file --resultlog --result-log --alluredir --github-report
    --log-file -q --quiet -v --verbose -s -l --showlocals --color --tb --durations
    --durations-min -r --no-header --no-summary --code-highlight --verbosity --show-capture
    --full-trace --force-sugar --instafail --capture --spec
""")
"""What writes reports, or only changes how they look."""
_JUDGING = _words("""
    -W --pythonwarnings --strict --strict-markers --strict-config --timeout --timeout-method
    --timeout_method --session-timeout --flake8 --pylint --mypy --black --ruff --ruff-format
    --isort --pycodestyle --pep8 --codestyle --checkdocs --pydocstyle --docstyle --nbval
    --nbval-lax --error-for-skips --cache-dir --basetemp
""")
"""What makes failures of what others than the tests do, and what the run itself decides."""
_DROPPED = _ENDING | _SPREADING | _MEASURING | _REPORTING | _JUDGING
_WITH_VALUE = _words("""
    -n --numprocesses --dist --tx --maxprocesses --workers --tests-per-worker --maxfail
    --random-order-seed --random-order-bucket --randomly-seed --reruns --reruns-delay
    --only-rerun --count --flake-runs --cov-report --cov-config --cov-fail-under --cov-context
    --junitxml --junit-xml --junit-prefix --html --report-log --json-report-file --resultlog
    --result-log --alluredir --log-file --color --tb --durations --durations-min -r --capture
    --code-highlight --verbosity --show-capture -W --pythonwarnings --timeout --timeout-method
    --timeout_method --session-timeout --cache-dir --basetemp --pdbcls
    --last-failed-no-failures --lfnf
""")
"""Those of them whose value may be an argument of its own."""
_KEPT_WITH_VALUE = _words("""
    -k -m -c -p -o --override-ini --rootdir --import-mode --confcutdir --ignore --ignore-glob
    --deselect --doctest-glob --ds --settings --config-file
""")
_DROPPED_PLUGINS = ("xdist", "cov", "pytest_cov", "randomly", "random_order", "cacheprovider")
_SECTIONS = (
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)


def keep_options(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments of a call of pytest that say which tests there are and what they need."""
    return tuple(_kept(arguments))


def _kept(arguments: Sequence[str]) -> Iterator[str]:
    rest = deque(arguments)
    while rest:
        argument = rest.popleft()
        name, equals, value = argument.partition("=")
        if name.startswith("-") and not name.startswith("--") and len(name) > 2:
            # A value in one word, as in `-n4`, `-rA` or `-Werror`, or flags, as in `-vv`.
            name, equals, value = name[:2], "=", argument[2:]
        own = [argument]
        if rest and not equals and (name in _WITH_VALUE or name in _KEPT_WITH_VALUE):
            own.append(value := rest.popleft())
        elif rest and argument == "--cov" and not rest[0].startswith("-"):
            rest.popleft()
        if name not in _DROPPED and not (name == "-p" and _is_dropped_plugin(value)):
            yield from own


def paths_in(arguments: Sequence[str], files: Collection[str], folder: str) -> tuple[str, ...]:
    """The arguments that name files or folders of a project, without parts of files."""
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    kept: dict[str, None] = {}
    for argument in arguments:
        path = argument.partition("::")[0]
        place = str(PurePosixPath(folder, path))
        if not path.startswith("-") and (place in files or place in folders):
            kept[path] = None
    return tuple(kept)


def configured_options(files: Mapping[str, bytes], folder: str = ".") -> tuple[str, ...]:
    """The ``addopts`` of a project's configuration of pytest, in the order that pytest looks."""
    parents = [str(part) for part in (PurePosixPath(folder), *PurePosixPath(folder).parents)]
    for place in dict.fromkeys(parents):
        for name in ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
            content = files.get(str(PurePosixPath(place, name)))
            if content is None:
                continue
            text = content[:_MOST_CONFIGURATION_BYTES].decode("utf-8", "replace")
            found = _toml_options(text) if name == "pyproject.toml" else _ini_options(text, name)
            if found is not None:
                return tuple(found)
    return ()


def _ini_options(text: str, name: str) -> list[str] | None:
    """None where the file does not configure pytest."""
    parser = configparser.RawConfigParser(strict=False)
    section = dict(_SECTIONS)[name]
    try:
        parser.read_string(text)
        if not parser.has_section(section):
            return None
        return shlex.split(parser.get(section, "addopts", fallback=""), comments=True)
    except (configparser.Error, ValueError):
        return []


def _toml_options(text: str) -> list[str] | None:
    try:
        tables = tomllib.loads(text).get("tool", {}).get("pytest")
        if not isinstance(tables, dict):
            return None
        options = tables.get("ini_options", tables).get("addopts", [])
        if isinstance(options, str):
            return shlex.split(options)
        return [option for option in options if isinstance(option, str)]
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    except (ValueError, AttributeError, TypeError):
        return []


def _is_dropped_plugin(value: str) -> bool:
    return value.strip().removeprefix("no:") in _DROPPED_PLUGINS

"""The project's own settings of pytest: what they need, and how a run undoes what would hurt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from transforms.trace.plans.documents import as_mapping, as_texts, dig
from transforms.trace.plans.pytest_options import read_arguments, split_words
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.requirements import checked_requirements

# Settings that exist only where a plugin is installed; with --strict-config pytest else stops.
SETTINGS = {
    "asyncio_mode": "pytest-asyncio",
    "asyncio_default_fixture_loop_scope": "pytest-asyncio",
    "asyncio_default_test_loop_scope": "pytest-asyncio",
    "timeout": "pytest-timeout",
    "timeout_method": "pytest-timeout",
    "timeout_func_only": "pytest-timeout",
    "faulthandler_timeout": "",
    "env": "pytest-env",
    "DJANGO_SETTINGS_MODULE": "pytest-django",
    "django_find_project": "pytest-django",
    "qt_api": "pytest-qt",
    "trio_mode": "pytest-trio",
    "mock_use_standalone_module": "pytest-mock",
    "mock_traceback_monkeypatch": "pytest-mock",
    "doctest_plus": "pytest-doctestplus",
    "doctest_plus_atol": "pytest-doctestplus",
    "text_file_format": "pytest-doctestplus",
    "doctest_norecursedirs": "pytest-doctestplus",
    "remote_data_strict": "pytest-remotedata",
    "bdd_features_base_dir": "pytest-bdd",
    "reruns": "pytest-rerunfailures",
    "anyio_mode": "anyio",
    "freezegun_ignore_list": "pytest-freezer",
    "mpl-results-path": "pytest-mpl",
    "run_parallel_threads": "pytest-run-parallel",
    "thread_unsafe_fixtures": "pytest-run-parallel",
    "junit_duration_report": "",
}

# Plugins that check style, which are not wanted: older ones stop newer versions of pytest.
_STYLE = frozenset(
    f"pytest-{name}" for name in ("flake8", "flakes", "mypy", "black", "isort", "pylint", "ruff",
                                  "pep8", "pycodestyle", "checkdocs", "enabler", "codspeed")
)  # fmt: skip

_WORDS = re.compile(r"[^\s,]{1,200}")


@dataclass(frozen=True)
class Settings:
    """What pytest's configuration asks for.

    ``requirements`` are those without which pytest would not start. Where ``addopts`` has
    what would hurt a traced run, ``arguments`` replace it by the rest, in every command.
    """

    path: str = ""
    requirements: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_settings(repository: Repository, directory: str = ".") -> Settings:
    """The settings that pytest finds when it starts in a directory, or at the top."""
    key = f"pytest settings of {directory}"
    return repository.keep(key, lambda: _find_settings(repository, directory))


def _find_settings(repository: Repository, directory: str) -> Settings:
    for place in dict.fromkeys((directory, ".")):
        path, values = _section(repository, "" if place == "." else f"{place}/")
        if path:
            return _settings(repository, path, values, place)
    return Settings()


def _section(repository: Repository, prefix: str) -> tuple[str, dict[str, Any]]:
    """The file that holds the settings, by pytest's own precedence, and the settings."""
    for name in ("pytest.toml", ".pytest.toml"):
        if prefix + name in repository.files:
            return prefix + name, as_mapping(repository.toml(prefix + name).get("pytest"))
    for name in ("pytest.ini", ".pytest.ini"):
        if prefix + name in repository.files:
            return prefix + name, as_mapping(repository.ini(prefix + name).get("pytest"))
    tool = dig(repository.toml(f"{prefix}pyproject.toml"), "tool", "pytest")
    if "ini_options" in as_mapping(tool) or as_mapping(tool):
        options = as_mapping(as_mapping(tool).get("ini_options", tool))
        return f"{prefix}pyproject.toml", options
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        sections = repository.ini(prefix + name)
        if section in sections:
            return prefix + name, as_mapping(sections[section])
    return "", {}


def _settings(
    repository: Repository, path: str, values: dict[str, Any], directory: str
) -> Settings:
    notes: list[str] = []
    options = read_arguments(_words(values.get("addopts")), repository, directory)
    plugins = {*options.plugins, *(SETTINGS.get(name, "") for name in values)} - {""} - _STYLE
    wanted = _listed(values.get("required_plugins"))
    arguments: list[str] = []
    if options.dropped or options.notes:
        arguments = ["-o", "addopts=", *options.kept, *options.paths]
        notes.append(f"{path}: addopts are replaced, without {' '.join(options.dropped)[:200]}")
        notes += options.notes
    if any(line.startswith("error") for line in _lines(values.get("filterwarnings"))):
        # A new release of anything that is imported would else stop the collection.
        arguments += ["-W", "default"]
        notes.append(f"{path}: warnings are no errors here")
    requirements = checked_requirements([*wanted, *sorted(plugins)], path, notes)
    if minimum := values.get("minversion"):
        requirements += checked_requirements([f"pytest>={minimum}"], path, notes)
    return Settings(
        path=path,
        requirements=requirements,
        arguments=tuple(arguments),
        testpaths=tuple(_listed(values.get("testpaths"))),
        notes=tuple(notes),
    )


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return split_words(value)
    return as_texts(value)


def _listed(value: Any) -> list[str]:
    """Items of a list, or of a text that separates them by white space."""
    return [word for text in as_texts(value) for word in _WORDS.findall(text)]


def _lines(value: Any) -> list[str]:
    return [line.strip() for text in as_texts(value) for line in text.splitlines()]

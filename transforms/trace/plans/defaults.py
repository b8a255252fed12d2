"""Plans where no configuration says how tests are run: what is declared, and what tests show."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from transforms.trace.plans.context import Context
from transforms.trace.plans.documents import as_mapping
from transforms.trace.plans.installers import pdm, poetry
from transforms.trace.plans.pytest_settings import read_settings
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.suites import TEST_FOLDERS, collected_by_pytest, find_uses

_TEST_NAMES = re.compile(
    r"(?:unit-?)?tests?(?:ing)?(?:-(?:core|base|deps|requirements?|extras?|min))?|pytest|ci"
)
_DEVELOPMENT_NAMES = re.compile(r"dev(?:el|elop|elopment)?(?:-dependencies)?")
_FILE_NAMES = re.compile(
    r"(?:requirements?[-_./]|reqs?[-_/])?(?:dev[-_.]?)?(?:unit-?)?"
    r"(?:tests?|testing|ci)(?:[-_.]?requirements?|[-_.]?deps)?\.(?:txt|in|pip)"
)
_DEVELOPMENT_FILES = re.compile(
    r"(?:requirements?[-_./]|reqs?[-_/])?(?:dev|develop|development)(?:[-_.]?requirements?)?"
    r"\.(?:txt|in|pip)"
)
_MAX_FILES = 400
_MAX_PATHS = 20


def test_names(names: Iterable[str]) -> list[str]:
    """Those of extras' or groups' names that are for tests, or else for development."""
    names = list(names)
    found = [name for name in names if _TEST_NAMES.fullmatch(name)]
    return found or [name for name in names if _DEVELOPMENT_NAMES.fullmatch(name)]


def requirement_files(repository: Repository) -> list[str]:
    """Files of requirements for tests, or else for development, in the folders near the top."""
    paths = sorted(path for path in repository.files if path.count("/") <= 2)
    found = [path for path in paths if _is_named(path, _FILE_NAMES)]
    return found or [path for path in paths if _is_named(path, _DEVELOPMENT_FILES)]


def _is_named(path: str, pattern: re.Pattern[str]) -> bool:
    """Whether a path's name, or its name in its folder, is of a form; in tests any list is."""
    folder, name = posixpath.split(path.lower())
    within = f"{posixpath.basename(folder)}/{name}" if folder else name
    if posixpath.basename(folder) in TEST_FOLDERS and pattern is _FILE_NAMES:
        return name in {"requirements.txt", "requirements.in"}
    if "doc" in folder:
        return False
    return pattern.fullmatch(within) is not None or (
        posixpath.basename(folder) in {"", "requirements", "requirement", "reqs", "ci"}
        and pattern.fullmatch(name) is not None
    )


def run_default(context: Context, tests: Sequence[str]) -> None:
    """pytest on the test files of a repository, as its own settings find them or by their paths."""
    settings = read_settings(context.repository)
    collected = [path for path in tests if collected_by_pytest(path)]
    paths = [path for path in settings.testpaths if context.repository.exists(path)]
    if collected and not paths:
        paths = list(dict.fromkeys(map(_folder, collected)))[:_MAX_PATHS]
    if not collected:
        # Files that pytest would not find by their names are named to it.
        paths = list(tests)[:_MAX_FILES]
    context.pytest([] if settings.testpaths and collected else paths)


def _folder(path: str) -> str:
    """The outermost folder of tests that has a file, or the file itself."""
    parts = path.split("/")
    place = next((i for i, part in enumerate(parts[:-1]) if part in TEST_FOLDERS), None)
    return path if place is None else "/".join(parts[: place + 1])


def follow_heuristics(context: Context, tests: Sequence[str]) -> None:
    """The project, and what its test files import and use."""
    repository = context.repository
    metadata = context.metadata(".")
    if metadata.installable:
        context.install_project(".")
    else:
        for requirement in metadata.dependencies:
            context.install(requirement)
        if "requirements.txt" in repository.files:
            context.install_file("requirements.txt")
        if "src" in repository.folders:
            context.set_variables({"PYTHONPATH": "src"})
    uses = find_uses(repository, list(tests), _own_modules(repository, tests))
    for requirement in sorted(uses.requirements):
        context.install(requirement)
    if uses.unknown:
        context.note(f"tests import what no table knows: {', '.join(sorted(uses.unknown))}")
    run_default(context, tests)


def _own_modules(repository: Repository, tests: Sequence[str]) -> frozenset[str]:
    """Names that an import in a test file may mean in the repository itself."""
    folders = {"", "src", "lib", "python"}
    for path in tests:
        folder = posixpath.dirname(path)
        folders |= {folder, posixpath.dirname(folder)}
    names = set()
    for path in repository.files:
        if path.endswith((".py", ".pyx", ".pyi", ".so", ".c", ".rs")):
            parent, name = posixpath.split(path)
            if parent in folders:
                names.add(name.partition(".")[0])
            while parent:
                parent, name = posixpath.split(parent)
                if parent in folders:
                    names.add(name)
    return frozenset(names)


def follow_declared(context: Context, tests: Sequence[str]) -> None:
    """The project with the extras and groups of pyproject.toml that are for tests."""
    metadata = context.metadata(".")
    extras, groups = test_names(metadata.extras), test_names(metadata.groups)
    if extras or groups:
        context.install_project(".", extras)
        for group in groups:
            context.install_group(group)
        run_default(context, tests)


def follow_setup(context: Context, tests: Sequence[str]) -> None:
    """The project with the extras and ``tests_require`` of setup.cfg and setup.py."""
    metadata = context.metadata(".")
    extras = test_names(metadata.extras)
    if (metadata.tests or extras) and {"setup.py", "setup.cfg"} & {*context.repository.files}:
        context.install_project(".", extras)
        for requirement in metadata.tests:
            context.install(requirement)
        run_default(context, tests)


def follow_requirements(context: Context, tests: Sequence[str]) -> None:
    """The project and what its files of requirements for tests list."""
    paths = requirement_files(context.repository)
    if paths:
        if context.metadata(".").installable:
            context.install_project(".")
        for path in paths:
            context.install_file(path)
        run_default(context, tests)


def follow_manager(context: Context, tests: Sequence[str], tool: str) -> None:
    """What ``pdm install`` or ``poetry install`` brings, for projects of such a tool."""
    if as_mapping(context.repository.pyproject.get("tool")).get(tool):
        (pdm if tool == "pdm" else poetry)(context, ["install"])
        run_default(context, tests)

"""A repository's test files: which they are, and what they use."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from transforms.trace.plans.pytest_options import PLUGINS
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.uses import FIXTURES, MARKS, MODULES

# Of Python that is parsed; a syntax tree takes some fifty times the memory of its text.
MAX_PARSED_BYTES = 4 * 1024 * 1024
_MAX_DEPTH = 60
_TEST_NAME = re.compile(r"test_[^/]*\.py|[^/]*_tests?\.py|tests?\.py")
TEST_FOLDERS = frozenset(("test", "tests", "testing", "unittests", "unit_tests", "_tests", "t"))
_OTHER_FOLDERS = frozenset(
    ("node_modules", "site-packages", "vendor", "vendored", "_vendor", "_vendored", ".tox", ".git",
     "third_party", "venv", ".venv", "build", "dist")
)  # fmt: skip
_EXAMPLE_FOLDERS = frozenset(
    ("examples", "example", "docs", "doc", "benchmarks", "benchmark", "bench", "fixtures", "data",
     "templates", "samples", "perf", "demo", "tutorials")
)  # fmt: skip


def is_test_file(path: str, content: bytes) -> bool:
    """Whether a Python file has tests, by its name or folder and its text."""
    name = posixpath.basename(path)
    in_folder = bool(TEST_FOLDERS & {*path.split("/")[:-1]})
    by_folder = in_folder and name not in {"__init__.py", "conftest.py"}
    is_named = by_folder or _TEST_NAME.fullmatch(name) is not None
    return path.endswith(".py") and is_named and _is_own(path) and _has_tests(content)


def _is_own(path: str) -> bool:
    """Whether a path is in no folder of examples, of others' code or of what was built."""
    folders = path.split("/")[:-1]
    return not (_OTHER_FOLDERS & {*folders} or _EXAMPLE_FOLDERS & {*folders[:1]})


def _has_tests(content: bytes) -> bool:
    return any(
        mark in content
        for mark in (b"def test", b"TestCase", b"class Test", b"@given", b"pytest.mark")
    )


def find_test_files(files: Mapping[str, bytes]) -> list[str]:
    """Paths of all test files, sorted."""
    return sorted(path for path, content in files.items() if is_test_file(path, content))


def collected_by_pytest(path: str) -> bool:
    """Whether pytest takes a file for tests by its name, without being told."""
    return re.fullmatch(r"test_.*\.py|.*_test\.py", posixpath.basename(path)) is not None


def collected_by_default(paths: Iterable[str]) -> list[str]:
    """Paths of a project's own files that pytest takes for tests, sorted; of examples none."""
    return sorted(path for path in paths if collected_by_pytest(path) and _is_own(path))


@dataclass
class Uses:
    """What test files use that has to be installed: requirements, and modules not known."""

    requirements: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


@dataclass
class _Names:
    """Names in test files, gathered before it is known which fixtures are the project's own."""

    modules: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    plugins: set[str] = field(default_factory=set)


def find_uses(repository: Repository, paths: list[str], own: frozenset[str]) -> Uses:
    """Requirements of test files by imports, fixtures, marks and plugins of conftest files.

    ``own`` are names of modules that the repository has. Imports inside of ``try`` are no
    requirements, since the tests do without; nor are modules that no table knows, since
    their distributions may be called anything.
    """
    names = _Names()
    conftests = sorted(path for path in repository.files if path.endswith("conftest.py"))
    left = MAX_PARSED_BYTES
    for path in [*conftests, *paths]:
        left -= len(repository.files[path])
        if left > 0:
            _read_body(repository.parse_python(path).body, names, 0)
    uses = Uses()
    for module in names.modules:
        _add_module(module, own, uses)
    fixtures = names.arguments - names.defined
    uses.requirements |= {FIXTURES[name] for name in fixtures if name in FIXTURES}
    uses.requirements |= {MARKS[name] for name in names.marks if name in MARKS}
    uses.requirements |= {PLUGINS[name] for name in names.plugins if name in PLUGINS}
    return uses


def _add_module(module: str, own: frozenset[str], uses: Uses) -> None:
    top = module.partition(".")[0]
    if top in own or top in sys.stdlib_module_names or not top:
        return
    known = MODULES.get(module) or MODULES.get(top)
    if known is None:
        uses.unknown.add(top)
    elif known:
        uses.requirements.add(known)


def _read_body(body: list[ast.stmt], names: _Names, depth: int) -> None:
    """Names of statements that run when a file is imported, and of its tests and fixtures."""
    for statement in body:
        if isinstance(statement, ast.Import):
            names.modules.update(alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            names.modules.add(statement.module)
            names.modules.update(f"{statement.module}.{each.name}" for each in statement.names)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _read_function(statement, names)
        elif isinstance(statement, ast.Assign):
            _read_assignment(statement, names)
        elif isinstance(statement, ast.If | ast.With | ast.ClassDef) and depth < _MAX_DEPTH:
            is_for_types = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(
                statement.test
            )
            if not is_for_types:
                _read_body(statement.body, names, depth + 1)
        if isinstance(statement, ast.ClassDef):
            _read_decorators(statement.decorator_list, names)


def _read_function(function: ast.FunctionDef | ast.AsyncFunctionDef, names: _Names) -> None:
    names.defined.add(function.name)
    if function.name.startswith("test") or function.decorator_list:
        names.arguments.update(each.arg for each in function.args.args)
    _read_decorators(function.decorator_list, names)


def _read_decorators(decorators: list[ast.expr], names: _Names) -> None:
    for decorator in decorators:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and getattr(called.value, "attr", "") == "mark":
            names.marks.add(called.attr)
        # Names that `parametrize` or `given` gives are arguments and no fixtures.
        if isinstance(decorator, ast.Call):
            names.defined.update(each.arg for each in decorator.keywords if each.arg)
            for argument in decorator.args[:1]:
                names.defined.update(_texts(argument))


def _texts(node: ast.expr) -> Iterator[str]:
    for each in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from each.value.replace(",", " ").split()


def _read_assignment(statement: ast.Assign, names: _Names) -> None:
    targets = {target.id for target in statement.targets if isinstance(target, ast.Name)}
    if "pytest_plugins" in targets:
        names.plugins.update(_texts(statement.value))
    elif "pytestmark" in targets:
        for node in ast.walk(statement.value):
            if isinstance(node, ast.Attribute) and getattr(node.value, "attr", "") == "mark":
                names.marks.add(node.attr)

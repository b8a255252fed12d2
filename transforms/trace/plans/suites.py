"""A repository's test files: which they are, and what they use."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from transforms.trace.plans.pytest_options import PLUGINS
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.uses import FIXTURES, MARKS, MODULES

MAX_PARSED = 400
_MAX_DEPTH = 60
_TEST_NAME = re.compile(r"test_[^/]*\.py|[^/]*_tests?\.py|tests?\.py")
TEST_FOLDERS = frozenset(("test", "tests", "testing", "unittests", "unit_tests", "t"))
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
    if not path.endswith(".py"):
        return False
    folders = path.split("/")[:-1]
    if _OTHER_FOLDERS & {*folders} or _EXAMPLE_FOLDERS & {*folders[:1]}:
        return False
    name = posixpath.basename(path)
    by_name = _TEST_NAME.fullmatch(name) is not None
    in_folder = bool(TEST_FOLDERS & {*folders}) and name not in {"__init__.py", "conftest.py"}
    return (by_name or in_folder) and _has_tests(content)


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


@dataclass
class Uses:
    """What test files use that has to be installed: requirements, and modules not known."""

    requirements: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def find_uses(repository: Repository, paths: list[str], own: frozenset[str]) -> Uses:
    """Requirements of test files by imports, fixtures, marks and plugins of conftest files.

    ``own`` are names of modules that the repository has. Imports inside of ``try`` are no
    requirements, since the tests do without; nor are modules that no table knows, since
    their distributions may be called anything.
    """
    uses = Uses()
    conftests = [path for path in repository.files if posixpath.basename(path) == "conftest.py"]
    trees = [repository.python(path) for path in [*sorted(conftests)[:50], *paths[:MAX_PARSED]]]
    fixtures = {name for tree in trees for name in _defined(tree)}
    for tree in trees:
        for module in set(_imports(tree.body, 0)):
            _add_module(module, own, uses)
        for node in ast.walk(tree):
            _add_node(node, fixtures, uses)
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


def _imports(body: list[ast.stmt], depth: int) -> Iterator[str]:
    """Modules that must be there for a file to be imported; those of functions are left out."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            yield statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.If | ast.With | ast.ClassDef) and depth < _MAX_DEPTH:
            if "TYPE_CHECKING" not in ast.dump(getattr(statement, "test", statement))[:200]:
                yield from _imports(statement.body, depth + 1)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
            for decorator in node.decorator_list:
                # Names that `parametrize` gives are arguments and no fixtures.
                if isinstance(decorator, ast.Call) and decorator.args:
                    first = decorator.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield from first.value.replace(",", " ").split()


def _add_node(node: ast.AST, fixtures: set[str], uses: Uses) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if node.name.startswith("test") or node.decorator_list:
            for argument in node.args.args:
                if argument.arg in FIXTURES and argument.arg not in fixtures:
                    uses.requirements.add(FIXTURES[argument.arg])
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        if node.value.attr == "mark" and node.attr in MARKS:
            uses.requirements.add(MARKS[node.attr])
    elif isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytest_plugins" for target in node.targets
    ):
        for constant in ast.walk(node.value):
            if isinstance(constant, ast.Constant) and constant.value in PLUGINS:
                uses.requirements.add(PLUGINS[str(constant.value)])

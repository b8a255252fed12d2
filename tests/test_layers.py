"""The house plan: who may import whom, and how long a module may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "transforms", "pipeline", "runners")
MAX_LINES = 400

MODULES = sorted(
    str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)
# A folder of transforms with a stage module is a stage; other folders are shared by stages.
STAGES = {path.parent.name for path in (ROOT / "transforms").glob("*/stage.py")}
WITH_BEAM = {"stage.py", "coders.py"}


def imports(module: str) -> Iterator[str]:
    """Dotted names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(module: str) -> set[str]:
    """What a module imports from our packages, as (package, next name) joined by a dot."""
    names = (name.split(".") for name in imports(module))
    return {
        ".".join(parts[:2]) for parts in names if parts[0] in (*PACKAGES, "tests", "benchmarks")
    }


def in_package(*packages: str) -> list[str]:
    return [module for module in MODULES if Path(module).parts[0] in packages]


def test_there_are_modules_to_check():
    assert {Path(module).parts[0] for module in MODULES} == set(PACKAGES)
    assert {"annotate", "crawl", "deduplicate", "select", "shard", "tokenize"} <= STAGES


@pytest.mark.parametrize("module", in_package("schemas"))
def test_schemas_import_no_other_package_of_ours(module):
    assert {name.split(".")[0] for name in ours(module)} <= {"schemas"}


@pytest.mark.parametrize("module", in_package("runners"))
def test_runners_import_no_other_package_of_ours(module):
    assert {name.split(".")[0] for name in ours(module)} <= {"runners"}


@pytest.mark.parametrize("module", in_package("transforms"))
def test_transforms_import_schemas_and_transforms_only(module):
    assert {name.split(".")[0] for name in ours(module)} <= {"schemas", "transforms"}


@pytest.mark.parametrize("module", in_package("transforms"))
def test_no_stage_imports_another(module):
    folder = Path(module).parts[1]
    imported = {name.split(".")[1] for name in ours(module) if name.startswith("transforms.")}
    assert imported & STAGES <= {folder}


@pytest.mark.parametrize("module", in_package("transforms"))
def test_only_stage_and_coders_import_beam(module):
    if Path(module).name not in WITH_BEAM:
        assert not {name for name in imports(module) if name.split(".")[0] == "apache_beam"}


@pytest.mark.parametrize("module", in_package("pipeline"))
def test_the_pipeline_imports_no_tests_and_no_benchmarks(module):
    assert {name.split(".")[0] for name in ours(module)} <= set(PACKAGES)


def test_the_trainer_imports_no_transforms_and_no_beam():
    for module in MODULES:
        if module.startswith("pipeline/train/"):
            found = {name.split(".")[0] for name in imports(module)}
            assert not found & {"apache_beam", "transforms", "runners"}, module


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_too_long(module):
    lines = (ROOT / module).read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES, "split it by noun"

from transforms.trace.environments.calls import Runner, SuiteCommand
from transforms.trace.environments.planning import commands_of, needs_of
from transforms.trace.plans import (
    CommandKind,
    Install,
    InstallKind,
    Origin,
    TestCommand,
    TestPlan,
)

PROJECT = Install(InstallKind.PROJECT, ".", ("test",))


def test_a_plan_says_what_is_needed():
    plan = TestPlan(
        Origin.TOX,
        interpreters=("3.12", "3.9"),
        requires_python=">=3.8",
        installs=(
            PROJECT,
            Install(InstallKind.PROJECT, "plugins/one"),
            Install(InstallKind.GROUP, "unknown"),
            Install(InstallKind.GROUP, "known", requirements=("mock",)),
            Install(InstallKind.REQUIREMENT, "attrs>=1"),
            Install(InstallKind.BUILD, "cython"),
        ),
        commands=(TestCommand(CommandKind.PYTEST),),
    )
    files = {"setup.py": b"", "PKG-INFO": b"Requires-Dist: six\n"}
    needs = needs_of(plan, files, "1.2")
    assert (needs.requires_python, needs.named_pythons) == (">=3.8", ("3.12", "3.9"))
    assert (needs.folder, needs.installable, needs.extras) == (".", True, ("test",))
    assert (needs.folders, needs.groups) == (("plugins/one",), ("unknown",))
    assert (needs.requirements, needs.dependencies) == (("mock", "attrs>=1"), ("six",))
    assert (needs.tools, needs.version) == (("pytest",), "1.2")


def test_a_project_in_a_folder_is_installed_from_there():
    plan = TestPlan(Origin.TOX, installs=(Install(InstallKind.PROJECT, "python"),))
    assert needs_of(plan, {"python/pyproject.toml": b""}, "0").folder == "python"
    assert needs_of(plan, {"python/pyproject.toml": b""}, "0").installable
    assert not needs_of(TestPlan(Origin.HEURISTICS), {"a.py": b""}, "0").installable


def test_suites_of_unittest_need_no_pytest():
    plan = TestPlan(Origin.TOX, commands=(TestCommand(CommandKind.UNITTEST, ("tests",)),))
    assert needs_of(plan, {}, "0").tools == ()


def test_what_environments_once_had_is_added_unless_the_plan_has_it():
    files = {"a.py": b"import pkg_resources\n"}
    plan = TestPlan(Origin.TOX, installs=(Install(InstallKind.REQUIREMENT, "Setuptools==60"),))
    assert needs_of(TestPlan(Origin.TOX), files, "0").tools == ("pytest", "setuptools<81")
    assert needs_of(plan, files, "0").tools == ("pytest",)


def test_commands_keep_their_order_folder_and_variables():
    plan = TestPlan(
        Origin.TOX,
        environment=(("A", "1"),),
        commands=(
            TestCommand(CommandKind.SCRIPT, ("run.py",), "sub"),
            TestCommand(CommandKind.PYTEST, ("tests",)),
        ),
    )
    assert commands_of(plan) == (
        SuiteCommand(Runner.SCRIPT, ("run.py",), "sub", {"A": "1"}),
        SuiteCommand(Runner.PYTEST, ("tests",), ".", {"A": "1"}),
    )

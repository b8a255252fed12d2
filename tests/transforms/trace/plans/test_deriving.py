import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.trace.plans.builders import PROJECT, TEST, project, workflow
from transforms.trace.plans import (
    Origin,
    combine,
    derive_plans,
    has_tests,
    plan_from_json,
    plan_to_json,
)

CONFIGURATIONS = [
    ".github/workflows/a.yml", ".gitlab-ci.yml", ".travis.yml", ".circleci/config.yml", "tox.ini",
    "tox.toml", "noxfile.py", "hatch.toml", "Makefile", "justfile", "pyproject.toml", "setup.cfg",
    "setup.py", "PKG-INFO", "requirements-test.txt", "pytest.ini", "Pipfile", "tests/conftest.py",
    "tests/test_x.py",
]  # fmt: skip


def origins(files):
    return [str(plan.origin) for plan in derive_plans(files)]


def test_without_tests_and_configuration_there_is_no_plan():
    assert derive_plans({"a.py": b"x = 1"}) == ()
    assert not has_tests({"a.py": b"x = 1"})


def test_test_files_alone_give_a_plan_from_heuristics():
    (plan,) = derive_plans({"tests/test_a.py": b"import yaml\ndef test_a(): pass\n"})
    assert plan.origin is Origin.HEURISTICS
    assert plan.requirements == ("pyyaml", "pytest")
    assert plan.commands[0].arguments == ("tests",)


def test_files_that_pytest_does_not_find_are_named_to_it():
    (plan,) = derive_plans({"a/tests/tests.py": TEST.encode()})
    assert plan.commands[0].arguments == ("a/tests/tests.py",)


def test_all_configurations_are_read_the_most_trusted_first():
    files = project(
        {
            **workflow("pip install a\npytest"),
            ".gitlab-ci.yml": "t: {script: [pip install b, pytest]}",
            ".travis.yml": "script: [pip install c, pytest]",
            ".circleci/config.yml": "jobs: {t: {steps: [{run: 'pip install d; pytest'}]}}",
            "tox.ini": "[testenv]\ndeps = e\ncommands = pytest",
            "noxfile.py": "import nox\n@nox.session\ndef tests(s):\n    s.install('f')\n"
            "    s.run('pytest')",
            "Makefile": "test:\n\tpip install i\n\tpytest",
            "requirements-test.txt": "l\n",
            "setup.py": "setup(tests_require=['k'])",
        },
        pyproject=PROJECT
        + "[project.optional-dependencies]\ntest = ['j']\n"
        + "[tool.hatch.envs.default]\ndependencies = ['g']\nscripts.test = 'pytest'\n"
        + "[tool.pdm]\nscripts.test = 'pytest'\n"
        + "[tool.poetry.group.dev.dependencies]\nh = '*'\n"
        + "[tool.poetry.group.more]\noptional = true\ndependencies = {m = '*'}\n",
    )
    assert list(dict.fromkeys(origins(files))) == [str(origin) for origin in Origin]


def test_the_job_for_most_versions_comes_first_and_lint_gives_none():
    files = project(
        {
            ".github/workflows/a.yml": """\
            jobs:
              lint: {runs-on: ubuntu-latest, steps: [{run: ruff check}]}
              old: {runs-on: ubuntu-latest, steps: [{run: "pip install old; pytest"}]}
              all:
                runs-on: ubuntu-latest
                strategy: {matrix: {python: ["3.11", "3.12"]}}
                steps: [{run: pytest}]
            """
        }
    )
    first, second, *_ = derive_plans(files)
    assert first.interpreters == ("3.12", "3.11")
    assert "old" in second.requirements


def test_what_is_wrong_with_a_file_is_noted_and_others_are_read():
    plans = derive_plans(
        project({".travis.yml": "a: [", "tox.ini": "[testenv]\ncommands = pytest"})
    )
    assert [str(plan.origin) for plan in plans] == ["tox", "heuristics"]
    assert any(note.startswith(".travis.yml: no YAML") for note in plans[0].notes)


def test_a_project_is_no_requirement_of_itself():
    files = project({**workflow("pip install thing pytest\npytest")})
    assert "thing" not in combine(derive_plans(files)).requirements


def test_a_project_needs_no_plugin_for_itself():
    text = "import pytest\n@pytest.mark.timeout(1)\n@pytest.mark.asyncio\ndef test_a(): pass\n"
    files = project({"tests/test_a.py": text}, pyproject=PROJECT.replace("thing", "timeout"))
    assert combine(derive_plans(files)).requirements == ("pytest", "pytest-asyncio")


def test_plans_survive_json():
    for plan in derive_plans(project(workflow("TZ=UTC pytest -k 'é'"))):
        assert plan_from_json(plan_to_json(plan)) == plan
    with pytest.raises(ValueError, match="origin"):
        plan_from_json("{}")


def test_circles_of_targets_environments_and_scripts_end():
    files = project(
        {
            **workflow("make a"),
            "Makefile": "a: b\n\tmake a\n\ttox -e x\nb: a\n\tmake b\n",
            "tox.ini": "[testenv:x]\ncommands = make a\n    tox -e x\n    pytest\n",
        }
    )
    (plan, *_) = derive_plans(files)
    assert plan.origin is Origin.GITHUB
    assert "Makefile: 'a' not followed: it goes in circles" in plan.notes


def test_the_combined_plan_has_requirements_of_all_and_the_first_command():
    files = project(
        {
            **workflow("pip install 'a>=1' ruff sphinx\npytest tests\npytest tests -k x"),
            "tox.ini": "[testenv]\ndeps =\n    a\n    b\ncommands = pytest other",
            "tests/test_thing.py": "import yaml\ndef test_a(): pass\n",
        }
    )
    plan = combine(derive_plans(files))
    assert plan.origin is Origin.GITHUB
    assert {*plan.requirements} == {"a>=1", "b", "pytest", "pyyaml"}
    assert [each.arguments for each in plan.commands] == [("tests",)]
    assert [each.value for each in plan.projects] == ["."]
    assert "ruff, sphinx" in " ".join(plan.notes)


def test_commands_that_find_other_tests_are_all_kept():
    plan = combine(derive_plans(project(workflow("pytest\npytest --doctest-modules\npytest -m x"))))
    assert [each.arguments for each in plan.commands] == [(), ("--doctest-modules",)]


def test_scripts_come_behind_pytest_of_any_configuration():
    files = project(
        {
            **workflow("python tests/run_tests.py"),
            "tests/run_tests.py": "",
            "tox.ini": "[testenv]\ncommands = pytest tests",
        }
    )
    assert derive_plans(files)[0].origin is Origin.GITHUB
    assert combine(derive_plans(files)).origin is Origin.TOX


def test_nothing_cannot_be_combined():
    with pytest.raises(ValueError, match="no plans"):
        combine(())


TEXTS = st.text(alphabet="{}[]()<>=:;,.-+*&!|#'\"\\$@%~ \n\tabtestpy1\0", max_size=120)
WORDS = st.lists(
    st.sampled_from(
        ["jobs:", "\n", " ", "steps:", "- run: pytest", "[testenv]", "commands =", "{posargs}",
         "script:", "test:", "\tpytest", "pip install -r", "-e", "&a", "*a", "<<:", "[tool.tox]",
         "import nox", "def test_a(x):", "setup(", "{[a]b}", "$(x)", "make test", "tox -e", "${X}"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(CONFIGURATIONS), st.one_of(TEXTS, WORDS), max_size=6))
def test_no_files_raise_and_all_paths_stay_inside(texts):
    files = {"tests/test_a.py": TEST.encode(), **{k: v.encode() for k, v in texts.items()}}
    plans = derive_plans(files)
    for plan in (*plans, *([combine(plans)] if plans else [])):
        assert plan_from_json(plan_to_json(plan)) == plan
        for command in plan.commands:
            assert ".." not in command.directory.split("/")
            assert not command.directory.startswith("/")


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(CONFIGURATIONS), st.binary(max_size=60), max_size=5))
def test_no_bytes_raise(files):
    derive_plans(files)


def test_large_files_are_read_within_bounds():
    files = dict.fromkeys(CONFIGURATIONS, b"a: " * 400_000)
    assert all(plan.origin is Origin.HEURISTICS for plan in derive_plans(files))


def test_work_that_multiplies_is_bounded():
    many = " ".join(f"t{n}" for n in range(200))
    targets = "".join(f"t{n}:\n\tmake {many}\n\ttox\n\tpytest *\n" for n in range(200))
    envs = ",".join(f"e{n}" for n in range(200))
    matrix = {f"a{n}": ["x", "y"] for n in range(8)}
    job = {
        "runs-on": "ubuntu-latest",
        "strategy": {"matrix": matrix},
        "steps": [{"run": "make t0"}],
    }
    jobs = {f"j{n}": job for n in range(60)}
    files = {
        ".github/workflows/a.yml": yaml.safe_dump({"jobs": jobs}).encode(),
        "Makefile": targets.encode(),
        "tox.ini": f"[tox]\nenvlist = {envs}\n[testenv]\ncommands = make {many}\n".encode(),
        "tests/test_a.py": TEST.encode(),
    }
    plans = derive_plans(files)
    assert plans[-1].origin is Origin.HEURISTICS
    assert any("too much work" in note for note in plans[-1].notes)

"""Programs that run tests or other programs, and the table of all that are followed."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from types import MappingProxyType

from transforms.trace.plans import installers
from transforms.trace.plans.choices import is_for_tests, pick_first
from transforms.trace.plans.context import Context, Recipe, Step, Tool
from transforms.trace.plans.nox import nox_sessions
from transforms.trace.plans.plan import CommandKind
from transforms.trace.plans.repository import Repository, inside
from transforms.trace.plans.setup_script import setup_arguments
from transforms.trace.plans.targets import just_target, make_target
from transforms.trace.plans.tox import read_tox

_PYTHON_VALUES = frozenset(("-W", "-X", "--check-hash-based-pycs"))
_COVERAGE_OPTIONS = """
    --source --omit --include --rcfile --context --concurrency --data-file --save-signal
    --source-pkg --source-dirs
"""
_COVERAGE_VALUES = frozenset(_COVERAGE_OPTIONS.split())
_SHELLS = frozenset(("sh", "bash"))
_SILENT = """
    echo printf set true false : ls cat which uname mkdir exit printenv pwd source . deactivate
    popd git test date sleep touch chmod shopt type unset ulimit
"""


def python(context: Context, words: Sequence[str]) -> None:
    """``python -m MODULE``, or a script of the repository."""
    rest = list(words)
    while rest and rest[0].startswith("-") and not rest[0].startswith("-m"):
        option = rest.pop(0)
        if option == "-c" or option == "-":
            context.note(f"python {option} {' '.join(rest)[:60]!r} not followed")
            return
        if option in _PYTHON_VALUES and rest:
            rest.pop(0)
    if not rest:
        return
    if rest[0].startswith("-m"):
        module = rest.pop(0)[2:] or (rest.pop(0) if rest else "")
        _module(context, module, rest)
    else:
        _script(context, rest)


def _module(context: Context, module: str, words: list[str]) -> None:
    if module == "unittest" or module.startswith("unittest."):
        _unittest(context, words)
    elif module in _MODULES:
        context.run([module, *words])
    elif _has_module(context.repository, module) and _names_tests(module):
        context.command(CommandKind.SCRIPT, ["-m", module, *_plain_arguments(words)])
    else:
        context.note(f"module {module[:80]!r} not followed")


def _has_module(repository: Repository, module: str) -> bool:
    path = module.replace(".", "/")
    return any(
        f"{prefix}{path}{end}" in repository.files
        for prefix in ("", "src/", "lib/")
        for end in (".py", "/__init__.py", "/__main__.py")
    )


def _names_tests(name: str) -> bool:
    return "test" in name.lower()


def _plain_arguments(words: Sequence[str]) -> list[str]:
    """Arguments of a test script; those that could be paths outside are left out."""
    return [word for word in words[:50] if inside(word.rpartition("=")[2] or ".") is not None]


def _unittest(context: Context, words: Sequence[str]) -> None:
    """unittest's arguments but those that end a run early or show more."""
    kept: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word in {
            "-f",
            "--failfast",
            "-v",
            "--verbose",
            "-q",
            "--quiet",
            "-c",
            "--catch",
            "-b",
            "--buffer",
            "--locals",
            "--durations",
        }:
            continue
        value = word.rpartition("=")[2]
        if "/" in value and inside(value, context.directory) is None:
            context.note(f"unittest argument {word[:80]!r} refused: it is outside")
            return
        kept.append(word)
    context.command(CommandKind.UNITTEST, kept)


def _script(context: Context, words: Sequence[str]) -> None:
    """A Python script: setup.py, or one whose name says that it runs tests."""
    path = inside(words[0], context.directory)
    if path is None or path not in context.repository.files:
        context.note(f"script {words[0][:80]!r} refused: no such file inside")
    elif posixpath.basename(path) == "setup.py":
        _setup(context, words[1:])
    elif _names_tests(path) or (posixpath.basename(path) == "manage.py" and "test" in words):
        relative = posixpath.relpath(path, context.directory)
        context.command(CommandKind.SCRIPT, [relative, *_plain_arguments(words[1:])])
    else:
        context.note(f"script {path[:80]!r} not followed: its name says nothing of tests")


def _setup(context: Context, words: Sequence[str]) -> None:
    """``setup.py install``, ``develop`` and ``test``, the last as what it would have run."""
    if {"install", "develop", "build_ext", "test", "pytest"} & {*words}:
        context.install_project(context.directory)
    if not {"test", "pytest"} & {*words}:
        return
    for requirement in context.metadata(context.directory).tests:
        context.install(requirement)
    prefix = "" if context.directory == "." else f"{context.directory}/"
    arguments = setup_arguments(context.repository.python(f"{prefix}setup.py"))
    suite = arguments.get("test_suite")
    if isinstance(suite, str) and "pytest" not in words and "collector" not in suite:
        is_folder = _has_module(context.repository, suite)
        start = ["discover", "-s", suite.replace(".", "/"), "-t", "."] if is_folder else [suite]
        context.command(CommandKind.UNITTEST, start)
    else:
        context.pytest([])


def coverage(context: Context, words: Sequence[str]) -> None:
    """``coverage run`` without coverage; its reports are nothing."""
    if words[:1] != ["run"]:
        return
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and not rest[0].startswith("-m"):
        if rest.pop(0) in _COVERAGE_VALUES and rest:
            rest.pop(0)
    if rest[:1] == ["--module"]:
        rest[0] = "-m"
    python(context, rest)


def tox(context: Context, words: Sequence[str]) -> None:
    """``tox`` with the environments that it is told, or those that are for tests."""
    file = read_tox(context.repository)
    if file is None:
        context.note("tox is run without a configuration")
        return
    names: list[str] = []
    arguments: tuple[str, ...] = ()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments = tuple(rest)
            break
        if word in {"-e", "-f", "-m"} and rest:
            names += rest.pop(0).split(",") if word == "-e" else []
        elif word.startswith("-e") and len(word) > 2:
            names += word[2:].lstrip("=").split(",")
    names = names or context.variables.get("TOXENV", "").split(",")
    named = [recipe for name in names if (recipe := file.recipe(name.strip(), arguments))]
    if named:
        for recipe in named:
            context.apply(recipe)
    else:
        _apply_first(context, [r for name in file.names() if (r := file.recipe(name, arguments))])


def _apply_first(context: Context, recipes: Sequence[Recipe]) -> None:
    """Follows recipes, those that look the most like tests first, until one runs tests."""
    before = len(context.commands)
    for recipe in pick_first(recipes):
        context.apply(recipe)
        if len(context.commands) > before:
            return


def nox(context: Context, words: Sequence[str]) -> None:
    """``nox`` with the sessions that it is told, or those that are for tests."""
    sessions = nox_sessions(context.repository)
    names: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if word in {"-s", "--session", "--sessions", "-e"}:
            while rest and not rest[0].startswith("-"):
                names.append(rest.pop(0))
        elif word.startswith(("--session=", "--sessions=")):
            names += word.partition("=")[2].split(",")
    # A version or parameters may follow a session's name: tests-3.12, tests(x=1).
    named = [
        recipe for recipe in sessions
        if any(name == recipe.name or name.startswith((f"{recipe.name}-", f"{recipe.name}("))
               for name in names)
    ]  # fmt: skip
    if named:
        for recipe in named:
            context.apply(recipe)
    else:
        _apply_first(context, [recipe for recipe in sessions if is_for_tests(recipe.name)])


def make(context: Context, words: Sequence[str]) -> None:
    """Targets of a Makefile; ``-C`` leads to another folder."""
    directory, names, rest = context.directory, list[str](), list(words)
    while rest:
        word = rest.pop(0)
        if word == "-C" and rest:
            directory = inside(rest.pop(0), directory) or "/outside"
        elif not word.startswith("-") and "=" not in word:
            names.append(word)
    for name in names or [None]:
        recipe = make_target(context.repository, name, directory)
        if recipe is None:
            context.note(f"make target {(name or 'of no name')[:80]!r} is not in a Makefile")
        else:
            context.apply(recipe)


def just(context: Context, words: Sequence[str]) -> None:
    """A target of a justfile; words behind it are its arguments."""
    names = [word for word in words if not word.startswith("-")]
    recipe = just_target(context.repository, names[0] if names else None, context.directory)
    if recipe is None:
        context.note(f"just {' '.join(words)[:80]!r} is not in a justfile")
    else:
        context.apply(recipe)


def script(context: Context, words: Sequence[str]) -> None:
    """A file of the repository that is run as a program: a shell or Python script."""
    path = inside(words[0], context.directory)
    if path is None or path not in context.repository.files:
        context.note(f"script {words[0][:80]!r} refused: no such file inside")
        return
    first = context.repository.text(path).partition("\n")[0]
    if path.endswith(".py") or "python" in first:
        python(context, words)
    elif path.endswith((".sh", ".bash")) or first.rstrip().endswith(
        ("/sh", "bash", " sh", "sh -e")
    ):
        _apply_shell(context, path)
    else:
        context.note(f"script {path[:80]!r} not followed")


def _apply_shell(context: Context, path: str) -> None:
    context.apply(Recipe(path, path, (Step(context.repository.text(path), 1, context.directory),)))


def shell(context: Context, words: Sequence[str]) -> None:
    """A shell with a script of the repository."""
    rest = [word for word in words if not word.startswith("-")]
    if "-c" in words or not rest:
        context.note(f"shell {' '.join(words)[:80]!r} not followed")
    else:
        script(context, rest)


def _prefix(values: frozenset[str], positional: int = 0) -> Tool:
    """A program that runs another one, behind its own options and arguments."""

    def follow(context: Context, words: Sequence[str]) -> None:
        rest = list(words)
        while rest and rest[0].startswith("-"):
            if rest.pop(0) in values and rest:
                rest.pop(0)
        context.run(rest[positional:])

    return follow


def env(context: Context, words: Sequence[str]) -> None:
    """A program with variables in front of it."""
    rest = [word for word in words if word not in {"-i", "-"}]
    values = {}
    while rest and "=" in rest[0] and not rest[0].startswith("-"):
        name, _, value = rest.pop(0).partition("=")
        values[name] = value
    context.set_variables(values)
    context.run(rest)


def export(context: Context, words: Sequence[str]) -> None:
    """Variables for all that follows."""
    context.set_variables(dict(word.split("=", 1) for word in words if "=" in word))


def change_directory(context: Context, words: Sequence[str]) -> None:
    """``cd`` and ``pushd``."""
    if words:
        context.change_directory(words[-1])


def pytest(context: Context, words: Sequence[str]) -> None:
    """pytest by its own name."""
    context.pytest(words)


def nose(context: Context, words: Sequence[str]) -> None:
    """nose, which no current Python runs, as pytest with the same paths."""
    context.note("nose is replaced by pytest")
    context.pytest([word for word in words if not word.startswith("-")])


def nothing(context: Context, words: Sequence[str]) -> None:
    """A program that changes nothing here."""


_MODULES: dict[str, Tool] = {
    "pip": installers.pip,
    "pytest": pytest,
    "py.test": pytest,
    "nose": nose,
    "coverage": coverage,
    "tox": tox,
    "nox": nox,
    "uv": installers.uv,
    "hatch": installers.hatch,
    "poetry": installers.poetry,
    "pdm": installers.pdm,
    "pipenv": installers.pipenv,
    "poethepoet": installers.poe,
    **dict.fromkeys(("venv", "virtualenv", "build", "ensurepip", "compileall", "site"), nothing),
}

PROGRAMS = MappingProxyType({
    **_MODULES,
    **dict.fromkeys(("python", "python2", "python3", "py", "$PYTHON"), python),
    **dict.fromkeys((f"python3.{minor}" for minor in range(6, 20)), python),
    **dict.fromkeys(("pip3", "pip3.x"), installers.pip),
    **dict.fromkeys(("nosetests", "nose2"), nose),
    **dict.fromkeys(_SHELLS, shell),
    "coverage3": coverage,
    "slipcover": _prefix(frozenset(("--source", "--out"))),
    "uvx": installers.uvx,
    "pipx": installers.pipx,
    "poe": installers.poe,
    "rye": installers.rye,
    "make": make,
    "gmake": make,
    "just": just,
    "script": script,
    "env": env,
    "export": export,
    "cd": change_directory,
    "pushd": change_directory,
    "xvfb-run": _prefix(frozenset(("-s", "-n", "-e", "-f"))),
    "time": _prefix(frozenset()),
    "exec": _prefix(frozenset()),
    "command": _prefix(frozenset()),
    "timeout": _prefix(frozenset(("-k", "-s")), positional=1),
    **dict.fromkeys(_SILENT.split(), nothing),
})  # fmt: skip
"""What follows a program's arguments, by the program's name."""

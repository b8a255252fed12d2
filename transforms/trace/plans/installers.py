"""Programs that install, as far as they are followed: pip, uv, poetry, pdm, hatch and others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from transforms.trace.plans.context import Context
from transforms.trace.plans.documents import as_mapping
from transforms.trace.plans.scripts import HATCH_TEST, hatch_recipe, named_script

# Options whose value is the next word, by the programs that have them.
_VALUES = """
    -r --requirement -c --constraint -e --editable -i --index-url --extra-index-url -f
    --find-links --group --extra --python --only-binary --no-binary --progress-bar --timeout
    --retries --trusted-host -t --target --prefix --root --platform --python-version --cache-dir
    --config-settings -C --global-option --upgrade-strategy --resolution --prerelease --no-group
    --only-group --with --with-requirements --with-editable -p --directory --project --package
    --default-index --index --index-strategy --env-file --config-file --link-mode --no-extra
    --override --build-constraint --report --log --proxy --src -w --exclude-newer --no-build-package
    --no-binary-package --refresh-package --reinstall-package --upgrade-package -P --color
"""
_PIP_VALUES = frozenset(_VALUES.split())
_SOURCES = "-i --index-url --extra-index-url -f --find-links --index --default-index"
_OTHER_SOURCES = frozenset(_SOURCES.split())


def _options(words: Sequence[str], with_values: frozenset[str]) -> Iterator[tuple[str | None, str]]:
    """Pairs of an option and its value, "" where it takes none, and (None, word) for others."""
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if not word.startswith("-") or word == "-":
            yield None, word
            continue
        name, equals, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2 and word[:2] in with_values:
            name, equals, value = word[:2], "=", word[2:].removeprefix("=")
        if not equals and name in with_values and pending:
            value = pending.pop(0)
        yield name, value


def pip(context: Context, words: Sequence[str]) -> None:
    """``pip install`` and its options; other commands of pip change nothing."""
    found = [word for word in words if not word.startswith("-")]
    if not found or found[0] != "install":
        if found and found[0] in {"uninstall", "download"}:
            context.note(f"pip {' '.join(found)[:80]} not followed")
        return
    arguments = list(words)
    arguments.remove("install")
    for option, value in _options(arguments, _PIP_VALUES):
        _pip_argument(context, option, value)


def _pip_argument(context: Context, option: str | None, value: str) -> None:
    if option is None or option in {"-e", "--editable", "--with-editable"}:
        context.install(value)
    elif option in {"-r", "--requirement", "--with-requirements"}:
        context.install_file(value)
    elif option in {"--group", "--only-group"}:
        context.install_group(canonicalize_name(value.rpartition(":")[2]))
    elif option == "--extra":
        context.install_project(".", (canonicalize_name(value),))
    elif option in _OTHER_SOURCES:
        context.note(f"{option} {value[:80]} refused: packages come from the index only")
    elif option in {"-c", "--constraint"}:
        context.note(f"constraints {value[:80]!r} not followed")


def uv(context: Context, words: Sequence[str]) -> None:
    """``uv pip install``, ``uv sync``, ``uv run``, ``uv tool run`` and ``uv add``."""
    rest = [word for word in words if word not in {"-q", "--quiet", "-v", "--no-config"}]
    match rest[:2]:
        case ["pip", _]:
            pip(context, rest[1:])
        case ["sync", *_]:
            _sync(context, rest[1:])
        case ["run", *_]:
            _uv_run(context, rest[1:])
        case ["tool", "run"]:
            uvx(context, rest[2:])
        case ["add", *_]:
            pip(context, ["install", *(word for word in rest[1:] if not word.startswith("-"))])
        case ["venv" | "python" | "build" | "lock" | "cache" | "self" | "version" | "tool", *_]:
            return
        case _:
            context.note(f"uv {' '.join(rest)[:80]} not followed")


def _sync(context: Context, words: Sequence[str]) -> None:
    """Installs the project with the extras and groups that options name, "dev" by default."""
    has_project, extras, groups = True, list[str](), list[str]()
    metadata = context.metadata(".")
    known = list(metadata.groups)
    defaults = ["dev"] if "dev" in known else []
    for option, value in _options(words, _PIP_VALUES):
        name = canonicalize_name(value)
        if option == "--extra":
            extras.append(name)
        elif option == "--all-extras":
            extras += [each for each in metadata.extras if each not in extras]
        elif option == "--group":
            groups.append(name)
        elif option == "--only-group":
            has_project, defaults = False, []
            groups.append(name)
        elif option in {"--all-groups", "--only-dev"}:
            groups += [each for each in known if option == "--all-groups" or each == "dev"]
        elif option in {"--no-default-groups", "--no-dev"} or (
            option == "--no-group" and name == "dev"
        ):
            defaults = []
        elif option == "--no-install-project":
            has_project = False
    if has_project:
        context.install_project(".", extras)
    for group in dict.fromkeys([*defaults, *groups]):
        context.install_group(group)


def _uv_run(context: Context, words: Sequence[str]) -> None:
    own, command = _split_command(words, _PIP_VALUES | {"-m", "--module"})
    if "--no-project" not in own and "--isolated" not in own:
        _sync(context, [word for word in own if word not in {"-m", "--module"}])
    for option, value in _options(own, _PIP_VALUES | {"-m", "--module"}):
        if option == "--with":
            for each in value.split(","):
                context.install(each)
        elif option in {"--with-requirements", "--with-editable"}:
            _pip_argument(context, option, value)
        elif option == "--directory":
            context.change_directory(value)
        elif option in {"-m", "--module"}:
            command = ["python", "-m", value, *command]
    context.run(command)


def _split_command(
    words: Sequence[str], with_values: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Options in front, and the command behind them."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        word = words[place]
        place += 1
        if word == "--":
            return list(words[: place - 1]), list(words[place:])
        if "=" not in word and word in with_values:
            place += 1
    return list(words[:place]), list(words[place:])


def uvx(context: Context, words: Sequence[str]) -> None:
    """``uvx`` and ``pipx run``: a program with what goes beside it."""
    own, command = _split_command(words, _PIP_VALUES | {"--from", "--spec"})
    for option, value in _options(own, _PIP_VALUES | {"--from", "--spec"}):
        if option == "--with" and command and command[0] not in {"tox", "nox"}:
            context.install(value)
    context.run([command[0].partition("@")[0], *command[1:]] if command else [])


def pipx(context: Context, words: Sequence[str]) -> None:
    """``pipx run``; what it installs are programs apart from the project."""
    if words[:1] == ["run"]:
        uvx(context, words[1:])


def poetry(context: Context, words: Sequence[str]) -> None:
    """``poetry install`` and ``poetry run``."""
    rest = [word for word in words if not (word.startswith("-") and word == words[0])]
    if rest[:1] == ["run"]:
        context.run(rest[1:])
    elif rest[:1] in (["install"], ["sync"]):
        _poetry_install(context, rest[1:])
    elif rest[:1] == ["add"]:
        pip(context, ["install", *(word for word in rest[1:] if not word.startswith("-"))])


def _poetry_install(context: Context, words: Sequence[str]) -> None:
    values = frozenset(("-E", "--extras", "--with", "--without", "--only", "-C", "--directory"))
    groups = [name for name in context.metadata(".").groups if not _is_optional(context, name)]
    has_project, extras = True, list[str]()
    only: list[str] = []
    for option, value in _options(words, values):
        names = [canonicalize_name(name) for name in value.replace(",", " ").split()]
        if option in {"-E", "--extras"}:
            extras += names
        elif option == "--all-extras":
            extras += context.metadata(".").extras
        elif option == "--with":
            groups += names
        elif option == "--without":
            groups = [name for name in groups if name not in names]
        elif option == "--only":
            only += names
        elif option in {"--no-dev", "--only-root"}:
            groups = []
        elif option == "--no-root":
            has_project = False
    if has_project or not only or "main" in only:
        # Without the project its own dependencies are wanted still, which come with it.
        context.install_project(".", extras)
    for name in dict.fromkeys(only or groups):
        if name != "main":
            context.install_group(name)


def _is_optional(context: Context, name: str) -> bool:
    tool = as_mapping(context.repository.pyproject.get("tool"))
    groups = as_mapping(as_mapping(tool.get("poetry")).get("group"))
    found = (as_mapping(value) for key, value in groups.items() if canonicalize_name(key) == name)
    return any(value.get("optional") is True for value in found)


def pdm(context: Context, words: Sequence[str]) -> None:
    """``pdm install``, ``pdm sync`` and ``pdm run``, or a script by its name."""
    rest = list(words)
    if rest[:1] == ["run"]:
        _run_script(context, "pdm", rest[1:])
    elif rest[:1] in (["install"], ["sync"]):
        _pdm_install(context, rest[1:])
    elif rest and not rest[0].startswith("-"):
        _run_script(context, "pdm", rest, is_command=False)


def _pdm_install(context: Context, words: Sequence[str]) -> None:
    metadata = context.metadata(".")
    extras, groups = list[str](), list[str]()
    has_default_groups = True
    for option, value in _options(words, frozenset(("-G", "--group", "-p", "-L", "--lockfile"))):
        if option in {"--prod", "--production", "--no-default"}:
            has_default_groups = option == "--no-default"
        elif option in {"-G", "--group"}:
            for name in map(canonicalize_name, value.replace(",", " ").split()):
                if name == "all":
                    extras += metadata.extras
                elif name in metadata.extras:
                    extras.append(name)
                else:
                    groups.append(name.lstrip(":"))
    context.install_project(".", extras)
    for name in dict.fromkeys([*(metadata.groups if has_default_groups else ()), *groups]):
        context.install_group(name)


def _run_script(
    context: Context, tool: str, words: Sequence[str], *, is_command: bool = True
) -> None:
    _, command = _split_command(words, frozenset(("-p", "--project", "-C", "--executor")))
    if not command:
        return
    recipe = named_script(context.repository, tool, command[0], command[1:])
    if recipe is not None:
        context.apply(recipe)
    elif is_command:
        context.run(command)


def poe(context: Context, words: Sequence[str]) -> None:
    """A task of poe the poet."""
    _run_script(context, "poe", words, is_command=False)


def rye(context: Context, words: Sequence[str]) -> None:
    """``rye sync``, ``rye run`` and ``rye test``."""
    if words[:1] == ["run"]:
        _run_script(context, "rye", words[1:])
    elif words[:1] == ["sync"]:
        _sync(context, ["--all-groups"])
    elif words[:1] == ["test"]:
        context.pytest([])


def pipenv(context: Context, words: Sequence[str]) -> None:
    """``pipenv install --dev`` and ``pipenv run``."""
    if words[:1] == ["run"]:
        _run_script(context, "pipenv", words[1:])
    elif words[:1] in (["install"], ["sync"]):
        document = context.repository.toml("Pipfile")
        sections = ("packages", "dev-packages") if {"--dev", "-d"} & {*words} else ("packages",)
        for name, value in (
            (n, v) for s in sections for n, v in as_mapping(document.get(s)).items()
        ):
            if isinstance(value, str):
                context.install(name if value == "*" else f"{name}{value}")
            elif as_mapping(value).get("path") == ".":
                context.install_project(".")
            elif "git" not in as_mapping(value):
                context.install(name)


def hatch(context: Context, words: Sequence[str]) -> None:
    """``hatch run ENVIRONMENT:COMMAND`` and ``hatch test``."""
    values = frozenset(("-e", "--env", "-p", "--project", "-py", "--python", "-i", "--include"))
    own, command = _split_command(words, values)
    environment = next((v for o, v in _options(own, values) if o in {"-e", "--env"}), "default")
    if command[:1] == ["test"]:
        arguments = [
            word
            for word in command[1:]
            if word not in {"-c", "--cover", "-a", "--all", "-p", "--parallel", "-r"}
        ]
        arguments = [word for word in arguments if not word.startswith(("-i", "--include", "-py"))]
        _apply_hatch(context, HATCH_TEST, ["run", *arguments])
    elif command[:1] == ["run"]:
        _, command = _split_command(command[1:], values)
        name, colon, program = command[0].rpartition(":") if command else ("", "", "")
        if colon:
            environment, command = name.lstrip("+"), [program, *command[1:]]
        _apply_hatch(context, environment, command)
    elif command[:1] not in ([], ["build"], ["env"], ["version"], ["fmt"], ["publish"]):
        context.note(f"hatch {' '.join(command)[:80]} not followed")


def _apply_hatch(context: Context, name: str, command: list[str]) -> None:
    recipe = hatch_recipe(context.repository, name, command)
    if recipe is None:
        context.note(f"hatch environment {name[:80]!r} is not configured")
    else:
        context.apply(recipe)

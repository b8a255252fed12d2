"""tox's own small languages: names with braces, conditions by factors, substitutions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

MAX_NAMES = 500
_MAX_LENGTH = 20_000
_BRACES = re.compile(r"\{([^{}]{0,400})\}")
_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})")
_CONDITION = re.compile(r"(?P<factors>[\w.!,{}\-\s]{1,300}):(?:\s+|$)(?P<rest>.*)")
# Innermost braces first, so that a default may have some.
_SUBSTITUTION = re.compile(r"\{(?P<inner>[^{}\n]{0,400})\}")
_SECTION = re.compile(r"\[(?P<section>[^\]]{1,200})\](?P<key>.{1,100})")

_ROOTS = frozenset(("toxinidir", "tox_root", "package_root", "config_dir"))
# Folders outside of the repository; a path below one is refused where it is used.
_OUTSIDE = frozenset(
    ("envtmpdir", "env_tmp_dir", "envdir", "env_dir", "toxworkdir", "tox_work_dir", "work_dir",
     "envsitepackagesdir", "env_site_packages_dir", "envlogdir", "env_log_dir", "homedir",
     "distdir", "temp_dir", "distshare")
)  # fmt: skip


def expand_braces(text: str) -> list[str]:
    """Names that one with braces stands for: ``py{38,39}-x`` or ``3.1{0-4}``."""
    names = [text]
    for _ in range(8):
        if not any(_BRACES.search(name) for name in names) or len(names) > MAX_NAMES:
            break
        names = [each for name in names for each in _expand_one(name)][:MAX_NAMES]
    return names


def _expand_one(name: str) -> list[str]:
    match = _BRACES.search(name)
    if match is None:
        return [name]
    parts: list[str] = []
    for part in match[1].split(","):
        numbers = _RANGE.fullmatch(part.strip())
        if numbers:
            first, last = int(numbers[1]), int(numbers[2])
            parts += map(str, range(first, min(last, first + 99) + 1))
        else:
            parts.append(part.strip())
    return [name[: match.start()] + part + name[match.end() :] for part in parts]


def split_names(text: str) -> list[str]:
    """Names of a list that commas and lines separate, with braces expanded."""
    names: list[str] = []
    for line in text[:_MAX_LENGTH].splitlines():
        depth, start = 0, 0
        line = line.partition("#")[0]
        for place, character in enumerate(line + ","):
            depth += (character == "{") - (character == "}")
            if character == "," and depth <= 0:
                names += expand_braces(line[start:place].strip())
                start = place + 1
    return [name for name in names if name][:MAX_NAMES]


def factor_lines(text: str, name: str, are_commands: bool) -> list[str]:
    """Lines of a value that hold for an environment, without conditions and comments."""
    factors = frozenset(name.split("-"))
    found = []
    joined = text[:_MAX_LENGTH].replace("\\\n", " ")
    for line in joined.splitlines():
        line = line.strip()
        if not are_commands:
            line = line.partition(" #")[0].rstrip()
        if not line or line.startswith("#"):
            continue
        match = _CONDITION.fullmatch(line)
        if match and _is_condition(match["factors"]):
            if not _holds(match["factors"], factors):
                continue
            line = match["rest"].strip()
        if line:
            found.append(line)
    return found


def _is_condition(text: str) -> bool:
    """Whether names before a colon can be factors, since a command may have one as well."""
    return all(" " not in each.strip() for each in text.split(","))


def _holds(text: str, factors: frozenset[str]) -> bool:
    return any(
        all((part.removeprefix("!") in factors) != part.startswith("!") for part in name.split("-"))
        for name in split_names(text)
    )


def substitute(
    text: str,
    name: str,
    root: str,
    arguments: tuple[str, ...],
    section_value: Callable[[str, str], str],
) -> str:
    """A value with what is in braces replaced, as far as it is known without running tox."""
    posargs = shlex.join(arguments)

    def replace(match: re.Match[str]) -> str:
        inner = match["inner"]
        head, colon, rest = inner.partition(":")
        if section := _SECTION.fullmatch(inner):
            place = section["section"]
            return section_value(place, section["key"])[:_MAX_LENGTH]
        if head == "posargs":
            return posargs or rest
        if head == "env" and colon:
            return rest.partition(":")[2]
        return _constant(inner, name, root)

    text = text[:_MAX_LENGTH]
    for _ in range(6):
        replaced = _SUBSTITUTION.sub(replace, text)[:_MAX_LENGTH]
        if replaced == text:
            break
        text = replaced
    return text.replace("\0{", "{").replace("\0}", "}")


def _constant(inner: str, name: str, root: str) -> str:
    if inner in _ROOTS:
        return root
    if inner in _OUTSIDE:
        return "/outside"
    fixed = {"/": "/", ":": ":", "envname": name, "env_name": name, "envpython": "python",
             "env_python": "python", "envbindir": "bin", "env_bin_dir": "bin"}  # fmt: skip
    # Braces that mean something else, as in factors, are kept from the next round.
    return fixed.get(inner, f"\0{{{inner}\0}}")

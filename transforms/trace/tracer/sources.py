"""Source texts of functions that no name reaches: those of one expression, found in their files.

A text is that of a function if it compiles to the same instructions; only then is it believed.
"""

from __future__ import annotations

from types import CodeType, FunctionType

from transforms.trace.tracer.values import Opaque, Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_FILE_BYTES = 1 << 20
_MOST_TEXTS = 50
_MOST_LINES, _MOST_CHARACTERS = 12, 800
"""Of a function."""

_MOST_FUNCTIONS = 500
"""That are looked for; parsing takes time."""

_LAMBDA = "lambda"
_ENDS = " \t\n,)]}:;#"
"""What may follow a lambda."""

_SUSPENDED = 0x20 | 0x80 | 0x200
_VARIABLE = 0x4 | 0x8
_BUILTINS = vars(__import__("builtins"))
_open_file = open
_compile_text = compile

_texts: dict[str, list[str]] = {}
_sources: dict[int, tuple[CodeType, str | None]] = {}


def take_source(walk: Walk, value: FunctionType, level: int) -> Any:
    """The snapshot of a function of one expression: its text, and what the names in it stand for.

    Raises:
      Opaque: it is no such function, its text is not found, or a name has no snapshot.
    """
    code = value.__code__
    what = "lambda" if code.co_name == "<lambda>" else "local function"
    if value.__defaults__ or value.__kwdefaults__ or code.co_flags & _SUSPENDED:
        raise Opaque(what)
    text = _text_of(code)
    if text is None:
        raise Opaque(what)
    walk.spend(len(text))
    names = []
    for name, cell in zip(code.co_freevars, value.__closure__ or ()):
        try:
            held = cell.cell_contents
        except ValueError:
            raise Opaque(what) from None
        if held is value:
            raise Opaque(what)
        names.append([name, walk.take(held, level + 1)])
    for name in sorted(_globals_in(code)):
        if name in value.__globals__:
            try:
                names.append([name, walk.take(value.__globals__[name], level + 1)])
            except Opaque:
                if "." + name not in text:
                    raise
        elif name not in _BUILTINS and "." + name not in text:
            raise Opaque(what)
    return {"source": [text, names]}


def _globals_in(code: CodeType) -> set[str]:
    """Names in instructions, with those of attributes: one too many does no harm."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is CodeType:
            found |= _globals_in(constant)
    return found


def _text_of(code: CodeType) -> str | None:
    """The text of a function as a lambda, or None."""
    known = _sources.get(id(code))
    if known is None:
        if len(_sources) >= _MOST_FUNCTIONS:
            return None
        lines = _lines_of(code.co_filename)
        first = code.co_firstlineno - 1
        block = "".join(lines[first : first + _MOST_LINES])[: 2 * _MOST_CHARACTERS]
        search = _search_lambda if code.co_name == "<lambda>" else _search_definition
        known = _sources[id(code)] = code, search(block, code)
    return known[1]


def _lines_of(path: str) -> list[str]:
    if path not in _texts:
        if len(_texts) >= _MOST_TEXTS:
            _texts.clear()
        try:
            with _open_file(path, encoding="utf-8") as file:
                _texts[path] = file.read(_MOST_FILE_BYTES).splitlines(True)
        except (OSError, ValueError):
            _texts[path] = []
    return _texts[path]


def _search_lambda(block: str, code: CodeType) -> str | None:
    line = block.partition("\n")[0]
    start = line.find(_LAMBDA)
    while start >= 0:
        text = block[start : start + _MOST_CHARACTERS] + "\n"
        for end in range(len(_LAMBDA), len(text)):
            if text[end] in _ENDS and _is_balanced(text[:end]) and _compiles_to(text[:end], code):
                return text[:end].rstrip()
        start = line.find(_LAMBDA, start + 1)
    return None


def _search_definition(block: str, code: CodeType) -> str | None:
    """A function that only returns an expression, as a lambda."""
    import ast  # not before it is needed: every process of a suite pays for it

    lines = block.splitlines(True)
    indentation = len(block) - len(block.lstrip(" "))
    end = 1
    while end < len(lines) and (
        not lines[end].strip() or lines[end].startswith(" " * (indentation + 1))
    ):
        end += 1
    text = "".join(line[indentation:] if line.strip() else "\n" for line in lines[:end])
    try:
        (node,) = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if type(node) is not ast.FunctionDef or node.decorator_list or len(node.body) != 1:
        return None
    (statement,) = node.body
    if type(statement) is not ast.Return or statement.value is None:
        return None
    expression = ast.get_source_segment(text, statement.value)
    if code.co_flags & _VARIABLE or code.co_kwonlyargcount or expression is None:
        return None
    parameters = ", ".join(code.co_varnames[: code.co_argcount])
    candidate = f"lambda {parameters}: ({expression})"
    return candidate if _compiles_to(candidate, code) else None


def _is_balanced(text: str) -> bool:
    return all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}"))


def _compiles_to(text: str, code: CodeType) -> bool:
    """Whether a text is that of a lambda with the instructions of a code object."""
    free = code.co_freevars
    program = f"lambda {', '.join(free)}: ({text}\n)" if free else f"({text}\n)"
    # From 3.12 on, methods of what a module imports are called in another way.
    imports = [f"import {name}\n" for name in code.co_names]
    for before in ("", "".join(imports)) if imports else ("",):
        try:
            made = _compile_text(before + program, "<lambda>", "exec", 0, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        for _ in range(2 if free else 1):
            inner = [each for each in made.co_consts if type(each) is CodeType]
            made = inner[0] if inner else made
        if _is_same(made, code):
            return True
    return False


def _is_same(one: CodeType, other: CodeType) -> bool:
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars) != (
        other.co_code,
        other.co_names,
        other.co_varnames,
        other.co_freevars,
    ) or len(one.co_consts) != len(other.co_consts):
        return False
    return all(map(_is_same_constant, one.co_consts, other.co_consts))


def _is_same_constant(one: Any, other: Any) -> bool:
    if type(one) is CodeType and type(other) is CodeType:
        return _is_same(one, other)
    # Qualified names of inner functions, which are constants before 3.11, differ by the place.
    if type(one) is str and type(other) is str and "<" in one and "<" in other:
        return True
    return type(one) is type(other) and one == other

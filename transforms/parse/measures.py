"""Counts over the tokens of Python: what kinds of lines a text has, docstrings, definitions.

They stand behind the rules of OpenCoder (arXiv 2411.04905, appendix A, Python-specific
rules) and need no parser: a text that does not parse has them as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes
from transforms.codepoints import count_code_points
from transforms.compiled import allocation_free
from transforms.parse.lexer import Tokens
from transforms.parse.tokens import KIND

Counts = npt.NDArray[np.int64]

COUNTS = (
    *("code_lines", "pass_lines", "import_lines", "print_lines", "characters"),
    *("docstring_characters", "functions", "trivial_functions", "variables"),
)
"""What is counted, at the place of its count.

A code line has part of a token that is not white space. A pass line has the keyword,
however many times; an import line too, a print line the name. A docstring's quotes count as
its characters. A trivial function does nothing but return. Variables are statements that
assign, loops and parameters.
"""

_COUNT = {name: number for number, name in enumerate(COUNTS)}
_CODE_LINES, _PASS_LINES = _COUNT["code_lines"], _COUNT["pass_lines"]
_IMPORT_LINES, _PRINT_LINES = _COUNT["import_lines"], _COUNT["print_lines"]
_CHARACTERS, _DOCSTRING = _COUNT["characters"], _COUNT["docstring_characters"]
_FUNCTIONS, _TRIVIAL = _COUNT["functions"], _COUNT["trivial_functions"]
_VARIABLES = _COUNT["variables"]

_ENDMARK, _NEWLINE, _INDENT, _DEDENT = (KIND[k] for k in ("END", "NEWLINE", "INDENT", "DEDENT"))
_STRING, _BYTES, _FSTART, _FEND = (KIND[k] for k in ("STRING", "BYTES", "FSTART", "FEND"))
_PASS, _IMPORT, _PRINT, _DOT = (KIND[k] for k in ("pass", "import", "print", "."))
_DEF, _CLASS, _ASYNC, _RETURN = (KIND[k] for k in ("def", "class", "async", "return"))
_FOR, _ASSIGN, _SEMICOLON, _CASE = (KIND[k] for k in ("for", "=", ";", "case"))
_ROUND, _SQUARE, _CURLY, _FOPEN = (KIND[k] for k in ("(", "[", "{", "FOPEN"))
_ROUND_END, _SQUARE_END, _CURLY_END, _FCLOSE = (KIND[k] for k in (")", "]", "}", "FCLOSE"))
_COMMA, _STAR, _POWER, _NAME = (KIND[k] for k in (",", "*", "**", "NAME"))


@allocation_free
def count_lines(data: Bytes, start: int, end: int, tokens: Tokens, counts: Counts) -> None:
    """Writes the counts of lines and characters of a text."""
    code, passed, imported, printed = -1, -1, -1, -1
    nested = 0
    opened, first = 0, 0
    for place in range(tokens.shape[0]):
        kind, line = tokens[place, 0], tokens[place, 3]
        if kind in (_NEWLINE, _INDENT, _DEDENT, _ENDMARK):
            continue
        if kind == _FSTART:
            if nested == 0:
                opened, first = tokens[place, 1], line
            nested += 1
        elif kind == _FEND:
            nested -= 1
        if nested == 0 and kind in (_STRING, _BYTES, _FEND):
            begin = opened if kind == _FEND else tokens[place, 1]
            row = first if kind == _FEND else line
            counts[_CODE_LINES] += row != code
            code = row
            filled, breaks = _count_filled(data, start + begin, start + tokens[place, 2])
            counts[_CODE_LINES] += filled
            code += breaks
        elif nested == 0 and line != code:
            counts[_CODE_LINES] += 1
            code = line
        if kind == _PASS and line != passed:
            counts[_PASS_LINES] += 1
            passed = line
        elif kind == _IMPORT and line != imported:
            counts[_IMPORT_LINES] += 1
            imported = line
        elif kind == _PRINT and line != printed and tokens[place - 1, 0] != _DOT:
            counts[_PRINT_LINES] += 1
            printed = line
    counts[_CHARACTERS] = count_code_points(data, start, end)


@allocation_free
def _count_filled(data: Bytes, begin: int, end: int) -> tuple[int, int]:
    """Lines behind the first that are not of white space only, and how many line ends."""
    filled = 0
    breaks = 0
    blank = False
    for place in range(begin, end):
        byte = data[place]
        if byte == 0x0A or (byte == 0x0D and (place + 1 == end or data[place + 1] != 0x0A)):
            breaks += 1
            blank = True
        elif blank and byte != 0x20 and byte != 0x09 and byte != 0x0C and byte != 0x0D:
            filled += 1
            blank = False
    return filled, breaks


@allocation_free
def count_statements(data: Bytes, start: int, tokens: Tokens, counts: Counts) -> None:
    """Writes the counts of docstrings, functions and variables."""
    documented = True
    place = 0
    while tokens[place, 0] != _ENDMARK:
        kind = tokens[place, 0]
        if kind in (_INDENT, _DEDENT, _NEWLINE):
            place += 1
            continue
        if documented and kind == _STRING:
            counts[_DOCSTRING] += _docstring_characters(data, start, tokens, place)
        head = tokens[place + 1, 0] if kind == _ASYNC else kind
        after = _statement_end(tokens, place)
        documented = False
        if head == _DEF:
            counts[_FUNCTIONS] += 1
            counts[_TRIVIAL] += _only_returns(tokens, place, after)
            counts[_VARIABLES] += _count_parameters(tokens, place, after)
        elif head == _FOR or _assigns(tokens, place, after):
            counts[_VARIABLES] += 1
        if head in (_DEF, _CLASS):
            documented = tokens[after, 0] == _NEWLINE and tokens[after + 1, 0] == _INDENT
        place = after
        if tokens[place, 0] == _SEMICOLON:
            place += 1


@allocation_free
def _statement_end(tokens: Tokens, place: int) -> int:
    """The place of what ends a line of statements, or a statement in it."""
    while True:
        kind = tokens[place, 0]
        if kind in (_NEWLINE, _ENDMARK, _SEMICOLON):
            return place
        place += 1


@allocation_free
def _docstring_characters(data: Bytes, start: int, tokens: Tokens, place: int) -> int:
    """The characters of strings that are a statement of their own."""
    characters = 0
    while tokens[place, 0] == _STRING:
        begin, end = start + tokens[place, 1], start + tokens[place, 2]
        characters += count_code_points(data, begin, end)
        place += 1
    kind = tokens[place, 0]
    alone = kind in (_NEWLINE, _SEMICOLON, _ENDMARK)
    return characters if alone else 0


@allocation_free
def _only_returns(tokens: Tokens, place: int, after: int) -> bool:
    """Whether a function's body, on its line or in its block, is nothing but a return."""
    for inside in range(place, after):
        if tokens[inside, 0] == _RETURN:
            return bool(tokens[after, 0] == _NEWLINE)
    if tokens[after, 0] != _NEWLINE or tokens[after + 1, 0] != _INDENT:
        return False
    if tokens[after + 2, 0] != _RETURN:
        return False
    last = _statement_end(tokens, after + 2)
    return bool(tokens[last, 0] == _NEWLINE and tokens[last + 1, 0] == _DEDENT)


@allocation_free
def _step(kind: int) -> int:
    """How a token changes the depth of brackets."""
    if kind in (_ROUND, _SQUARE, _CURLY, _FOPEN):
        return 1
    if kind in (_ROUND_END, _SQUARE_END, _CURLY_END, _FCLOSE):
        return -1
    return 0


@allocation_free
def _assigns(tokens: Tokens, place: int, after: int) -> bool:
    depth = 0
    for inside in range(place, after):
        kind = tokens[inside, 0]
        depth += _step(kind)
        if depth == 0 and kind == _ASSIGN:
            return True
    return False


@allocation_free
def _count_parameters(tokens: Tokens, place: int, after: int) -> int:
    """The names in the parentheses of a function that stand where a parameter begins."""
    depth = 0
    parameters = 0
    round_opened = False
    for inside in range(place, after):
        kind = tokens[inside, 0]
        if depth == 0 and kind == _ROUND:
            round_opened = True
        depth += _step(kind)
        if round_opened and depth == 0:
            break
        if round_opened and depth == 1 and (kind == _NAME or kind >= _CASE):
            before = tokens[inside - 1, 0]
            parameters += before in (_ROUND, _COMMA, _STAR, _POWER)
    return parameters

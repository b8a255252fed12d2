"""Whether tokens are a text of Python: a table-driven parser that builds no tree.

What is read so far is a stack of states of `transforms.parse.tables`, in an array of fixed
size: deeper nesting than `MAX_FRAMES` counts as a text that does not parse, as CPython
refuses it. Beside its state a rule has a mark, by which its role decides what no
context-free grammar can: what may be assigned to and deleted (reference, sections 6.2,
7.2), which argument may follow which (6.3.4), which parameter which (8.7).

What CPython leaves to later passes (``return`` outside of a function, names that are
assigned before ``global``) is not asked here either, as ``ast.parse`` does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled
from transforms.parse.lexer import Tokens
from transforms.parse.tables import ENTER, LEAVE, SHIFT, TERMINALS, python_tables
from transforms.parse.tokens import KIND

Numbers = npt.NDArray[np.int32]

MAX_FRAMES = 6_000
"""MAXSTACK of CPython 3.11."""

# How a rule treats the marks of its parts.
_ROLES = (
    *("NONE", "PASS", "NAMED", "LIST", "GROUP", "STARRED", "ATOM", "PRIMARY", "TRAILER"),
    *("EXPRESSION", "LOOP", "TARGET", "ARGUMENT", "ARGUMENTS", "PARAMETER", "PARAMETERS"),
    "KEYED",
)
_ROLE = {name: number for number, name in enumerate(_ROLES)}
_PASS, _NAMED, _LIST, _GROUP = (_ROLE[name] for name in ("PASS", "NAMED", "LIST", "GROUP"))
_STARRED, _ATOM, _PRIMARY = (_ROLE[name] for name in ("STARRED", "ATOM", "PRIMARY"))
_TRAILER, _EXPRESSION, _LOOP = (_ROLE[name] for name in ("TRAILER", "EXPRESSION", "LOOP"))
_TARGET, _ARGUMENT, _ARGUMENTS = (_ROLE[name] for name in ("TARGET", "ARGUMENT", "ARGUMENTS"))
_PARAMETER, _PARAMETERS, _KEYED = (_ROLE[name] for name in ("PARAMETER", "PARAMETERS", "KEYED"))

_RULE_ROLES = {
    **dict.fromkeys(("test", "choice", "operand"), "PASS"),
    **dict.fromkeys(("values", "targets", "items"), "LIST"),
    **dict.fromkeys(("for", "comprehension"), "LOOP"),
    **dict.fromkeys(("target", "deleted"), "TARGET"),
    **dict.fromkeys(("braces", "subscript"), "KEYED"),
    **dict.fromkeys(("argument", "base"), "ARGUMENT"),
    **dict.fromkeys(("arguments", "bases"), "ARGUMENTS"),
    **dict.fromkeys(("parameter", "lambda_parameter"), "PARAMETER"),
    **dict.fromkeys(("parameters", "lambda_parameters"), "PARAMETERS"),
    **{name: name.upper() for name in ("named", "group", "starred", "atom", "primary")},
    **{name: name.upper() for name in ("trailer", "expression")},
}

# What an expression is, for those who would assign to it; less than what an argument is.
_VALUE, _PLAIN, _PLACE, _SEQUENCE, _STAR, _STAR_VALUE, _ENCLOSED, _NAMING = range(8)

# What an argument or a parameter is, and what a list of them has had, as bits.
_POSITIONAL, _KEYWORD, _UNPACKED, _MAPPING, _GENERATOR = 8, 16, 32, 64, 128
_REQUIRED, _DEFAULTED, _SLASH, _BARE, _REST, _MAPPED = 1, 2, 4, 8, 16, 32

_NAME, _ASSIGN, _WALRUS, _COLON, _IN = (KIND[kind] for kind in ("NAME", "=", ":=", ":", "in"))
_COMMA, _STAR_SIGN, _POWER, _SLASH_SIGN = (KIND[kind] for kind in (",", "*", "**", "/"))
_ROUND, _SQUARE, _DOT, _AUGMENT = (KIND[kind] for kind in ("(", "[", ".", "AUGMENT"))
_ROUND_END, _SQUARE_END, _CURLY_END = (KIND[kind] for kind in (")", "]", "}"))
_CURLY, _NEWLINE, _INDENT, _DEDENT = (KIND[kind] for kind in ("{", "NEWLINE", "INDENT", "DEDENT"))
_SEMICOLON, _ENDMARK, _ERROR, _WITH = (KIND[kind] for kind in (";", "END", "ERROR", "with"))
_MATCH, _CASE, _TYPE, _PRINT = (KIND[kind] for kind in ("match", "case", "type", "print"))
_WITH_ROUND = TERMINALS.index("WITH_ROUND")

_TABLES = python_tables()
_ACTIONS, _CALLS, _RULES = _TABLES.actions, _TABLES.calls, _TABLES.rules
_STATE_ROLES = np.array(
    [_ROLE[_RULE_ROLES.get(_TABLES.names[rule], "NONE")] for rule in _RULES], np.int32
)
_IS_COMPREHENSION = np.equal(_RULES, _TABLES.names.index("comprehension"))
_IS_GROUP = np.equal(_RULES, _TABLES.names.index("group"))
_IS_ITEMS = np.equal(_RULES, _TABLES.names.index("items"))

_MAX_LEVELS = 128


def parses(tokens: Tokens) -> bool:
    """Whether the tokens of a text are Python."""
    return bool(recognize(tokens, np.empty((MAX_FRAMES, 3), np.int32)))


@compiled
def recognize(tokens: Tokens, frames: Numbers) -> bool:
    """Whether tokens are Python; ``frames`` is scratch space, int32[MAX_FRAMES, 3]."""
    count = tokens.shape[0]
    in_match = np.zeros(_MAX_LEVELS, dtype=np.bool_)
    level = 0
    depth = 0
    state, mark, length = 0, _VALUE, 0
    starts = begins = True
    matches = False
    for place in range(count):
        kind = tokens[place, 0]
        if kind == _ERROR:
            return False
        terminal = kind
        if kind >= _CASE:
            terminal = _NAME
            if begins:
                terminal = _soft_keyword(tokens, place, starts, in_match[level])
                matches = matches or terminal == _MATCH
        elif kind == _ROUND and tokens[place - 1, 0] == _WITH and _is_last(tokens, place):
            terminal = _WITH_ROUND
        elif kind == _INDENT:
            level += 1
            in_match[level] = matches
            matches = False
        elif kind == _DEDENT:
            level -= 1
        starts = kind in (_NEWLINE, _INDENT, _DEDENT)
        begins = starts or kind == _SEMICOLON
        while True:
            action = _ACTIONS[state, terminal]
            if action >= ENTER:
                if depth == MAX_FRAMES:
                    return False
                call = action - ENTER
                frames[depth, 0] = _CALLS[call, 1]
                frames[depth, 1] = mark
                frames[depth, 2] = length
                depth += 1
                state, mark, length = _CALLS[call, 0], _VALUE, 0
            elif action >= SHIFT:
                mark = _shift(_STATE_ROLES[state], mark, length, terminal)
                if mark < 0:
                    return False
                length = min(length + 1, 2)
                state = action - SHIFT
                break
            elif action == LEAVE and depth > 0:
                result = _leave(_STATE_ROLES[state], mark)
                if result < 0:
                    return False
                depth -= 1
                child = state
                state, length = frames[depth, 0], frames[depth, 2]
                mark = _join(_STATE_ROLES[state], frames[depth, 1], length, child, result)
                if mark < 0:
                    return False
                length = min(length + 1, 2)
            else:
                return False
    return bool(depth == 0)


@allocation_free
def _soft_keyword(tokens: Tokens, place: int, starts: bool, in_match: bool) -> int:
    """What a soft keyword is where a statement begins; ``starts`` where a line does."""
    kind = tokens[place, 0]
    if kind == _MATCH and starts and _ends_with_colon(tokens, place):
        return _MATCH
    if kind == _CASE and in_match:
        return _CASE
    return _TYPE if kind == _TYPE and _is_name(tokens[place + 1, 0]) else _NAME


@allocation_free
def _is_name(kind: int) -> bool:
    return bool(kind == _NAME or kind >= _CASE)


@allocation_free
def _ends_with_colon(tokens: Tokens, place: int) -> bool:
    """Whether the line that begins here ends with a colon, as no simple statement does."""
    while tokens[place, 0] != _NEWLINE and tokens[place, 0] != _ENDMARK:
        place += 1
    return bool(tokens[place - 1, 0] == _COLON)


@allocation_free
def _is_last(tokens: Tokens, place: int) -> bool:
    """Whether the parenthesis that opens here closes right before a colon."""
    depth = 0
    while tokens[place, 0] != _ENDMARK:
        kind = tokens[place, 0]
        if kind in (_ROUND, _SQUARE, _CURLY):
            depth += 1
        elif kind in (_ROUND_END, _SQUARE_END, _CURLY_END):
            depth -= 1
            if depth == 0:
                return bool(tokens[place + 1, 0] == _COLON)
        place += 1
    return False


@allocation_free
def _assignable(mark: int) -> bool:
    return bool(mark != _VALUE and mark != _STAR_VALUE and mark != _NAMING)


@allocation_free
def _shift(role: int, mark: int, length: int, kind: int) -> int:
    """A rule's mark when it consumes a token; -1 where it may not."""
    if role == _ATOM:
        if length:
            return mark
        if kind == _NAME:
            return _PLAIN
        return _SEQUENCE if kind in (_ROUND, _SQUARE) else _VALUE
    if role == _TRAILER:
        if length:
            return mark
        return _VALUE if kind == _ROUND else _PLACE
    if role in (_LIST, _GROUP, _TARGET):
        return _SEQUENCE if _assignable(mark) else _VALUE
    if role == _PASS:
        return _VALUE
    if role == _NAMED:
        return _NAMING if mark == _PLAIN else -1
    if role == _KEYED:
        return -1 if kind == _COLON and mark == _NAMING else _VALUE
    if role == _EXPRESSION:
        if kind == _ASSIGN:
            return mark if _assignable(mark) else -1
        return mark if mark in (_PLAIN, _PLACE, _ENCLOSED) else -1
    if role == _LOOP:
        return -1 if kind == _IN and not _assignable(mark) else mark
    if role == _ARGUMENT:
        return _shift_argument(mark, length, kind)
    if role == _ARGUMENTS:
        return -1 if mark & _GENERATOR else mark
    if role == _PARAMETER:
        return _shift_parameter(mark, length, kind)
    return mark


@allocation_free
def _shift_argument(mark: int, length: int, kind: int) -> int:
    """While its first part is read an argument has that part's mark, then what it is."""
    if kind == _ASSIGN:
        return _KEYWORD if mark == _PLAIN else -1
    if kind == _WALRUS:
        return _POSITIONAL if mark == _PLAIN else -1
    return _UNPACKED if kind == _STAR_SIGN else _MAPPING


@allocation_free
def _shift_parameter(mark: int, length: int, kind: int) -> int:
    if kind == _NAME:
        return _REQUIRED if length == 0 else _REST if mark == _BARE else mark
    if kind == _ASSIGN:
        return _DEFAULTED
    if kind == _SLASH_SIGN:
        return _SLASH
    if kind == _STAR_SIGN:
        return _BARE
    return _MAPPED if kind == _POWER else mark


@allocation_free
def _leave(role: int, mark: int) -> int:
    """What a rule says of itself when it is over; -1 where it may not be."""
    if role == _GROUP and mark in (_STAR, _STAR_VALUE):
        return -1
    if role == _TARGET and not _assignable(mark):
        return -1
    if role == _PARAMETERS and mark >> 8 == _BARE:
        return -1
    if role == _ARGUMENT and mark < _POSITIONAL:
        return _POSITIONAL
    return mark


@allocation_free
def _join(role: int, mark: int, length: int, child: int, result: int) -> int:
    """A rule's mark after one of its parts; -1 where the part may not stand there."""
    if role in (_PASS, _KEYED):
        return result if length == 0 else _VALUE
    if role == _NAMED:
        return result if length == 0 else mark
    if role in (_PRIMARY, _LOOP):
        return result
    if role in (_LIST, _GROUP, _TARGET):
        if _IS_COMPREHENSION[child]:
            return -1 if mark in (_STAR, _STAR_VALUE) else _VALUE
        if length == 0:
            return result
        return _SEQUENCE if _assignable(mark) and _assignable(result) else _VALUE
    if role == _ATOM:
        if _IS_GROUP[child]:
            if result == _PLAIN:
                return _ENCLOSED
            return _VALUE if result == _NAMING else result
        return _SEQUENCE if _IS_ITEMS[child] and _assignable(result) else _VALUE
    if role == _STARRED:
        return _STAR if _assignable(result) else _STAR_VALUE
    if role == _EXPRESSION:
        return result
    if role == _ARGUMENT:
        if _IS_COMPREHENSION[child]:
            return _GENERATOR
        return result if length == 0 else mark
    if role == _ARGUMENTS:
        return _join_argument(mark, result)
    if role == _PARAMETERS:
        return _join_parameter(mark, result)
    return mark


@allocation_free
def _join_argument(mark: int, result: int) -> int:
    if mark & _GENERATOR or (result == _GENERATOR and mark):
        return -1
    if result == _POSITIONAL and mark & (_KEYWORD | _MAPPING):
        return -1
    if result == _UNPACKED and mark & _MAPPING:
        return -1
    return mark | result


@allocation_free
def _join_parameter(mark: int, result: int) -> int:
    """The lower byte has what came so far, the upper one what came last."""
    seen, last = mark & 0xFF, mark >> 8
    starred = seen & (_BARE | _REST)
    if seen & _MAPPED:
        return -1
    if result == _SLASH and (seen & _SLASH or starred or seen == 0):
        return -1
    if result in (_BARE, _REST) and starred:
        return -1
    if last == _BARE and result != _REQUIRED and result != _DEFAULTED:
        return -1
    if result == _REQUIRED and seen & _DEFAULTED and not starred:
        return -1
    return seen | result | result << 8

import numpy as np
import pytest

from transforms.parse.tables import (
    ENTER,
    FAIL,
    LEAVE,
    SHIFT,
    TERMINALS,
    GrammarError,
    make_tables,
    python_tables,
)


def test_a_state_says_what_a_token_does():
    tables = make_tables("start: 'if' name* END\nname: NAME [',']")
    ask = {word: TERMINALS.index(word) for word in ("if", "NAME", ",", "END", "else")}
    assert tables.actions[0, ask["if"]] == SHIFT + 1
    assert tables.actions[0, ask["NAME"]] == FAIL
    entered = tables.actions[1, ask["NAME"]]
    assert entered >= ENTER
    first, behind = tables.calls[entered - ENTER]
    assert tables.names[tables.rules[first]] == "name"
    assert tables.names[tables.rules[behind]] == "start"
    comma = tables.actions[first, ask["NAME"]] - SHIFT
    assert tables.actions[comma, ask[","]] >= SHIFT
    assert tables.actions[comma, ask["else"]] == LEAVE


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        ("a: b | c\nb: NAME\nc: NAME ','", r"in a, \['NAME'\] begin two ways"),
        ("a: b", "b is neither a rule nor a kind of token"),
        ("a: NAME )", "'\\)' is not expected"),
    ],
)
def test_refuses_a_grammar_where_one_token_does_not_decide(grammar, message):
    with pytest.raises(GrammarError, match=message):
        make_tables(grammar)


def test_equal_grammars_have_equal_tables():
    one, other = python_tables(), python_tables.__wrapped__()
    assert one is not other
    assert np.array_equal(one.actions, other.actions)
    assert np.array_equal(one.calls, other.calls)


def test_every_rule_is_used():
    tables = python_tables()
    entered = {tables.names[tables.rules[first]] for first, _ in tables.calls}
    assert entered == set(tables.names) - {"file"}

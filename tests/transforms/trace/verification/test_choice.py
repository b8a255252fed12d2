from dataclasses import replace

from transforms.trace.verification.answers import Body, Outcome
from transforms.trace.verification.calls import WrittenCall
from transforms.trace.verification.checks import Case
from transforms.trace.verification.choice import (
    ENOUGH_CASES,
    MOST_CASES,
    are_enough,
    choose_cases,
)

BODY = Body(frozenset(range(1, 31)), frozenset({(1, 2), (1, 5)}))


def case(place, lines=(), branches=(), value=0, text="1"):
    call = WrittenCall(place, (text,), (), frozenset(), frozenset(), str(place))
    outcome = Outcome(value=value, lines=frozenset(lines), branches=frozenset(branches))
    return Case(call, outcome)


def places(cases):
    return [each.call.place for each in cases]


def test_what_covers_most_is_chosen_and_the_order_is_kept():
    cases = [case(n, [1]) for n in range(30)]
    cases[20] = case(20, [1, 2, 3], [(1, 2)])
    cases[25] = case(25, [1, 5], [(1, 5)])
    chosen = places(choose_cases(cases, BODY))
    assert chosen == sorted(chosen)
    assert {20, 25} <= set(chosen)
    assert len(chosen) == ENOUGH_CASES


def test_further_cases_have_outcomes_of_their_own():
    cases = [case(n, [1], value=n // 10) for n in range(70)]
    assert len({each.outcome.value for each in choose_cases(cases, BODY)}) == ENOUGH_CASES


def test_long_calls_are_chosen_only_for_what_they_cover():
    cases = [case(0, [1], text="x" * 3000), case(1, [1]), case(2, [1])]
    assert places(choose_cases(cases, BODY)) == [1, 2]
    cases[0] = case(0, [1, 2], text="x" * 3000)
    assert places(choose_cases(cases, BODY)) == [0, 1, 2]


def test_there_are_never_more_than_some():
    cases = [case(n, [n]) for n in range(1, 31)]
    assert len(choose_cases(cases, BODY)) == MOST_CASES


def test_two_are_enough_only_where_they_cover_all():
    two = [case(0, range(1, 31), [(1, 2)]), case(1, [1], [(1, 5)])]
    assert are_enough(two, BODY)
    assert not are_enough([two[0], replace(two[1], outcome=Outcome())], BODY)
    assert not are_enough(two[:1], Body(frozenset({1}), frozenset()))
    assert are_enough([case(n) for n in range(3)], BODY)

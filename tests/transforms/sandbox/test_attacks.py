"""Programs that try to do harm do it to a plain `exec`, and not to the sandbox."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from functools import cache

import pytest

from tests.transforms.sandbox.attacks import ATTACKS
from tests.transforms.sandbox.attacks.attack import REFUSALS, Attack
from tests.transforms.sandbox.attempts import attempt_bare, attempt_boxed

TIERS = ("A", "B") if importlib.util.find_spec("transforms.sandbox") else ()

each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


def missing(attack: Attack) -> str | None:
    """Why an attack cannot be tried on this machine, if so."""
    return next(filter(None, (need() for need in attack.needs)), None)


@cache
def succeed_bare(attack: Attack) -> str | None:
    """Proves that an attack can succeed; why it cannot be proven on this machine, if so."""
    if reason := missing(attack):
        return reason
    attempt = attempt_bare(attack)
    if attack.asks_kernel and attempt.answer in REFUSALS:
        return f"refused without a sandbox: {os.strerror(attempt.answer)}"
    assert attempt.succeeded, attempt
    return None


@each_attack
def test_succeeds_bare(attack: Attack) -> None:
    if reason := succeed_bare(attack):
        pytest.skip(reason)


# The tier changes faster than the attack, so that what was proven is mostly known.
@pytest.mark.parametrize("tier", TIERS)
@each_attack
def test_fails_in_the_sandbox(attack: Attack, tier: str) -> None:
    if reason := succeed_bare(attack):
        pytest.skip(reason)
    attempt = attempt_boxed(attack, tier)
    assert not attempt.succeeded, attempt
    assert attempt.well_after, attempt


# One of each kind of target and judge.
KINDS = {
    (attack.prepare, attack.succeeded.__qualname__, attack.watch): attack for attack in ATTACKS
}


@pytest.mark.parametrize("attack", KINDS.values(), ids=lambda attack: attack.name)
def test_is_not_said_to_succeed_where_nothing_was_done(attack: Attack) -> None:
    if reason := missing(attack):
        pytest.skip(reason)
    fails = "import time\ntime.sleep(0.1)\nraise ValueError(TOKEN)"
    assert not attempt_bare(replace(attack, program=fails)).succeeded


def test_names_are_unique() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)

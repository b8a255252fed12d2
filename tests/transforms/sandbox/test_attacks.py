"""Programs that try to do harm do it to a plain `exec`, and not to the sandbox."""

from __future__ import annotations

import os

import pytest

from tests.transforms.sandbox.attacks import ATTACKS
from tests.transforms.sandbox.attacks.attack import REFUSALS, Attack
from tests.transforms.sandbox.attempts import attempt_bare

each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


@each_attack
def test_succeeds_bare(attack: Attack) -> None:
    for need in attack.needs:
        if reason := need():
            pytest.skip(reason)
    attempt = attempt_bare(attack)
    if attack.asks_kernel and attempt.answer in REFUSALS:
        pytest.skip(f"refused without a sandbox: {os.strerror(attempt.answer)}")
    assert attempt.succeeded, attempt

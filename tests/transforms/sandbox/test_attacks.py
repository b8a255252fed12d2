"""Programs that try to do harm do it to a plain `exec`, and not to the sandbox."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import pytest

from tests.transforms.sandbox.attacks import ATTACKS
from tests.transforms.sandbox.attacks.attack import REFUSALS, Attack
from tests.transforms.sandbox.attempts import attempt_bare, attempt_boxed
from tests.transforms.tiers import missing as missing_tier
from transforms.sandbox.limits import Tier

TIERS = ("A", "B")

# One of each kind of target and judge.
KINDS = {
    (attack.prepare, attack.succeeded.__qualname__, attack.watch): attack for attack in ATTACKS
}
# What everybody would try first, besides.
PLAIN = {
    *("reads_a_private_file", "reads_the_environment", "reads_the_environment_of_process_1"),
    *("reads_inherited_descriptors", "searches_its_own_memory", "overwrites_a_file"),
    *("deletes_a_file", "deletes_a_folder", "changes_the_mode_of_a_file", "links_a_file"),
    *("forks_many_processes", "allocates_bytes", "makes_many_files", "prints_too_much"),
    *("kills_its_parent", "kills_its_harness", "leaves_a_daemon", "recurses_without_end_in_python"),
    *("starts_a_shell", "asks_a_shell_of_libc", "walks_its_callers", "leaves_a_tracing_function"),
    *("walks_the_objects_of_the_collector", "forges_reports_on_every_descriptor"),
    *("ignores_the_end_of_its_processor_time", "computes", "climbs_out_of_a_changed_root"),
    *("mounts_over_a_folder", "makes_a_namespace_of_users", "queues_calls_in_a_ring"),
    *("loads_a_program_into_the_kernel", "counts_events_of_processors", "keeps_a_key"),
}


SEEN_LATE = {
    *("makes_many_files", "makes_many_folders", "makes_many_symlinks", "makes_many_fifos"),
    *("writes_many_large_files", "writes_large_files_without_names"),
}
"""Floods of files that may be over in tier B before the server looks, which ends them even so."""


def quick(attack: Attack) -> bool:
    """Whether an attack is tried each time."""
    return attack.name in PLAIN or attack in KINDS.values()


each_attack = pytest.mark.parametrize(
    "attack",
    [
        pytest.param(attack, marks=() if quick(attack) else pytest.mark.attacks, id=attack.name)
        for attack in ATTACKS
    ],
)


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


# The tier changes faster than the attack, so that what was proven is mostly known.
@pytest.mark.parametrize("tier", TIERS)
@each_attack
def test_fails_in_the_sandbox(attack: Attack, tier: str) -> None:
    if reason := missing_tier(Tier(tier)) or succeed_bare(attack):
        pytest.skip(reason)
    attempt = attempt_boxed(attack, tier)
    if tier == "B" and attack.name in SEEN_LATE:
        assert attempt.run.ending == "files", attempt
    else:
        assert not attempt.succeeded, attempt
    assert attempt.well_after, attempt


@pytest.mark.parametrize("attack", KINDS.values(), ids=lambda attack: attack.name)
def test_is_not_said_to_succeed_where_nothing_was_done(attack: Attack) -> None:
    if reason := missing(attack):
        pytest.skip(reason)
    fails = "import time\ntime.sleep(0.1)\nraise ValueError(TOKEN)"
    assert not attempt_bare(replace(attack, program=fails)).succeeded


def test_names_are_unique() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


def test_what_is_tried_each_time_are_attacks() -> None:
    assert {attack.name for attack in ATTACKS} >= PLAIN
    assert sum(map(quick, ATTACKS)) >= 100

"""Programs that try to do harm do it to a plain `exec`, and not as commands in a workshop."""

from __future__ import annotations

import pytest

from tests.transforms.sandbox.attacks import ATTACKS
from tests.transforms.sandbox.attacks.attack import Attack
from tests.transforms.sandbox.attempts import attempt_in_workshop
from tests.transforms.sandbox.test_attacks import missing, succeed_bare
from transforms.sandbox.process import SandboxError
from transforms.sandbox.workshop import choose_workshop_tier

ALLOWED = {
    *("asks_a_shell", "asks_a_shell_of_libc", "becomes_a_shell", "starts_a_shell"),
    *("starts_python_again", "runs_a_program_of_its_own", "runs_a_program_in_memory"),
    *("leaves_a_file_in_its_folder", "leaves_a_file_in_tmp", "leaves_a_file_in_var_tmp"),
}
"""What commands are for: they start programs, and the folder of a project stays."""

SEEN_LATE = {
    "writes_many_large_files": "files",
    "writes_large_files_without_names": "files",
    "makes_many_files": "files",
    "makes_many_folders": "files",
    "makes_many_symlinks": "files",
    "makes_many_fifos": "files",
    "spreads_memory_over_processes": "memory",
    "fills_many_files_in_memory": "memory",
}
"""Floods that may be over before the supervisor looks, each with what ends it even so."""

PLAIN = {
    *("reads_a_private_file", "reads_inherited_descriptors", "overwrites_a_file"),
    *("changes_the_mode_of_a_file", "kills_its_parent", "kills_its_harness", "kills_a_process"),
    *("kills_its_own_group", "lowers_the_limits_of_a_process", "climbs_out_of_a_changed_root"),
    *("overwrites_the_memory_of_its_parents", "signals_every_process", "leaves_a_daemon"),
    *("forks_many_processes", "prints_too_much", "makes_a_namespace_of_users"),
    *("mounts_over_a_folder", "queues_calls_in_a_ring", "keeps_a_key"),
    *("fills_many_files_in_memory", "writes_large_files_without_names"),
}
"""What is tried each time."""

COMMANDS = [
    attack for attack in ATTACKS if attack.name not in ALLOWED and not attack.harness.in_process
]


@pytest.fixture(scope="module", autouse=True)
def needs_namespaces() -> None:
    try:
        choose_workshop_tier()
    except SandboxError as error:
        pytest.skip(f"NO SANDBOX FOR COMMANDS: {error}")


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(attack, marks=() if attack.name in PLAIN else pytest.mark.attacks)
        for attack in COMMANDS
    ],
    ids=lambda attack: attack.name,
)
def test_fails_in_a_workshop(attack: Attack) -> None:
    if reason := missing(attack) or succeed_bare(attack):
        pytest.skip(reason)
    attempt = attempt_in_workshop(attack)
    late = SEEN_LATE.get(attack.name)
    assert not attempt.succeeded or (late and attempt.run.ending == late), attempt
    assert attempt.well_after, attempt


def test_what_is_named_are_attacks() -> None:
    assert {attack.name for attack in ATTACKS} >= ALLOWED | PLAIN | SEEN_LATE.keys()

"""The attacks, one module per family."""

from tests.transforms.sandbox.attacks import (
    calls,
    endurance,
    escapes,
    files,
    floods,
    leftovers,
    machine,
    memory,
    network,
    objects,
    processes,
    secrets,
)

FAMILIES = (
    network,
    secrets,
    objects,
    files,
    leftovers,
    floods,
    memory,
    endurance,
    processes,
    escapes,
    machine,
    calls,
)
ATTACKS = tuple(attack for family in FAMILIES for attack in family.ATTACKS)

"""Tiers: which of them this machine offers, found by running a program in each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.outcomes import Ending
from transforms.sandbox.process import SandboxError

SAFE_TIERS = (Tier.NAMESPACES, Tier.LANDLOCK)
"""The better one first."""

_CURE = (
    "Allow user namespaces (sysctl user.max_user_namespaces; in containers, a seccomp profile "
    "that allows unshare and mount), or use Linux 5.13 or newer with landlock among its security "
    "modules. docs/sandbox.md says more; --unsafe runs programs without any of it"
)


def choose_tier(tiers: Sequence[Tier] = SAFE_TIERS) -> Tier:
    """The first of some tiers that this machine offers.

    Raises:
      SandboxError: none; says what stands in the way of each, and the cure.
    """
    faults = {tier: _fault(tier) for tier in tiers}
    for tier, fault in faults.items():
        if fault is None:
            return tier
    said = "; ".join(f"tier {tier}: {fault}" for tier, fault in faults.items())
    raise SandboxError(f"this machine has no sandbox for untrusted programs ({said}). {_CURE}")


@cache
def _fault(tier: Tier) -> str | None:
    """What keeps this machine from offering a tier."""
    try:
        with Sandbox(tier, Limits()) as sandbox:
            outcome = sandbox.run_script("print(6 * 7)")
    except (SandboxError, OSError) as error:
        return str(error)
    if outcome.ending is Ending.RETURNED and outcome.output == b"42\n":
        return None
    return outcome.reason or "a program does not run in it"

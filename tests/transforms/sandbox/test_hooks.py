"""Fork hooks are gone for the server's children, and there for programs that may fork."""

from __future__ import annotations

import pytest

from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier

FORK = """
import os, random, threading
release = threading.Event()
thread = threading.Thread(target=release.wait)
thread.start()
if os.fork() == 0:
    print(threading.active_count(), random.random() == random.Random(0).random(), flush=True)
    os._exit(0)
os.wait()
release.set()
"""


@pytest.mark.parametrize("tier", [Tier.NAMESPACES, Tier.LANDLOCK])
def test_a_program_that_may_fork_has_its_hooks(tier: Tier) -> None:
    with Sandbox(tier, Limits(forks=True)) as sandbox:
        outcome = sandbox.run_script(FORK)
    assert outcome.output == b"1 False\n"


@pytest.mark.parametrize("tier", [Tier.NAMESPACES, Tier.LANDLOCK])
def test_every_run_has_the_same_luck(tier: Tier) -> None:
    program = "import random; print(random.random(), random.Random(0).random())"
    with Sandbox(tier, Limits()) as sandbox:
        first, second = (sandbox.run_script(program).output for _ in range(2))
    assert first == second
    assert len(set(first.split())) == 1

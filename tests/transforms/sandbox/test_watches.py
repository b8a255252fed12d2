"""What a run does to its folder decides whether the next run has the same one."""

from __future__ import annotations

import pytest

from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier

LOOK = "import os; s = os.stat('.'); print(s.st_ino, s.st_mtime_ns, s.st_ctime_ns, s.st_atime_ns)"
TRACES = {
    "a file": "import os; open('a', 'w').close(); os.unlink('a')",
    "a folder": "import os; os.mkdir('a'); os.rmdir('a')",
    "a link through a descriptor that is no more than a place": (
        "import os; p = os.open('.', os.O_PATH)\n"
        "os.symlink('a', 'b', dir_fd=p); os.unlink('b', dir_fd=p)"
    ),
    "a time of reading": "import os; os.listdir('.')",
}
CHANGES = {
    "a file without a name": "import os; os.close(os.open('.', os.O_TMPFILE | os.O_RDWR))",
    "a mode": "import os; os.chmod('.', 0o700)",
    "a time": "import os; os.utime('.', (0, 0))",
    "an attribute": "import os; os.setxattr('.', 'user.a', b'1')",
}
CASES = [
    *((tier, name) for tier in (Tier.NAMESPACES, Tier.LANDLOCK) for name in TRACES),
    *((Tier.NAMESPACES, name) for name in CHANGES),
]


@pytest.mark.parametrize(("tier", "name"), CASES)
def test_a_run_that_left_a_trace_leaves_its_folder_to_nobody(tier: Tier, name: str) -> None:
    with Sandbox(tier, Limits()) as sandbox:
        before = sandbox.run_script(LOOK).output
        done = sandbox.run_script((TRACES | CHANGES)[name])
        after = sandbox.run_script(LOOK).output
    assert done.reason is None
    assert before != after


@pytest.mark.parametrize("tier", [Tier.NAMESPACES, Tier.LANDLOCK])
def test_a_folder_that_nobody_touched_is_used_again(tier: Tier) -> None:
    with Sandbox(tier, Limits()) as sandbox:
        assert sandbox.run_script(LOOK).output == sandbox.run_script(LOOK).output

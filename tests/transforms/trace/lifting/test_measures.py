"""How difficult a function is."""

import pytest

from tests.transforms.trace.lifting.repositories import lift_of
from transforms.trace.lifting.measures import measure


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", (1, 1, 0)),
        ("# Why.\n\n    return 1", (1, 1, 0)),
        ("if x:\n        return 1\n    return 2", (3, 2, 1)),
        ("if x and y or z:\n        return 1", (2, 4, 1)),
        ("if x:\n        pass\n    elif y:\n        pass\n    else:\n        pass", (6, 3, 1)),
        ("for a in x:\n        if a:\n            y", (3, 3, 2)),
        ("return [a for a in x if a if a > 1]", (1, 4, 0)),
        ("return 1 if x else 2", (1, 2, 0)),
        ("try:\n        x\n    except E:\n        y\n    except F:\n        z", (6, 3, 1)),
        ("match x:\n        case 1: y\n        case _: z", (3, 3, 1)),
        ("while x:\n        with y:\n            def g():\n                return z", (4, 2, 2)),
    ],
)
def test_lines_decisions_and_blocks_are_counted(body, expected):
    text = f"x = y = z = E = F = 1\ndef f():\n    {body}\n"
    measures = measure(lift_of(text, "f"))
    assert (measures.lines, measures.complexity, measures.nesting) == expected

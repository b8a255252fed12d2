"""docs/signals.md has each column of the table, in its order."""

import re
from pathlib import Path

from schemas.quality import QUALITY

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"


def test_each_column_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == QUALITY.names

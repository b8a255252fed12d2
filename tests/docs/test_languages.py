"""docs/languages.md names the languages that there are."""

import re
from pathlib import Path

from transforms.languages import LANGUAGES

PAGE = Path(__file__).parents[2] / "docs" / "languages.md"


def test_the_page_lists_every_language():
    listed = re.findall(r"^> (.*)$", PAGE.read_text(), re.MULTILINE)
    assert " ".join(listed) == ", ".join(LANGUAGES)

"""SPDX-License-Identifier tags."""

from __future__ import annotations

import re

from transforms.crawl.licenses.findings import TAG, LicenseFinding
from transforms.license_expressions import canonical_expression, join_expressions

MARK = "SPDX-License-Identifier:"
# The tag begins its line, or its line is a comment: code that writes tags has it elsewhere.
_TAG = re.compile(
    r"^(?:[^\w\n]{0,16}|[ \t]*(?:#|//|/\*|\*|;|--|%)[^\n]{0,200}?)"
    rf"{MARK}[ \t]*([^\r\n]{{1,400}})",
    re.MULTILINE,
)
_COMMENT_END = re.compile(r"[ \t]*(?:\*+/|--+>|\*\)|-\}|#\}|%>|\"\"\"|'''|[\"']?[,;]?$).*\Z")
_SNIPPET = "SPDX-SnippetBegin"
_MAX_TAGS = 8


def find_tag(text: str) -> LicenseFinding | None:
    """What the tags of a text say together; those of snippets do not count."""
    if MARK not in text:
        return None
    found: list[str] = []
    for match in _TAG.finditer(text.partition(_SNIPPET)[0]):
        expression = canonical_expression(_COMMENT_END.sub("", match[1]).strip())
        if expression is not None:
            found.append(expression)
        if len(found) == _MAX_TAGS:
            break
    return LicenseFinding(join_expressions(found, "AND"), TAG, 1.0) if found else None

"""What the ``.gitignore`` files of a folder leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

# Patterns become regular expressions, whose time grows with the length of a name to the
# power of its wildcards: those that no honest project writes are passed over. The numbers
# of patterns, and of those with several wildcards, are for all that hold in a folder.
MAX_WILDCARDS = 3
MAX_PATTERNS = 10_000
MAX_COSTLY_PATTERNS = 100
# Classes that regular expressions may read in another way one day, and warn of.
_ODD_CLASS = re.compile(r"\[[^\]]*(?:\[|--|&&|~~|\|\|)")


@dataclass(frozen=True)
class Ignored:
    """The patterns that hold in a folder, those of the outermost ``.gitignore`` first."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()
    patterns_left: int = MAX_PATTERNS
    costly_left: int = MAX_COSTLY_PATTERNS

    def within(self, prefix: str, gitignore: bytes) -> Ignored:
        """The patterns that hold in a folder, given its path with a slash, and its file."""
        left, costly_left = self.patterns_left, self.costly_left
        patterns: list[GitIgnoreSpecPattern] = []
        for line in gitignore.decode("utf-8", "replace").splitlines()[:left]:
            is_costly = line.replace("**", "*").count("*") > 1
            pattern = _parse(line) if costly_left or not is_costly else None
            if pattern is not None:
                patterns.append(pattern)
                left -= 1
                costly_left -= is_costly
        return Ignored((*self.specs, (prefix, GitIgnoreSpec(patterns))), left, costly_left)

    def __call__(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or folder is left out: the innermost pattern that matches decides."""
        for prefix, spec in reversed(self.specs):
            verdict = spec.check_file(path[len(prefix) :] + ("/" if is_folder else "")).include
            if verdict is not None:
                return verdict
        return False


def _parse(line: str) -> GitIgnoreSpecPattern | None:
    """A line's pattern, None where there is none that is valid and cheap."""
    segments = line.split("/")
    costly = any(segment.count("*") > MAX_WILDCARDS for segment in segments)
    if costly or segments.count("**") > MAX_WILDCARDS or _ODD_CLASS.search(line):
        return None
    try:
        return GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error):
        return None

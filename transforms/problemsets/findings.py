"""What is found in many rows: how many there are, and the first few of them."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """How many rows something holds for, and the first few as text for people."""

    count: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = self.count - len(self.examples)
        examples = "; ".join(self.examples)
        return f"{self.count:,} ({examples}{f'; and {more:,} more' if more > 0 else ''})"


@dataclass
class Tally:
    """A finding that grows."""

    count: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, example: str, subject: str = "") -> None:
        """Counts one, and keeps its example if it is among the first of different subjects."""
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.setdefault(subject or example, example)

    def finding(self) -> Finding:
        """What was found until now."""
        return Finding(self.count, tuple(self.examples.values()))

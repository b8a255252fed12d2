"""Text from outside on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text from outside with nothing in it that moves a terminal."""
    return "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )

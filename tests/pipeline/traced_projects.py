"""Two projects to trace that need nothing of any package index, one of them without tests."""

from __future__ import annotations

from pathlib import Path

TOOL = '''"""A tool."""

FACTORS = (2, 3, 5)


def smooth(number):
    """Whether a number has no prime factor above 5."""
    if number < 1:
        return False
    for factor in FACTORS:
        while number % factor == 0:
            number //= factor
    return number == 1


def label(number, unit="m"):
    if number < 0:
        raise ValueError("negative")
    return f"{number} {unit}"


def identity(number):
    """Gives what it gets."""
    return number
'''
TESTS = """import unittest

from tool import identity, label, smooth


class ToolTest(unittest.TestCase):
    def test_smooth(self):
        for number, expected in ((0, False), (1, True), (6, True), (7, False), (30, True)):
            self.assertEqual(smooth(number), expected)

    def test_label(self):
        self.assertEqual(label(1), "1 m")
        self.assertEqual(label(2, "s"), "2 s")
        self.assertEqual(label(3, unit="kg"), "3 kg")
        with self.assertRaises(ValueError):
            label(-1)

    def test_identity(self):
        for number in range(5):
            self.assertEqual(identity(number), number)

    def test_that_fails(self):
        self.assertEqual(smooth(2), False)
"""
WORKFLOW = """on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: python -m unittest
"""
_FILES = {
    "tool/tool.py": TOOL,
    "tool/tests/__init__.py": "",
    "tool/tests/test_tool.py": TESTS,
    "tool/.github/workflows/tests.yml": WORKFLOW,
    "untested/module.py": "x = 1\n",
}


def write_projects(folder: Path) -> None:
    """Writes each of them into a folder of its own in this one."""
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

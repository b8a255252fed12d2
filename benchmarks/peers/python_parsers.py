"""Whether texts are Python, by one parser: ``PARSER TEXTS OUTPUT`` in any environment.

TEXTS is a file of them one after another beside ``TEXTS.json``, a list of their sizes. The
output is a list of verdicts and the CPU seconds they took, reading and start-up left out.
"""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path


def verdicts_of_ast(texts: list[bytes]) -> list[bool]:
    """By the interpreter that runs this."""
    warnings.simplefilter("ignore")
    return [_parses(text) for text in texts]


def _parses(text: bytes) -> bool:
    try:
        ast.parse(text.decode())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def verdicts_of_tree_sitter(texts: list[bytes]) -> list[bool]:
    """By its grammar of Python; what has an error node does not parse."""
    import tree_sitter
    import tree_sitter_python

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    return [not parser.parse(text).root_node.has_error for text in texts]


def verdicts_of_libcst(texts: list[bytes]) -> list[bool]:
    """By its native parser, which makes a tree of Python objects."""
    from libcst import native

    def parses(text: bytes) -> bool:
        try:
            native.parse_module(text.decode())
        except Exception:
            return False
        return True

    return [parses(text) for text in texts]


def verdicts_of_ruff(texts: list[bytes]) -> list[bool]:
    """By the command line program over files, with one cheap rule: it has no other interface."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            Path(folder, f"{number}.py").write_bytes(text)
        options = ["--isolated", "--no-cache", "--ignore-noqa", "--target-version=py313"]
        options += ["--select=PLE0118", "--output-format=json-lines", "--no-respect-gitignore"]
        command = [Path(sys.executable).with_name("ruff"), "check", *options, folder]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    broken = {
        int(Path(found["filename"]).stem)
        for found in map(json.loads, lines.splitlines())
        if found["code"] in (None, "invalid-syntax")
    }
    return [number not in broken for number in range(len(texts))]


PARSERS = {
    "ast": verdicts_of_ast,
    "tree-sitter": verdicts_of_tree_sitter,
    "libcst": verdicts_of_libcst,
    "ruff": verdicts_of_ruff,
}


def read_texts(path: Path) -> Iterator[bytes]:
    """The texts of a file beside which their sizes are."""
    with path.open("rb") as file:
        for size in json.loads(Path(f"{path}.json").read_text()):
            yield file.read(size)


def cpu_seconds(parser: str) -> float:
    """What has been spent: by the child where the parser is one, else by this process."""
    if parser == "ruff":
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    return time.process_time()


if __name__ == "__main__":
    name, source, output = sys.argv[1:]
    contents = list(read_texts(Path(source)))
    PARSERS[name](contents[:1])
    before = cpu_seconds(name)
    verdicts = PARSERS[name](contents)
    seconds = cpu_seconds(name) - before
    Path(output).write_text(json.dumps([verdicts, seconds]))

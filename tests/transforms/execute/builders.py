"""Files of problems and samples as tests write them."""

import bz2
import gzip
import json
import lzma

import pyarrow as pa

COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}

CHECK = "def check(candidate):\n    assert candidate(2) == 4\n"

HUMANEVAL = {
    "task_id": "pets/0",
    "prompt": 'def feed(cats):\n    """Portions of two for each cat."""\n',
    "entry_point": "feed",
    "canonical_solution": "    return 2 * cats\n",
    "test": CHECK,
}
MBPP = {
    "task_id": 7,
    "text": "Write a function that counts the paws of cats.",
    "code": "def paws_of(cat):\r\n    return 4\r\n\r\ndef paws(cats):\r\n    return 4 * cats\r\n",
    "test_list": ["assert paws(1) == 4", "assert set([paws(2)]) == {8}", "assert paws(0) == 0"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
APPS = {
    "id": 12,
    "question": "Read a number and print its double.",
    "solutions": json.dumps(["print(2 * int(input()))\n", "print(int(input()) << 1)\n"]),
    "input_output": json.dumps({"inputs": ["1\n", "5\n"], "outputs": ["2\n", "10\n"]}),
    "difficulty": "introductory",
}
PLAIN = {
    "task_id": "echo",
    "prompt": "Print what you read.",
    "tests": [{"input": "meow\n", "output": "meow\n"}],
}


def json_lines(path, *rows, compress=bytes):
    """Writes rows, each an object or the text of its line."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_bytes(compress("".join(f"{line}\n" for line in lines).encode()))
    return path

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.crawl.licenses.notices import APACHE_NOTICE, GPL_NOTICE, ISC, MIT
from transforms.crawl.licenses.headers import MAX_HEAD_BYTES, find_in_header


def found_in(text):
    found = find_in_header(text.encode())
    return found and (found.expression, found.evidence)


def comment(text, prefix="#"):
    return "".join(f"{prefix} {line}".rstrip() + "\n" for line in text.splitlines())


CODE = "\nimport os\n\nlicense = os.environ['LICENSE']\n"


@pytest.mark.parametrize(
    "line",
    [
        "# SPDX-License-Identifier: MIT",
        "// SPDX-License-Identifier: MIT",
        "/* SPDX-License-Identifier: MIT */",
        " * SPDX-License-Identifier: MIT",
        "-- SPDX-License-Identifier: mit",
        "<!-- SPDX-License-Identifier: MIT -->",
        '"""SPDX-License-Identifier: MIT"""',
        "# Copyright 2020 A. SPDX-License-Identifier: MIT",
        "SPDX-License-Identifier: MIT\r",
    ],
)
def test_reads_tags_in_any_comment(line):
    assert found_in(f"#!/bin/sh\n{line}\n{CODE}") == ("MIT", "spdx_tag")


@pytest.mark.parametrize(
    "line",
    [
        "mark = 'SPDX-License-Identifier: MIT'",
        "# SPDX-License-Identifier: whatever you like",
        "# SPDX-SnippetBegin\n# SPDX-License-Identifier: MIT",
        "\n" * MAX_HEAD_BYTES + "# SPDX-License-Identifier: MIT",
    ],
)
def test_other_tags_say_nothing_of_the_file(line):
    assert found_in(f"{line}\n{CODE}") is None


def test_several_tags_all_hold():
    text = "# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: ISC OR Zlib\n"
    assert found_in(text) == ("MIT AND (ISC OR Zlib)", "spdx_tag")


@pytest.mark.parametrize(
    ("notice", "expression"),
    [
        (APACHE_NOTICE, "Apache-2.0"),
        (GPL_NOTICE, "GPL-3.0-or-later"),
        (MIT, "MIT"),
        (ISC, "ISC"),
        ("License: BSD 3 clause", "BSD-3-Clause"),
        ("Licensed under the MIT License. See LICENSE for more.", "MIT"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        comment,
        lambda text: comment(text, "//"),
        lambda text: "/*\n" + comment(text, " *") + " */\n",
        lambda text: f"/*\n{text}*/\n",
        lambda text: f'"""A module.\n\n{text}\n"""\n',
        lambda text: f"<!--\n{text}\n-->\n",
    ],
    ids=["hash", "slashes", "stars", "block", "docstring", "markup"],
)
def test_reads_notices_in_any_comment(notice, expression, wrap):
    text = "#!/usr/bin/env python3\n" + wrap(f"Copyright 2020 A. Author\n\n{notice}") + CODE
    assert found_in(text) == (expression, "header")


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE,
        "setup(name='a', license='MIT')\n",
        "# See LICENSE for the license.\n" + CODE,
        "# Licensed under a BSD-style license, see LICENSE.\n" + CODE,
        '"""Finds licenses."""\n' + CODE,
        'NOTICE = """' + "\n" * MAX_HEAD_BYTES + MIT + '"""\n',
    ],
)
def test_code_and_vague_words_say_nothing(text):
    assert found_in(text) is None


def test_half_of_a_choice_is_left_to_the_license_files():
    text = "Dual licensed under the Apache License, Version 2.0, and the BSD License."
    assert found_in(comment(text)) is None


def test_the_notice_of_a_choice_is_a_choice():
    text = f"You may choose either of these licenses.\n\n{APACHE_NOTICE}\nor\n\n{GPL_NOTICE}"
    assert found_in(comment(text)) == ("Apache-2.0 OR GPL-3.0-or-later", "header")


@given(st.binary(max_size=500), st.sampled_from([b"", b"License", b"# license ", b'"""icense']))
def test_any_bytes_are_answered(content, word):
    found = find_in_header(content + word + content)
    assert found is None or found.expression


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"# license developed by " * 200_000, id="beginnings"),
        pytest.param(b"license " * 500_000, id="words"),
        pytest.param(b"# license\n" * 400_000, id="lines"),
        pytest.param(b'"""license ' * 400_000, id="openings"),
        pytest.param(b"#" * 4000 + b" SPDX-License-Identifier: ((((", id="tag"),
        pytest.param(b"# licensed" + b" " * 4_000_000, id="spaces"),
    ],
)
def test_a_hostile_file_costs_little(content):
    find_in_header(comment(MIT).encode())
    started = time.process_time()
    find_in_header(content)
    assert time.process_time() - started < 1


def test_a_file_without_a_notice_costs_next_to_nothing():
    content = b"def add(one, other):\n    return one + other\n\n\n" * 400
    started = time.process_time()
    for _ in range(1000):
        find_in_header(content)
    # Searches of the first bytes: some 10 microseconds, where a scan would take 10 milliseconds.
    assert (time.process_time() - started) / 1000 < 500e-6

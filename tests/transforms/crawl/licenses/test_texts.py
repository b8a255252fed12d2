import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.crawl.licenses.notices import (
    CUSTOM,
    GPL_NOTICE,
    ISC,
    MIT,
    installed_license,
)
from transforms.crawl.licenses.texts import MAX_TEXT_BYTES, find_in_license_file
from transforms.license_expressions import UNKNOWN_LICENSE


def expression(text):
    found = find_in_license_file(text if isinstance(text, bytes) else text.encode())
    return found and found.expression


@pytest.mark.parametrize(
    ("project", "name", "expected"),
    [
        ("rich", "LICENSE", "MIT"),
        ("packaging", "LICENSE.APACHE", "Apache-2.0"),
        ("packaging", "LICENSE.BSD", "BSD-2-Clause"),
        ("numba", "LICENSE", "BSD-2-Clause"),
        ("hypothesis", "LICENSE.txt", "MPL-2.0"),
        ("shellingham", "LICENSE", "ISC"),
        ("idna", "LICENSE.md", "BSD-3-Clause"),
    ],
)
def test_knows_the_license_files_of_real_packages(project, name, expected):
    found = find_in_license_file(installed_license(project, name))
    assert found.expression == expected
    assert found.confidence > 0.9


def test_own_license_ends_where_the_licenses_of_others_begin():
    assert expression(f"{MIT}\nThis product bundles a parser:\n\n{ISC}") == "MIT"
    assert expression(f"{MIT}\n\n{ISC}") == "MIT AND ISC"


def test_words_between_licenses_may_offer_a_choice():
    assert expression(f"Dual-licensed, at your option.\n\n{MIT}\n\n{ISC}") == "MIT OR ISC"


def test_a_tag_decides():
    assert expression(f"SPDX-License-Identifier: ISC OR MIT\n\n{MIT}") == "ISC OR MIT"


def test_a_notice_before_the_text_says_which_versions_hold():
    title = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"
    assert expression(f"{title}\n{CUSTOM}") == "GPL-3.0-only"
    assert expression(f"{GPL_NOTICE}\n\n{title}\n") == "GPL-3.0-or-later"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", "MIT"),
        ("Apache-2.0\n", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("This is released under the MIT License.", "MIT"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
    ],
)
def test_a_few_words_can_name_a_license(text, expected):
    assert expression(text) == expected


def test_terms_that_nobody_knows_are_unknown():
    found = find_in_license_file(CUSTOM.encode())
    assert (found.expression, found.confidence) == (UNKNOWN_LICENSE, 0.0)


def test_text_that_begins_with_other_terms_is_not_the_license_that_it_ends_with():
    assert expression(f"{CUSTOM * 8}\n\n{MIT}") == UNKNOWN_LICENSE


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"MIT\0", b"\x89PNG\r\n\x1a\n\0\0", b"See LICENSE-MIT and LICENSE-APACHE."],
)
def test_what_says_nothing_is_nothing(content):
    assert find_in_license_file(content) is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_reads_other_encodings(encoding):
    assert expression(f"Copyright Zo\xeb\n\n{MIT}".encode(encoding)) == "MIT"


def test_confidence_falls_with_what_is_not_understood():
    plain, more = (find_in_license_file(text.encode()) for text in (MIT, MIT + CUSTOM))
    assert plain.expression == more.expression == "MIT"
    assert plain.confidence > more.confidence > 0.5


@given(st.binary(max_size=2000))
def test_any_bytes_are_answered(content):
    found = find_in_license_file(content)
    assert found is None or (found.expression and 0 <= found.confidence <= 1)


def _letters(size):
    return bytes(random.Random(7).choices(range(1, 256), k=size))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_letters(1 << 20), id="garbage"),
        pytest.param(b"x" * (1 << 20), id="one word"),
        pytest.param(b"\n" * (1 << 20), id="empty lines"),
        pytest.param(b"developed by " * 80_000, id="beginnings of licenses"),
        pytest.param(b"copyright and " * 80_000, id="copyrights"),
        pytest.param(b"includes a " * 100_000, id="inclusions"),
        pytest.param(b"licensed" + b" " * (1 << 20), id="spaces"),
        pytest.param(b"#SPDX-License-Identifier:" * 40_000, id="tags on one line"),
        pytest.param(b"# SPDX-License-Identifier: MIT\n" * 40_000, id="tags on many lines"),
        pytest.param(b"http://a.org/" + b"a/" * 500_000, id="address"),
        pytest.param(GPL_NOTICE.encode() * 3000, id="notices"),
        pytest.param(MIT.encode()[:-20] * 1000, id="nearly licenses"),
    ],
)
def test_a_hostile_file_costs_little(content):
    find_in_license_file(MIT.encode())
    started = time.process_time()
    find_in_license_file(content)
    # The slowest takes half a second here.
    assert time.process_time() - started < 5


def test_reads_the_beginning_alone():
    filler = CUSTOM * (MAX_TEXT_BYTES // len(CUSTOM) + 1)
    assert expression(filler + MIT) == UNKNOWN_LICENSE

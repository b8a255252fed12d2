import pytest

from transforms.crawl.licenses.names import license_named, license_titled, licenses_mentioned


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("MIT", "MIT"),
        ("The MIT License", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPL v3+", "GPL-3.0-or-later"),
        ("GNU General Public License v2 or later", "GPL-2.0-or-later"),
        ("LGPLv2.1+", "LGPL-2.1-or-later"),
        ("GNU Lesser General Public License, Version 3", "LGPL-3.0-only"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
    ],
)
def test_knows_names_of_one_license(name, expression):
    assert license_named(name) == expression


@pytest.mark.parametrize("name", ["", "BSD", "BSD-style", "GPL", "Apache", "LGPL", "see LICENSE"])
def test_names_of_a_family_are_not_enough(name):
    assert license_named(name) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Licensed under the MIT License. See LICENSE for details.", ["MIT"]),
        ("This is released under the terms of the Apache License, Version 2.0.", ["Apache-2.0"]),
        ("License: BSD 3 clause", ["BSD-3-Clause"]),
        ("GNU General Public License v3.0+ (see COPYING)", ["GPL-3.0-or-later"]),
        ("Use of it is governed by a BSD-style license.", []),
        ("It converts MIT to Apache 2.0.", []),
    ],
)
def test_finds_the_licenses_that_a_text_says_something_is_under(text, expected):
    assert list(licenses_mentioned(text)) == expected


def test_a_title_is_the_longest_name_that_a_text_begins_with():
    title = "GNU LESSER GENERAL PUBLIC LICENSE\n  Version 2.1, February 1999\n\nEveryone"
    assert license_titled(title) == "LGPL-2.1-only"
    assert license_titled("Everyone is welcome") is None

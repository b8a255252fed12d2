import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.licenses import canonicalize_license_expression

from tests.transforms.crawl.licenses.notices import MIT
from transforms.crawl.licenses.metadata import _CLASSIFIERS, licenses_of_metadata

OSI = "Classifier: License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("lines", "licenses"),
    [
        (["License-Expression: mit or apache-2.0"], ("MIT OR Apache-2.0",)),
        (["License-Expression: MIT", OSI + "ISC License (ISCL)"], ("MIT",)),
        ([OSI + "MIT License", OSI + "Apache Software License"], ("Apache-2.0", "MIT")),
        ([OSI + "MIT License", "License: BSD-3-Clause"], ("MIT",)),
        ([OSI + "BSD License", "License: BSD-3-Clause"], ("BSD-3-Clause",)),
        (["License: bsd-3-clause"], ("BSD-3-Clause",)),
        ([OSI + "BSD License", "License: BSD"], ()),
        ([OSI + "BSD License", "License: New BSD License"], ("BSD-3-Clause",)),
        (["License: GPLv3+"], ("GPL-3.0-or-later",)),
        (["License-Expression: LGPL-2.1"], ("LGPL-2.1-only",)),
        (["License: " + MIT.replace("\n", "\n        ")], ("MIT",)),
        (["License: UNKNOWN"], ()),
        (["License: Permission is hereby granted,", "        free of charge"], ()),
        (["License-Expression: nonsense here", "License: MIT"], ("MIT",)),
        ([], ()),
    ],
)
def test_reads_the_most_trusted_field(lines, licenses):
    text = "\n".join(["Metadata-Version: 2.4", "Name: a", *lines, "", "License: ISC in the body"])
    assert licenses_of_metadata(text.encode()) == licenses


def test_maps_classifiers_to_identifiers_that_exist():
    for identifier in _CLASSIFIERS.values():
        assert canonicalize_license_expression(identifier) == identifier


@given(st.binary())
def test_takes_any_bytes_without_an_error(data):
    licenses_of_metadata(data)
    licenses_of_metadata(b"License: " + data)

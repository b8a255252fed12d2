import random
import time

import pytest

from tests.transforms.crawl.licenses.notices import CUSTOM, GPL_NOTICE, ISC, MIT, installed_license
from transforms.crawl.licenses.assignment import (
    MAX_REPOSITORY_TEXT_BYTES,
    find_repository_licenses,
)
from transforms.license_expressions import UNKNOWN_LICENSE

APACHE = installed_license("packaging", "LICENSE.APACHE")
LGPL_TITLE = b"GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"
GPL_TITLE = b"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"


def licenses(files, metadata=()):
    encoded = {
        path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()
    }
    return find_repository_licenses(encoded, metadata)


def repository(files, *metadata):
    found = licenses(files, metadata).repository
    return found and found.expression


def test_a_file_has_its_own_tag_first():
    found = licenses({"LICENSE": MIT}).of_file("a.py", b"# SPDX-License-Identifier: ISC\n")
    assert (found.expression, found.evidence) == ("ISC", "spdx_tag")


def test_a_file_without_words_of_its_own_has_the_nearest_license_file_above_it():
    found = licenses({"LICENSE": MIT, "vendor/LICENSE": ISC, "vendor/b/c/COPYING": APACHE})
    evidence = {
        path: (one.expression, one.evidence)
        for path in ("a.py", "src/a.py", "vendor/a.py", "vendor/b/a.py", "vendor/b/c/d/a.py")
        if (one := found.of_file(path, b"import os\n")) is not None
    }
    assert evidence == {
        "a.py": ("MIT", "file:LICENSE"),
        "src/a.py": ("MIT", "file:LICENSE"),
        "vendor/a.py": ("ISC", "file:vendor/LICENSE"),
        "vendor/b/a.py": ("ISC", "file:vendor/LICENSE"),
        "vendor/b/c/d/a.py": ("Apache-2.0", "file:vendor/b/c/COPYING"),
    }


def test_without_license_files_the_metadata_holds():
    found = licenses({}, ("MIT",)).of_file("src/a.py", b"")
    assert (found.expression, found.evidence, found.confidence) == ("MIT", "metadata", 0.8)


def test_without_anything_there_is_no_finding():
    found = licenses({})
    assert found.repository is None
    assert found.of_file("a.py", b"import os\n") is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE}, "Apache-2.0 OR MIT"),
        (
            {"LICENSE": "See LICENSE.MIT and LICENSE.ISC.", "LICENSE.MIT": MIT, "LICENSE.ISC": ISC},
            "ISC OR MIT",
        ),
        ({"LICENSE": MIT, "COPYING": ISC}, "ISC AND MIT"),
        ({"LICENSE": MIT, "LICENSE-ISC": ISC}, "MIT AND ISC"),
        (
            {"LICENSE": f"Dual-licensed.\n{MIT}\n{ISC}", "LICENSE-ISC": ISC, "LICENSE-MIT": MIT},
            "MIT OR ISC",
        ),
        ({"COPYING": GPL_TITLE, "COPYING.LESSER": LGPL_TITLE}, "LGPL-3.0-only"),
        ({"COPYING": GPL_TITLE, "LICENSE": LGPL_TITLE}, "LGPL-3.0-only"),
        ({"LICENSES/MIT.txt": MIT, "LICENSES/ISC.txt": ISC}, "ISC AND MIT"),
        ({"LICENSE": MIT, "LICENSES/ISC.txt": ISC}, "MIT"),
        ({"LICENSE": CUSTOM, "COPYING": MIT}, "MIT"),
        ({"LICENSE": CUSTOM}, UNKNOWN_LICENSE),
        ({"COPYRIGHT.txt": CUSTOM}, None),
        ({"a-1.0.dist-info/licenses/LICENSE": MIT}, "MIT"),
    ],
)
def test_joins_the_license_files_of_a_folder(files, expected):
    assert repository(files) == expected


def test_a_page_about_licenses_does_not_hold_for_the_folder_that_it_is_in():
    found = licenses({"LICENSE": MIT, "docs/license.rst": CUSTOM})
    assert found.of_file("docs/conf.py", b"").expression == "MIT"


@pytest.mark.parametrize(
    ("text", "metadata", "expected", "confidence"),
    [
        (MIT, (), "MIT", 1.0),
        (MIT, ("MIT",), "MIT", 1.0),
        (GPL_TITLE, ("GPL-3.0-or-later",), "GPL-3.0-or-later", 0.8),
        (GPL_NOTICE, ("GPL-3.0-or-later",), "GPL-3.0-or-later", 1.0),
        (f"{MIT}\n\n{ISC}", ("ISC OR MIT",), "ISC OR MIT", 1.0),
        (f"{MIT}\n\n{ISC}", ("ISC", "MIT"), "MIT AND ISC", 1.0),
        (f"{MIT}\n\n{ISC}", ("MIT",), "MIT AND ISC", 1.0),
        (MIT, ("MIT AND PSF-2.0",), "MIT AND PSF-2.0", 0.8),
        (MIT, ("GPL-3.0-only",), "MIT AND GPL-3.0-only", 0.5),
        (CUSTOM, ("MIT",), "MIT", 0.8),
        (MIT, ("BSD", "a company's own"), "MIT", 1.0),
        ("", ("Apache-2.0", "MIT"), "Apache-2.0 AND MIT", 0.5),
    ],
)
def test_license_files_and_metadata_complete_each_other(text, metadata, expected, confidence):
    found = licenses({"LICENSE": text}, metadata).repository
    assert (found.expression, found.confidence) == (expected, confidence)


def test_evidence_names_what_decided():
    assert licenses({"LICENSE": MIT}, ("MIT",)).repository.evidence == "file:LICENSE+metadata"
    many = {f"LICENSE-{number}": MIT for number in range(9)}
    assert licenses(many).repository.evidence == "file:LICENSE-0+LICENSE-1+LICENSE-2+6 more"


def test_the_order_of_files_does_not_matter():
    files = {
        "LICENSE-MIT": MIT,
        "LICENSE-APACHE": APACHE,
        "a/LICENSE": ISC,
        "LICENSES/x.txt": MIT,
        "b/LICENSE.md": CUSTOM,
    }
    shuffled = list(files.items())
    random.Random(3).shuffle(shuffled)
    assert licenses(dict(shuffled), ("MIT",)) == licenses(files, ("MIT",))


def test_ten_thousand_license_files_cost_no_more_than_some():
    filler = CUSTOM * 80
    hostile = {f"deep/{number}/LICENSE": f"{number} {filler}" for number in range(10_000)}
    copies = {f"copies/{number}/LICENSE": MIT for number in range(10_000)}
    started = time.process_time()
    found = licenses({"LICENSE": ISC, **copies, **hostile})
    assert time.process_time() - started < 30
    assert found.of_file("a.py", b"").expression == "ISC"
    assert found.of_file("copies/9999/a.py", b"").expression == "MIT"
    read = sum(name.startswith("deep/") for name in found.folders)
    assert 0 < read <= MAX_REPOSITORY_TEXT_BYTES / len(filler)


def test_a_thousand_licenses_in_one_folder_are_unknown_together():
    files = {
        f"LICENSES/{number}.txt": f"SPDX-License-Identifier: LicenseRef-{number}"
        for number in range(1000)
    }
    assert repository(files) == UNKNOWN_LICENSE

import pytest

from transforms.crawl.licenses.paths import (
    governed_folder,
    is_license_path,
    names_one_of_several,
)


@pytest.mark.parametrize(
    "path",
    [
        "LICENSE",
        "LICENCE",
        "license.txt",
        "License.md",
        "LICENSE.rst",
        "COPYING",
        "COPYING.LESSER",
        "COPYING.GPLv3",
        "COPYRIGHT",
        "UNLICENSE",
        "LICENSE-MIT",
        "LICENSE.APACHE",
        "LICENSE_1_0.txt",
        "LICENSE-2.0.txt",
        "MIT-LICENSE",
        "MIT-LICENSE.txt",
        "APACHE-LICENSE-2.0.txt",
        "src/deep/down/LICENSE",
        "LICENSES/MIT.txt",
        "LICENSES/LicenseRef-Custom.txt",
        "licenses/Apache-2.0",
        "a-1.0.dist-info/licenses/LICENSE",
        "a-1.0.dist-info/LICENSE.txt",
    ],
)
def test_knows_the_names_of_license_files(path):
    assert is_license_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "README.md",
        "license.py",
        "licenses.py",
        "license.go",
        "licenses.json",
        "license_checker.py",
        "LICENSE.html",
        "relicense.txt",
        "driver-license",
        "LICENSE.third-party",
        "LICENSE-3RD-PARTY.txt",
        "LICENSE/readme.py",
        "LICENSES/check.py",
        "a-1.0.dist-info/licenses/AUTHORS",
        "LICENSE-" + "x" * 300,
    ],
)
def test_other_names_are_none(path):
    assert not is_license_path(path)


@pytest.mark.parametrize(
    ("path", "folder", "collected"),
    [
        ("LICENSE", "", False),
        ("a/b/COPYING", "a/b", False),
        ("LICENSES/MIT.txt", "", True),
        ("a/licenses/MIT.txt", "a", True),
        ("a-1.0.dist-info/LICENSE", "", False),
        ("a-1.0.dist-info/licenses/LICENSE", "", False),
        ("a-1.0.dist-info/licenses/vendored/b/LICENSE", "vendored/b", False),
        ("a.egg-info/LICENSE", "", False),
    ],
)
def test_a_license_file_speaks_for_its_folder(path, folder, collected):
    assert governed_folder(path) == (folder, collected)


def test_some_files_are_named_after_their_license():
    assert names_one_of_several("LICENSE-MIT")
    assert names_one_of_several("LICENSE.APACHE")
    assert names_one_of_several("MIT-LICENSE.txt")
    assert not names_one_of_several("LICENSE.txt")
    assert not names_one_of_several("COPYING")

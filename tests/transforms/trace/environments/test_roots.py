import os

import pytest

from transforms.trace.environments.roots import find_roots

PACKAGES = "lib/python3.12/site-packages"


@pytest.fixture
def installed(workplace):
    folder = workplace.outside / "environment" / PACKAGES
    folder.mkdir(parents=True)
    (workplace.outside / "project/src/pkg").mkdir(parents=True)
    (workplace.outside / "project/tests").mkdir()
    for name in ("single.py", "setup.py"):
        (workplace.outside / "project" / name).write_bytes(b"")
    return folder


def test_an_editable_project_has_its_own_folder(workplace, installed):
    (installed / "__editable__.pkg.pth").write_text("x")
    assert find_roots(workplace, PACKAGES) == {str(workplace.inside / "project"): ""}


def test_what_is_installed_once_more_has_the_paths_of_the_repository(workplace, installed):
    for name in ("pkg", "tests", "other"):
        (installed / name).mkdir()
    for name in ("single.py", "setup.py"):
        (installed / name).write_bytes(b"")
    inside = workplace.inside / "environment" / PACKAGES
    assert find_roots(workplace, PACKAGES) == {
        str(workplace.inside / "project"): "",
        str(inside / "single.py"): "single.py",
        str(inside / "pkg"): "src/pkg",
    }


def test_links_are_no_roots(workplace, installed):
    (installed / "pkg").symlink_to("/etc")
    (installed.parent / "elsewhere").mkdir()
    assert len(find_roots(workplace, PACKAGES)) == 1
    os.rename(installed, installed.parent / "moved")
    installed.symlink_to(installed.parent / "moved")
    assert len(find_roots(workplace, PACKAGES)) == 1

import sys
import sysconfig
from pathlib import Path

import pytest

from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.settings import DEVICES, Settings, packages_in, readable_paths


@pytest.mark.parametrize("tier", Tier)
def test_settings_travel_as_text(tier):
    settings = Settings(
        tier=tier,
        limits=Limits(cpu_seconds=0.5, forks=True, files=7),
        preload=("math", "heapq"),
        calls="00ff",
        pivot_root=155,
        folder="/tmp/a folder\n\u00e9",
        user=1 << 30,
        environment={"TZ": "UTC0"},
    )
    found = Settings.from_json(settings.to_json())
    assert found == settings
    assert type(found.tier) is Tier
    assert hash(found.preload) == hash(settings.preload)


def test_the_standard_library_can_be_read():
    readable = readable_paths()
    for module in (sysconfig, sys.modules["re"]):
        assert any(Path(module.__file__).resolve().is_relative_to(path) for path in readable)


def test_nothing_of_the_machine_is_among_what_can_be_read():
    readable = readable_paths()
    for secret in (
        "/etc",
        "/etc/passwd",
        "/root",
        "/home",
        "/proc",
        "/sys",
        "/tmp",
        "/var",
        "/run",
    ):
        path = Path(secret).resolve()
        assert not any(path == each or path.is_relative_to(each) for each in readable), secret
    assert Path("/") not in readable


def test_devices_hold_no_data():
    assert set(DEVICES) <= {
        f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")
    }


def test_packages_are_found_in_a_folder_and_a_level_below(tmp_path):
    for name in ("site-packages", "python3/dist-packages", "python3/a/site-packages", "lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "dist-packages").touch()
    assert sorted(packages_in(tmp_path)) == [
        tmp_path / "python3/dist-packages",
        tmp_path / "site-packages",
    ]


def test_folders_of_packages_are_not_readable_by_themselves():
    names = {part for path in readable_paths() for part in path.parts}
    assert not names & {"site-packages", "dist-packages"}

import sys

import pytest

from transforms.crawl.registry import known_sources, source_of
from transforms.crawl.source import Source

PLUGIN = """
from typing import ClassVar
from transforms.crawl.source import Source

class FossilSource(Source):
    kind: ClassVar[str] = "fossil"
    urls: tuple[str, ...]

    def requests(self, place):
        return iter(())

    @classmethod
    def fetch(cls, request, place, limits):
        raise NotImplementedError

NoSource = dict
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with entry points where Python finds it."""

    def install(entry_points):
        (tmp_path / "fossil_plugin.py").write_text(PLUGIN)
        info = tmp_path / "fossil_plugin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fossil-plugin\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[repomill.sources]\n{entry_points}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        known_sources.cache_clear()

    yield install
    sys.modules.pop("fossil_plugin", None)
    known_sources.cache_clear()


def test_finds_what_repomill_ships():
    assert {"pypi", "git", "directory"} <= set(known_sources())
    for kind, source in known_sources().items():
        assert source.kind == kind
        assert issubclass(source, Source)


def test_finds_the_source_of_an_installed_package(install):
    install("fossil = fossil_plugin:FossilSource")
    assert source_of("fossil")(urls=["x"]).urls == ("x",)


@pytest.mark.parametrize(
    ("entry_points", "message"),
    [
        ("fossil = fossil_plugin:Missing", "of fossil-plugin cannot be loaded"),
        ("fossil = nowhere:Source", "mend or uninstall fossil-plugin"),
        ("fossil = fossil_plugin:NoSource", "no subclass of Source"),
        ("git = fossil_plugin:FossilSource", "there is one already"),
        ("hg = fossil_plugin:FossilSource", "calls itself fossil"),
    ],
)
def test_names_the_package_that_brings_something_else(install, entry_points, message):
    install(entry_points)
    with pytest.raises(ValueError, match=message):
        known_sources()


def test_names_a_source_that_is_not_installed():
    with pytest.raises(ValueError, match="no source 'fossil' is installed here"):
        source_of("fossil")

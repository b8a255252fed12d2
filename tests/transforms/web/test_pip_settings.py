from transforms.web import pip_settings
from transforms.web.pip_settings import (
    certificate_bundle,
    index_address,
    parse_pip_settings,
)


def test_asks_the_environment_first_and_pip_then(monkeypatch):
    assert index_address() is None
    assert certificate_bundle() is None
    settings = {"global.index-url": "http://c/", "global.cert": "/c.pem"}
    monkeypatch.setattr(pip_settings, "pip_settings", lambda: settings)
    assert index_address() == "http://c/"
    assert certificate_bundle() == "/c.pem"
    monkeypatch.setenv("PIP_INDEX_URL", "http://b/")
    monkeypatch.setenv("PIP_CERT", "/b.pem")
    assert index_address() == "http://b/"
    assert certificate_bundle() == "/b.pem"


def test_reads_what_pip_says_of_its_settings():
    listing = "global.index-url='http://a/'\n:env:.cert=\"/b's.pem\"\nnonsense\n"
    assert parse_pip_settings(listing) == {
        "global.index-url": "http://a/",
        ":env:.cert": "/b's.pem",
    }

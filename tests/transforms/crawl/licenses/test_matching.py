import sys

from tests.transforms.crawl.licenses.notices import ISC, MIT
from transforms.crawl.licenses import matching
from transforms.crawl.licenses.matching import Matcher


def test_regions_say_where_each_license_is():
    text = f"First.\n{MIT}\nSecond.\n{ISC}"
    regions = Matcher().regions(text)
    assert [region.license for region in regions] == ["MIT", "ISC"]
    assert text[regions[0].start : regions[0].end].startswith("Permission is hereby granted")
    assert regions[0].end <= regions[1].start
    assert not any(region.is_link for region in regions)


def test_addresses_are_told_from_texts():
    (region,) = Matcher().regions("see https://creativecommons.org/publicdomain/zero/1.0/ for it")
    assert (region.license, region.is_link) == ("CC0-1.0", True)


def test_starts_afresh_so_that_memory_stays_bounded(monkeypatch):
    monkeypatch.setattr(matching, "MAX_SCANNED_CHARACTERS", 3000)
    matcher = Matcher()
    loaded = set()
    for number in range(5):
        assert [r.license for r in matcher.regions(f"{number}\n{MIT}")] == ["MIT"]
        loaded.add(id(sys.modules["licenseclassifier"]))
    assert len(loaded) > 1


def test_forgets_texts_once_there_are_many(monkeypatch):
    monkeypatch.setattr(matching, "MAX_REMEMBERED", 10)
    matcher = Matcher()
    for number in range(100):
        matcher.regions(f"text number {number}")
    assert len(matcher._known) <= 10


def test_a_text_that_was_met_before_is_not_scanned_again(monkeypatch):
    matcher = Matcher()
    first = matcher.regions(MIT)
    monkeypatch.setattr(matcher, "_scan", None)
    assert matcher.regions(MIT) is first

import datetime
import html.parser
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypi_simple import DistributionPackage, ProjectPage

from transforms.trace.environments.listings import (
    ListedFile,
    Listing,
    is_project_name,
    listing_of,
    render_html,
    render_json,
    uploaded_before,
)
from transforms.web.index import Page
from transforms.web.reach import Reach

FILE = ListedFile(
    "a-1.0-py3-none-any.whl", "0" * 64, "https://example.org/a.whl", 12, ">=3.8",
    "2024-05-06T07:08:09+00:00", "broken", "1" * 64,
)  # fmt: skip


def package(filename="a-1.0.tar.gz", sha256="0" * 64, kind="sdist", **options):
    return DistributionPackage(
        filename=filename, url="https://example.org/a", project="a", version="1.0",
        package_type=kind, digests={"sha256": sha256}, requires_python=None, has_sig=None,
        **options,
    )  # fmt: skip


def listed(*packages):
    page = ProjectPage("a", list(packages), None, None)
    return listing_of("A", Page(page, Reach.PUBLIC)).files


def test_lists_what_the_upstream_says_of_a_file():
    moment = datetime.datetime(2024, 5, 6, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    (file,) = listed(
        package(
            sha256="A" * 64, size=3, upload_time=moment, is_yanked=True, yanked_reason=None,
            metadata_digests={"sha256": "B" * 64},
        )
    )  # fmt: skip
    assert file == ListedFile(
        "a-1.0.tar.gz", "a" * 64, "https://example.org/a", 3, None,
        "2024-05-06T07:00:00+00:00", "", "b" * 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        package(sha256="short"),
        package(filename="../a-1.0.tar.gz"),
        package(filename="a-1.0.exe"),
        package(kind="egg"),
        package(kind=None),
    ],
)
def test_files_of_other_kinds_or_without_a_hash_are_not_listed(bad):
    assert listed(bad, package()) == listed(package())


def test_a_listing_survives_the_cache():
    listing = Listing("a", Reach.PRIVATE, (FILE,))
    assert Listing.from_json(listing.to_json().encode()) == listing


@given(st.binary() | st.from_regex(r'\{"(name|files|nearest)": .*\}').map(str.encode))
def test_a_damaged_listing_is_one_of_three_errors(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Listing.from_json(text)


def test_hides_what_was_uploaded_from_a_day_on():
    was_there = uploaded_before(datetime.date(2024, 5, 7))
    assert was_there(FILE)
    assert not uploaded_before(datetime.date(2024, 5, 6))(FILE)
    assert not was_there(ListedFile("a-1.0.tar.gz", "0" * 64, "u"))


def test_both_forms_lead_to_the_index_of_the_sandbox_alone():
    listing = Listing("a", Reach.PUBLIC, (FILE,))
    page = json.loads(render_json(listing))
    path = f"/files/{'0' * 64}/a-1.0-py3-none-any.whl"
    assert page["files"][0] == {
        "filename": "a-1.0-py3-none-any.whl",
        "url": path,
        "hashes": {"sha256": "0" * 64},
        "requires-python": ">=3.8",
        "yanked": "broken",
        "core-metadata": {"sha256": "1" * 64},
        "size": 12,
        "upload-time": "2024-05-06T07:08:09Z",
    }
    found = {}

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.update(attributes)

    Parser().feed(render_html(listing).decode())
    assert found == {
        "href": f"{path}#sha256={'0' * 64}",
        "data-requires-python": ">=3.8",
        "data-yanked": "broken",
        "data-core-metadata": f"sha256={'1' * 64}",
    }


@pytest.mark.parametrize("name", ["", ".", "-a", "a/b", "a b", "a" * 300, "ä", "a\n"])
def test_what_is_no_name_of_a_project(name):
    assert not is_project_name(name)


@pytest.mark.parametrize("name", ["a", "zope.interface", "Flask_SQLAlchemy", "0x"])
def test_what_is_a_name_of_a_project(name):
    assert is_project_name(name)

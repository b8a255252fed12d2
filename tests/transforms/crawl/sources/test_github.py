import datetime
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import apache_beam as beam
import pytest
from pydantic import ValidationError

from runners.direct import pipeline_options
from runners.settings import EngineSettings
from schemas import requests as requests_table
from schemas import tables
from schemas.failures import Reason
from tests.transforms.crawl.sources.github.server import (
    GithubServer,
    Recorded,
    github_server,
    refusal,
)
from transforms.crawl.github import api as api_module
from transforms.crawl.github import connection, pages
from transforms.crawl.listing import ListSource, read_requests
from transforms.crawl.part import CrawlOptions
from transforms.crawl.source import CrawlError, Limits, Place, SourceFile
from transforms.crawl.sources.git import GitSource
from transforms.crawl.sources.github import GithubSource
from transforms.crawl.stage import CrawlRepositories
from transforms.parts import Workspace, read_part

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", TOKEN)


@pytest.fixture
def server():
    with github_server(GithubServer()) as server:
        yield server


@pytest.fixture
def told():
    """What the source told whoever watches."""
    return []


@pytest.fixture
def listing(server, place, impatient, told, monkeypatch):
    monkeypatch.setattr(GithubSource, "retries", impatient)

    def listing(**settings):
        source = GithubSource(api=settings.pop("api", server.api), **settings)
        return list(source.requests(Place(place.cache, place.scratch, told.append)))

    return listing


@pytest.fixture
def failure(listing):
    def failure(**settings):
        with pytest.raises(CrawlError) as caught:
            listing(**settings or {"organizations": ["acme"]})
        return caught.value

    return failure


def names(requests):
    return [request.repository.partition("/")[2] for request in requests]


def known(request):
    return json.loads(request.location)


def fill(server, count, owner="acme", **properties):
    for number in range(count):
        server.add(f"{owner}/r{number:04}", **properties)


def test_lists_an_organization_over_all_its_pages(server, listing):
    fill(server, 230)
    found = listing(organizations=["acme"])
    assert names(found) == [f"acme/r{number:04}" for number in range(230)]
    assert [asked.query["page"] for asked in server.asked] == ["1", "2", "3"]
    assert {asked.path for asked in server.asked} == {"/orgs/acme/repos"}
    assert {asked.query["per_page"] for asked in server.asked} == {"100"}


def test_a_request_says_what_is_known_of_a_repository(server, listing):
    (request,) = listing_of_one(server, listing)
    assert request.source == "github"
    assert known(request) == {
        "archived": False,
        "forks": 9,
        "license": "MIT",
        "pushed": "2024-05-06T07:08:09Z",
        "ref": "main",
        "stars": 80,
        "url": f"http://127.0.0.1:{server.port}/acme/tool.git",
    }


def listing_of_one(server, listing, **properties):
    server.add("acme/tool", **properties)
    return listing(organizations=["acme"])


def test_a_repository_is_called_what_git_calls_it(server, listing, place):
    (request,) = listing_of_one(server, listing)
    (clone,) = GitSource(urls=[known(request)["url"]]).requests(place)
    assert request.repository == clone.repository == f"127.0.0.1:{server.port}/acme/tool"


@pytest.mark.parametrize(
    ("license_", "expected"),
    [
        (None, None),
        ({"key": "other", "name": "Other", "spdx_id": "NOASSERTION", "url": None}, None),
        ({"key": "other", "name": "Other", "spdx_id": None}, None),
        ({"key": "apache-2.0", "name": "Apache", "spdx_id": "Apache-2.0"}, "Apache-2.0"),
    ],
)
def test_only_spdx_identifiers_are_handed_on(server, listing, license_, expected):
    (request,) = listing_of_one(server, listing, license=license_)
    assert known(request)["license"] == expected


def test_a_repository_found_in_several_ways_is_listed_once(server, listing):
    fill(server, 3)
    found = listing(search=["language:python"], organizations=["acme"], repositories=["acme/r0001"])
    assert names(found) == ["acme/r0000", "acme/r0001", "acme/r0002"]


def test_forks_are_left_out_and_archived_ones_are_not(server, listing):
    server.add("acme/a")
    server.add("acme/b", fork=True)
    server.add("acme/c", archived=True)
    server.add("acme/d", private=True, visibility="private")
    for settings in ({"organizations": ["acme"]}, {"users": ["acme"]}, {"search": ["x"]}):
        assert names(listing(**settings)) == ["acme/a", "acme/c"]
        assert names(listing(**settings, include_forks=True)) == ["acme/a", "acme/b", "acme/c"]
        assert names(listing(**settings, include_archived=False)) == ["acme/a"]


def test_a_search_asks_for_what_is_wanted_only(server, listing):
    listing(search=["language:python fork:only"], include_forks=True, include_archived=False)
    listing(search=["stars:>1"])
    assert [asked.query["q"] for asked in server.asked] == [
        "language:python fork:only archived:false is:public",
        "stars:>1 is:public",
    ]


def test_an_explicit_repository_is_taken_whatever_it_is(server, listing):
    server.add("acme/fork", fork=True, archived=True)
    settings = {"repositories": ["acme/fork"], "include_archived": False}
    assert names(listing(**settings)) == ["acme/fork"]


def test_a_moved_repository_goes_by_its_new_name(server, listing):
    server.add("umbrella/tool")
    server.moved["acme/old-tool"] = "1"
    assert names(listing(repositories=["acme/old-tool"])) == ["umbrella/tool"]


def test_a_renamed_organization_is_listed_page_by_page(server, listing):
    fill(server, 120, owner="umbrella")
    server.moved["acme"] = "umbrella"
    assert len(listing(organizations=["acme"])) == 120
    assert [asked.query["page"] for asked in server.asked] == ["1", "1", "2", "2"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("not_found", Reason.NOT_FOUND),
        ("blocked", Reason.NOT_FOUND),
        ("single_sign_on", Reason.ACCESS_DENIED),
    ],
)
def test_what_cannot_be_had_fails_alone(server, listing, place, name, reason):
    server.add("acme/good")
    server.precede("/repos/acme/bad", refusal(name))
    server.precede("/orgs/umbrella/repos", refusal(name))
    found = listing(repositories=["acme/bad"], organizations=["umbrella", "acme"], users=["acme"])
    assert names(found) == ["acme/bad", "acme/good", "umbrella"]
    for request in (found[0], found[2]):
        with pytest.raises(CrawlError) as caught:
            GithubSource.fetch(request, place, Limits())
        assert caught.value.reason is reason
        assert "127.0.0.1" in caught.value.detail


def test_a_private_repository_is_named_as_such(server, listing, place):
    server.add("acme/secret", private=True)
    (request,) = listing(repositories=["acme/secret"])
    with pytest.raises(CrawlError, match="acme/secret is private") as caught:
        GithubSource.fetch(request, place, Limits())
    assert caught.value.reason is Reason.ACCESS_DENIED


def test_a_search_of_more_than_a_thousand_is_asked_in_parts(server, listing):
    start = datetime.datetime(2012, 1, 1, tzinfo=datetime.UTC)
    for number in range(2600):
        created = start + datetime.timedelta(hours=number**2 % 90_000)
        server.add(f"acme/r{number:04}", created_at=f"{created:%Y-%m-%dT%H:%M:%SZ}")
    found = listing(search=["language:python"])
    assert names(found) == [f"acme/r{number:04}" for number in range(2600)]
    assert server.count() == len(server.asked)
    assert server.count() < 2600 / 100 + 30
    queries = [asked.query["q"] for asked in server.asked]
    assert queries[0] == "language:python is:public"
    assert "2039-12-31T23:59:59Z" in queries[-1]
    asked = len(server.asked)
    assert listing(search=["language:python"]) == found
    assert [each.status for each in server.asked[asked:]] == [304] * asked


def test_parts_stay_within_the_time_that_the_query_gives(server, listing):
    for year in (2015, 2020, 2024):
        fill(server, 600, owner=f"o{year}", created_at=f"{year}-06-01T00:00:00Z")
    found = listing(search=["created:>=2018-01-01 language:python"])
    assert {name.partition("/")[0] for name in names(found)} == {"o2020", "o2024"}
    assert len(found) == 1200


def test_an_incomplete_search_is_asked_once_more(server, listing):
    fill(server, 5)
    server.incomplete = 1
    assert len(listing(search=["x"])) == 5
    assert len(server.asked) == 2


def test_a_search_that_takes_too_long_is_asked_in_parts(server, listing):
    for year in range(2010, 2020):
        server.add(f"acme/r{year}", created_at=f"{year}-06-01T00:00:00Z")
    server.max_seconds_of_a_search = 400 * 24 * 3600
    assert len(listing(search=["x"])) == 10


def test_a_search_that_never_ends_is_an_error(server, failure):
    fill(server, 5)
    server.max_seconds_of_a_search = 0
    error = failure(search=["x"])
    assert error.reason is Reason.UNREACHABLE
    assert "make its query narrower" in error.detail
    assert len(server.asked) < 60


def test_more_in_one_second_than_can_be_listed_is_an_error(server, failure):
    fill(server, 1001)
    error = failure(search=["x"])
    assert "created:2020-01-02T03:04:05Z..2020-01-02T03:04:05Z" in error.detail
    assert "finds more than 1,000 repositories; make its query narrower" in error.detail


def test_a_query_that_is_wrong_is_an_error_with_the_words_of_the_server(server, failure):
    server.precede("/search/repositories", refusal("bad_query"))
    error = failure(search=["user:nobody"])
    assert error.reason is Reason.REQUEST_REFUSED
    assert "Validation Failed" in error.detail
    assert "mend the query" in error.detail


def test_listing_again_costs_nothing(server, listing):
    fill(server, 250)
    first = listing(organizations=["acme"])
    assert server.count(200) == 3
    assert listing(organizations=["acme"]) == first
    assert server.count(200) == 3
    assert server.count(304) == 3
    server.add("acme/s")
    assert len(listing(organizations=["acme"])) == 251
    assert server.count(304) == 5


def test_sees_what_came_after_a_full_page_that_did_not_change(server, listing):
    fill(server, 100)
    assert len(listing(organizations=["acme"])) == 100
    server.add("acme/s")
    assert len(listing(organizations=["acme"])) == 101


def _list_in_a_process(api, cache, scratch):
    source = GithubSource(api=api, organizations=["acme"])
    list(source.requests(Place(Path(cache), Path(scratch))))


def test_a_killed_listing_resumes_without_asking_again(server, listing, place):
    fill(server, 450)
    page = "/orgs/acme/repos"
    context = multiprocessing.get_context("spawn")
    child = context.Process(
        target=_list_in_a_process, args=(server.api, place.cache, place.scratch)
    )
    hanging = [page_of(server, page, number) for number in (1, 2)]
    hanging.append(Recorded(body=b"x" * 10_000, chunk_delay=1.0))
    server.precede(page, *hanging)
    child.start()
    ends = time.monotonic() + 60
    while len(server.asked) < 3 and time.monotonic() < ends:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert len(server.asked) == 3

    assert len(listing(organizations=["acme"])) == 450
    assert [asked.query["page"] for asked in server.asked[3:]] == ["3", "4", "5"]
    assert len(listing(organizations=["acme"])) == 450
    assert [asked.query["page"] for asked in server.asked[6:]] == ["1", "2", "3", "4", "5"]


def page_of(server, path, number):
    """The right answer, as a recorded one."""
    status, headers, body = server.answer(path, {"page": str(number), "per_page": "100"})
    return Recorded(status, headers | {"ETag": f'"{number}"'}, json.dumps(body).encode())


def test_a_listing_that_was_left_for_days_is_begun_anew(server, listing, failure, monkeypatch):
    fill(server, 150)
    ok = page_of(server, "/orgs/acme/repos", 1)
    server.precede("/orgs/acme/repos", ok, *[refusal("bad_credentials")])
    failure()
    monkeypatch.setattr(pages, "RESUME_SECONDS", 0.0)
    assert len(listing(organizations=["acme"])) == 150
    assert [asked.query["page"] for asked in server.asked] == ["1", "2", "1", "2"]


def test_a_damaged_page_in_the_cache_is_asked_for_again(server, listing, place):
    fill(server, 2)
    first = listing(organizations=["acme"])
    for path in (place.cache / "github" / "pages").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    assert listing(organizations=["acme"]) == first
    assert server.count(200) == 2


def test_waits_for_the_rate_limit_by_the_clock_of_the_server(server, listing, waits, told):
    fill(server, 2)
    now = 1_700_000_000
    times = {"X-RateLimit-Reset": str(now + 900), "Date": formatdate(now, usegmt=True)}
    server.precede("/orgs/acme/repos", refusal("primary", **times))
    assert len(listing(organizations=["acme"])) == 2
    assert waits == [901.0]
    assert "waiting" in told[0]
    assert "API rate limit exceeded" in told[0]
    assert told[-1] == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("secondary_with_time", [60.0, 60.0]),
        ("secondary", [60.0, 120.0]),
        ("abuse", [30.0, 30.0]),
        ("too_many_requests", [60.0, 120.0]),
    ],
)
def test_waits_as_long_as_a_refusal_asks(server, listing, waits, name, expected):
    fill(server, 2)
    server.precede("/orgs/acme/repos", refusal(name), refusal(name))
    assert len(listing(organizations=["acme"])) == 2
    assert waits == expected


def test_does_not_ask_where_it_knows_that_nothing_is_left(server, listing, waits, told):
    fill(server, 150)
    reset = str(int(time.time()) + 100)
    server.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    assert len(listing(organizations=["acme"])) == 150
    assert len(server.asked) == 2
    assert len(waits) == 1
    assert 90 < waits[0] <= 102
    assert "the rate limit is used up" in " ".join(told)


def test_a_limit_that_lasts_too_long_is_an_error(server, failure, waits):
    times = {"X-RateLimit-Reset": str(int(time.time()) + 100_000)}
    server.precede("/orgs/acme/repos", refusal("primary", **times))
    error = failure()
    assert error.reason is Reason.UNREACHABLE
    assert "is too long" in error.detail
    assert waits == []


def test_gives_up_where_refusals_do_not_end(server, failure, waits):
    server.precede("*", *[refusal("secondary")] * 20)
    error = failure()
    assert error.reason is Reason.UNREACHABLE
    assert "secondary rate limit" in error.detail
    assert len(server.asked) == api_module.LIMITS.attempts
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0]


def test_works_without_a_token_and_says_so(server, listing, monkeypatch, told):
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    fill(server, 1)
    assert len(listing(organizations=["acme"])) == 1
    assert server.asked[0].token is None
    assert "without a token in GH_ENTERPRISE_TOKEN" in told[-1]


def test_a_token_that_is_refused_is_an_error_with_the_cure(server, failure):
    server.precede("/orgs/acme/repos", refusal("bad_credentials"))
    error = failure()
    assert error.reason is Reason.ACCESS_DENIED
    assert "Bad credentials" in error.detail
    assert "GH_ENTERPRISE_TOKEN" in error.detail
    assert len(server.asked) == 1


def test_the_token_is_sent_and_never_kept_or_shown(
    server, listing, failure, place, told, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    fill(server, 3)
    found = listing(organizations=["acme"])
    assert {asked.token for asked in server.asked} == {f"token {TOKEN}"}
    errors = []
    for name in ("bad_credentials", "primary"):
        server.precede("*", *[refusal(name)] * 10)
        errors.append(failure(users=[name]))
        server.instead.clear()
    told_all = [*map(str, [*found, *errors, *told]), caplog.text, *capfd.readouterr()]
    assert not [text for text in told_all if TOKEN in text]
    kept = [path.read_text() for path in place.cache.rglob("*") if path.is_file()]
    assert kept
    assert not [text for text in kept if TOKEN in text]


def test_each_server_has_a_token_of_its_own(monkeypatch):
    monkeypatch.setenv("GH_TOKEN", "second")
    monkeypatch.setenv("GITHUB_TOKEN", " first\n")
    assert api_module.find_token("https://api.github.com") == "first"
    assert api_module.find_token("https://api.acme.ghe.com") == "first"
    assert api_module.find_token("https://github.example.org/api/v3") == TOKEN
    assert api_module.find_token("https://api.github.com.example.org") == TOKEN
    monkeypatch.delenv("GITHUB_TOKEN")
    assert api_module.find_token("https://api.github.com") == "second"


@pytest.mark.parametrize("location", ["http://localhost:{port}/api/v3/x", "//[::1]:1/x"])
def test_a_redirect_to_another_server_is_not_followed(server, failure, location):
    fill(server, 1)
    target = location.format(port=server.port)
    server.precede("/orgs/acme/repos", Recorded(301, {"Location": target}))
    error = failure()
    assert error.reason is Reason.REQUEST_REFUSED
    assert "the token stays here" in error.detail
    assert len(server.asked) == 1


def test_a_redirect_to_nowhere_is_an_error(server, failure):
    server.precede("*", Recorded(301, {"Location": "//[x/"}))
    assert "redirects to what is no address" in failure().detail


def test_an_answer_that_is_never_ready_is_an_error(server, failure):
    server.precede("*", *[Recorded(202)] * 100)
    assert "answers 202" in failure().detail
    assert len(server.asked) == api_module.LIMITS.attempts


def test_an_answer_that_nobody_asked_for_is_an_error(server, failure):
    server.precede("*", Recorded(304))
    assert "answers 304 unasked" in failure().detail


def test_redirects_in_a_circle_end(server, failure):
    here = {"Location": f"{server.api}/orgs/acme/repos"}
    server.precede("/orgs/acme/repos", *[Recorded(301, here)] * 50)
    assert "redirects too often" in failure().detail
    assert len(server.asked) == 1 + connection.MAX_REDIRECTS


@pytest.mark.parametrize(
    "clone_url",
    [
        "file:///etc",
        "/etc",
        "ext::sh -c touch% /tmp/x",
        "https://example.org/acme/tool.git",
        "http://169.254.169.254/latest",
        "https://user:password@127.0.0.1/acme/tool.git",
        "https://[",
        "ssh://127.0.0.1/acme/tool.git",
    ],
)
def test_an_answer_cannot_send_git_elsewhere(server, failure, clone_url):
    server.add("acme/tool", clone_url=clone_url)
    error = failure()
    assert error.reason is Reason.REQUEST_REFUSED
    assert "not its own" in error.detail


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_tries_again_after_a_busy_answer(server, listing, waits, status):
    fill(server, 2)
    busy = refusal("busy")
    busy.status = status
    server.precede("/orgs/acme/repos", busy, busy)
    assert len(listing(organizations=["acme"])) == 2
    assert len(waits) == 2


def test_tries_again_after_an_answer_that_ends_too_early(server, listing, waits):
    fill(server, 2)
    page = page_of(server, "/orgs/acme/repos", 1)
    cut = Recorded(body=page.body[:500], declared_bytes=len(page.body))
    server.precede("/orgs/acme/repos", cut, Recorded(body=page.body[:500]))
    assert len(listing(organizations=["acme"])) == 2
    assert len(waits) == 2


@pytest.mark.parametrize(
    "body", [b"{}", b"null", b"7", b'[{"clone_url": 1}]', b'["x"]', b'{"message": "hello"}']
)
def test_an_answer_that_lists_nothing_is_an_error(server, failure, body):
    server.precede("/orgs/acme/repos", Recorded(body=body))
    error = failure()
    assert error.reason is Reason.UNREACHABLE
    assert "does not list repositories" in error.detail
    server.precede("/search/repositories", Recorded(body=body))
    assert failure(search=["x"]).reason is Reason.UNREACHABLE


def test_json_that_is_too_deep_is_an_error(server, failure):
    server.precede("*", *[Recorded(body=b"[" * 100_000)] * 10)
    assert "what is no JSON" in failure().detail


def test_an_answer_without_end_is_an_error(server, failure, monkeypatch):
    monkeypatch.setattr(connection, "MAX_ANSWER_BYTES", 1000)
    server.precede("/orgs/acme/repos", Recorded(body=b"[" + b" " * 100_000 + b"]"))
    assert "more than 1,000 bytes" in failure().detail


def test_an_answer_that_trickles_is_not_waited_for(server, failure, monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    server.precede("*", *[Recorded(body=b" " * 10_000, chunk_delay=0.05)] * 10)
    started = time.monotonic()
    assert failure().reason in (Reason.TIMED_OUT, Reason.UNREACHABLE)
    assert time.monotonic() - started < 10


def test_a_server_that_hangs_is_not_waited_for(server, failure, monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.1)
    server.precede("*", *[Recorded(body=b"  ", declared_bytes=50, chunk_delay=0.5)] * 10)
    assert failure().reason is Reason.UNREACHABLE


def test_a_server_that_is_not_there_is_named(failure):
    error = failure(api="http://127.0.0.1:1/api/v3", users=["acme"])
    assert error.reason is Reason.UNREACHABLE
    assert "127.0.0.1:1/api/v3/users/acme/repos" in error.detail
    assert "refused" in error.detail


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give `search`, `organizations`, `users` or `repositories`"),
        ({"repositories": ["tool"]}, "pattern"),
        ({"repositories": ["acme/.."]}, "pattern"),
        ({"organizations": ["a/b"]}, "pattern"),
        ({"users": ["?"]}, "pattern"),
        ({"search": ["created:soon"]}, "no date such as 2024-05-06"),
        ({"search": ["created:>2020-01-01 created:<2021-01-01"]}, "more than one created:"),
        ({"users": ["a"], "api": "http://example.org/api/v3"}, "by https"),
        ({"users": ["a"], "api": "https://secret@example.org"}, "token by a variable"),
        ({"users": ["a"], "api": "example.org"}, "give an address"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        GithubSource(**settings)


def test_finds_a_usable_machine_in_order(place):
    assert GithubSource(users=["a"]).problem(place.cache) is None


def test_says_what_to_install_where_pygithub_is_missing(place, listing, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "github"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "transforms.crawl.github.connection", raising=False)
    monkeypatch.setitem(sys.modules, "github", None)
    assert "pip install 'repomill[github]'" in GithubSource(users=["a"]).problem(place.cache)
    with pytest.raises(CrawlError, match="repomill"):
        listing(users=["a"])


def test_says_which_variable_holds_no_token(place, failure, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "two words")
    problem = GithubSource(users=["a"]).problem(place.cache)
    assert "GITHUB_TOKEN holds what cannot be a token" in problem
    assert "two words" not in problem
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "two\nlines")
    assert "GH_ENTERPRISE_TOKEN" in failure().detail


def test_importing_the_source_imports_no_client():
    code = "import sys, transforms.crawl.registry; sys.exit('github' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.fixture
def site(server, git_folder, git_http):
    """A site whose API and git servers know the same repositories."""
    server.site = git_http.url
    (git_folder.root / "acme").mkdir()

    def add(name, files, **properties):
        server.add(name, **properties)
        return git_folder.commit(f"{name}.git", files)

    return add


def fetch_one(listing, place, **settings):
    (request,) = listing(**settings)
    return GithubSource.fetch(request, place, Limits())


def test_a_fetched_repository_has_the_facts_of_git_and_of_github(site, listing, place):
    commit = site("acme/tool", {"tool.py": b"t = 1\n"}, archived=True)
    fetched = fetch_one(listing, place, organizations=["acme"])
    facts = fetched.facts
    assert (facts.revision, facts.stars, facts.forks, facts.archived) == (commit, 80, 9, True)
    assert facts.licenses == ("MIT",)
    assert facts.released == datetime.datetime(2024, 5, 6, 5, 8, 9, tzinfo=datetime.UTC)
    files = list(fetched.read(lambda path: True, Limits()))
    assert files == [SourceFile("tool.py", b"t = 1\n")]


def test_a_default_branch_renamed_since_is_found(site, listing, place, git_folder):
    commit = site("acme/tool", {"tool.py": b"t = 1\n"})
    (request,) = listing(organizations=["acme"])
    git_folder.git("acme/tool.git", "branch", "--move", "main", "trunk")
    assert GithubSource.fetch(request, place, Limits()).facts.revision == commit


def test_an_empty_repository_fails_as_git_says(site, listing, place, git_folder):
    site("acme/tool", {}, default_branch="main", size=0)
    git_folder.git("acme/tool.git", "update-ref", "-d", "HEAD")
    (request,) = listing(organizations=["acme"])
    expected = GitSource(urls=[known(request)["url"]])
    with pytest.raises(CrawlError) as caught:
        GithubSource.fetch(request, place, Limits())
    with pytest.raises(CrawlError) as from_git:
        expected.fetch(next(expected.requests(place)), place, Limits())
    assert caught.value.reason is from_git.value.reason
    assert caught.value.reason in (Reason.NOT_FOUND, Reason.NO_COMMIT)


def test_an_organization_becomes_documents(site, server, tmp_path):
    commit = site("acme/tool", {"tool.py": b"t = 1\n", "README": b"hello\n"})
    site("acme/bare", {"README": b"hello\n"})
    server.add("acme/gone")
    workspace = Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))
    options = CrawlOptions(
        parts=1,
        languages=("python",),
        limits=Limits(attempts=1, timeout_seconds=30),
        downloads=2,
        cache=str(tmp_path / "cache"),
    )
    source = GithubSource(api=server.api, organizations=["acme", "nobody"])
    name = requests_table.file_name(0)
    ListSource(workspace, (source,), 1, options.cache)(Path(name).stem)
    committed = Path(workspace.run, tables.REQUESTS, name)
    committed.parent.mkdir(parents=True)
    workspace.staged(tables.REQUESTS, name).rename(committed)
    assert len(read_requests([committed], 0)) == 4
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        pipeline | CrawlRepositories(workspace, (name,), options)

    def rows(table):
        return read_part(workspace.staged(table, tables.part_name(0))).to_pylist()

    (document,) = rows(tables.DOCUMENTS)
    assert (document["path"], document["content"]) == ("tool.py", b"t = 1\n")
    assert document["revision"] == commit
    found = {row["repository"].partition("/")[2]: row for row in rows(tables.REPOSITORIES)}
    status = {name: (row["status"], row["reason"], row["stars"]) for name, row in found.items()}
    assert status == {
        "acme/bare": ("empty", None, 80),
        "acme/gone": ("failed", "not_found", None),
        "acme/tool": ("crawled", None, 80),
        "nobody": ("failed", "not_found", None),
    }


def test_a_wait_is_shown_to_whoever_watches(server, impatient, monkeypatch, tmp_path):
    server.add("acme/tool")
    server.precede("/orgs/acme/repos", refusal("abuse"))
    workspace = Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))
    seen = []
    monkeypatch.setattr(
        GithubSource,
        "retries",
        type(impatient)(sleep=lambda seconds: seen.extend(workspace.notices())),
    )
    source = GithubSource(api=server.api, organizations=["acme"])
    ListSource(workspace, (source,), 1, str(tmp_path / "cache"))("source-00000")
    assert len(seen) == 1
    assert "waiting 30 s" in seen[0]
    assert workspace.notices() == []

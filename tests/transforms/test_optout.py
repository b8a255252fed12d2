import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.optout import EntryError, OptOuts, Places, entry_keys, repository_keys

KINDS = frozenset({"pypi", "directory", "git", "parquet", "jsonl"})
PLACES = Places(KINDS, frozenset({"parquet", "parquet/stack", "jsonl/named"}))


def file_entries(entries):
    return OptOuts.of_keys((key for each in entries for key in entry_keys(each, KINDS)), PLACES)


def names(entry, repository):
    """Whether an entry names a repository, by the keys of both."""
    return not set(entry_keys(entry, KINDS)).isdisjoint(repository_keys(repository, PLACES))


@pytest.mark.parametrize(
    ("entry", "repository"),
    [
        ("github.com/owner/name", "github.com/owner/name"),
        ("GitHub.com/Owner/NAME", "github.com/oWNER/name"),
        ("github.com/owner/name.git", "github.com/owner/name"),
        ("/github.com//owner/name/", "github.com/owner/name"),
        ("www.github.com/owner", "github.com/owner/name"),
        ("github.com/owner", "github.com/owner/name"),
        ("github.com/owner/*", "github.com/owner/name"),
        ("github.com/*", "github.com/owner/name"),
        ("gitlab.com/group/sub", "gitlab.com/group/sub/name"),
        ("127.0.0.1:8080/owner", "127.0.0.1:8080/owner/name"),
        ("localhost/srv/git", "localhost/srv/git/name"),
        ("owner/name", "github.com/owner/name"),
        ("owner/name", "gitlab.com/owner/name"),
        ("owner", "github.com/owner/name"),
        ("owner/*", "github.com/owner/name"),
        ("group/sub", "gitlab.com/group/sub/name"),
        ("owner/name", "owner/name"),
        ("owner", "owner/name"),
        ("github.com/owner/name", "owner/name"),
        ("github.com/owner", "owner/name"),
        ("pypi/requests", "pypi/requests"),
        ("pypi/Zope.Interface", "pypi/zope-interface"),
        ("pypi/*", "pypi/requests"),
        ("pypi/warehouse", "github.com/pypi/warehouse"),
        ("pypi/*", "github.com/pypi/warehouse"),
        ("pypi", "github.com/pypi/warehouse"),
        ("directory/my projects, old", "directory/my projects, old/first"),
        ("name", "name"),
        ("owner/name", "parquet/owner/name"),
        ("owner", "parquet/owner/name"),
        ("github.com/owner", "parquet/owner/name"),
        ("owner/name", "parquet/stack/owner/name"),
        ("owner/name", "jsonl/named/github.com/owner/name"),
        ("owner/name", "parquet/https://github.com/owner/name.git"),
        ("github.com/owner", "parquet/https://github.com/owner/name"),
        ("parquet/owner/name", "parquet/owner/name"),
        ("parquet/stack/*", "parquet/stack/owner/name"),
        ("my.project/*", "my.project"),
        ("example.org/" + "a/" * 40 + "z", "example.org/" + "a/" * 40 + "z"),
    ],
)
def test_an_entry_names(entry, repository):
    assert names(entry, repository)


@pytest.mark.parametrize(
    ("entry", "repository"),
    [
        ("owner", "github.com/someone/owner"),
        ("owner/name", "github.com/owner/name-too"),
        ("owner", "github.com/owner-too/name"),
        ("own", "github.com/owner/name"),
        ("github.com/owner/name", "gitlab.com/owner/name"),
        ("github.com/owner", "gitlab.com/owner/name"),
        ("github.com/*", "gitlab.com/owner/name"),
        ("github.com/owner/name", "github.com/owner"),
        ("example.org/owner", "example.org:8080/owner/name"),
        ("owner/name", "example.org/mirrors/owner/name"),
        # A user of a host is not the project of that name.
        ("requests", "pypi/requests"),
        ("projects", "directory/projects"),
        ("pypi", "pypi/requests"),
        ("directory", "directory/projects"),
        ("github.com/pypi/warehouse", "pypi/warehouse"),
        # The beginning of a path of this machine is nobody's name.
        ("srv", "localhost/srv/git/name"),
        ("srv/git", "localhost/srv/git/name"),
        ("localhost/owner/name", "owner/name"),
        ("name", "parquet/owner/name"),
        ("gitlab.com/owner", "parquet/github.com/owner/name"),
        # Not the beginning of the names of this run's data sets.
        ("owner/name", "jsonl/other/owner/name"),
        ("named", "jsonl/named/owner/name"),
    ],
)
def test_an_entry_does_not_name(entry, repository):
    assert not names(entry, repository)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("", "names nothing"),
        ("/", "names nothing"),
        ("*", "at the end only"),
        ("*/name", "at the end only"),
        ("owner/*/name", "at the end only"),
        ("../name", "no name"),
        ("./name", "no name"),
        ("github.com", r"github.com/\* leaves out all of it"),
        ("owner name", "no name has ' '"),
        ("owner/name,2023-01-31", "no name has ','"),
        ("owner/name # asked in January", "no name has ' '"),
        ("github.com/owner/name?tab=readme", "no name has"),
        ("@owner", "no name has '@'"),
        ("owner\\name", "no name has"),
        ("\ufeffowner/name", "cannot be seen"),
        ("github.com/owner/name/tree/main", "github.com/owner/name, without a path"),
    ],
)
def test_what_is_no_entry_is_refused(entry, message):
    with pytest.raises(EntryError, match=message):
        entry_keys(entry, KINDS)


COMPONENTS = st.sampled_from(
    ["a", "b", "A", "pypi", "parquet", "stack", "x.org", "localhost", "y:1"]
)
NAMES = st.lists(COMPONENTS, min_size=1, max_size=4).map("/".join)


@thorough
@given(entries=st.lists(NAMES, max_size=5), repositories=st.lists(NAMES, max_size=5))
def test_looking_up_many_says_of_each_what_the_keys_say(entries, repositories):
    entries = [entry if "/" in entry else f"{entry}/*" for entry in entries]
    found = file_entries(entries).matches(repositories)
    assert found.tolist() == [
        any(names(entry, repository) for entry in entries) for repository in repositories
    ]


def test_a_file_of_entries_says_what_they_said(tmp_path):
    entries = file_entries(["owner", "pypi/requests"])
    (tmp_path / "keys.arrow").write_bytes(entries.to_bytes())
    loaded = OptOuts.load(str(tmp_path / "keys.arrow"))
    assert np.array_equal(loaded.hashes, entries.hashes)
    assert loaded.places == PLACES
    repositories = ["github.com/owner/name", "pypi/requests", "github.com/other/name"]
    assert loaded.matches(repositories).tolist() == [True, True, False]


def test_no_file_leaves_nothing_out():
    assert OptOuts.load("").matches(["github.com/owner/name"]).tolist() == [False]


def test_entries_are_filed_in_any_order():
    entries = [f"owner{number}/name" for number in range(100)]
    one, other = (file_entries(each) for each in (entries, entries[::-1]))
    assert np.array_equal(one.hashes, other.hashes)

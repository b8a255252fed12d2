import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.crawl.pypi.requirements import parse_project_line

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("line", "name", "specifier", "hashes"),
    [
        ("boltons", "boltons", "", ()),
        (" More_Itertools >= 2 ", "more-itertools", ">=2", ()),
        ("toolz>=0.12,<2", "toolz", "<2,>=0.12", ()),
        (f"boltons==25.0.0 --hash=sha256:{A}", "boltons", "==25.0.0", (A,)),
        (f"boltons --hash=sha256:{A} --hash=sha256:{B.upper()}", "boltons", "", (A, B)),
    ],
)
def test_reads_lines_in_the_form_of_pip(line, name, specifier, hashes):
    parsed = parse_project_line(line)
    assert (parsed.name, str(parsed.specifier), parsed.hashes) == (name, specifier, hashes)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "two words",
        "boltons=25",
        "boltons==25.0.0 --hash=md5:abc",
        f"boltons --hash=sha256:{A[1:]}",
        "boltons --no-binary",
        "boltons @ https://example.org/boltons.tar.gz",
        "boltons; python_version > '3'",
        "requests[socks]==2",
        "-r other.txt",
        "../boltons",
    ],
)
def test_names_a_line_that_it_cannot_read(line):
    with pytest.raises(ValueError, match=r"project ['\"]") as caught:
        parse_project_line(line)
    assert repr(line) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text())
def test_reads_any_text_or_names_it(text):
    try:
        parse_project_line(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "line", ["a @ https://example.org/a.zip", "a[b]", "a; python_version > '3'"]
)
def test_says_what_has_no_meaning_here(line):
    with pytest.raises(ValueError, match="no URL, marker or extra"):
        parse_project_line(line)


@pytest.mark.parametrize(
    ("line", "version", "allowed"),
    [
        ("a", "1.0", True),
        ("a", "1.0rc1", True),
        ("a==1.0rc1", "1.0rc1", True),
        ("a>=1.0rc1", "2.0.dev1", True),
        ("a<2", "2.0", False),
        ("a<2", "2.0rc1", False),
        ("a", "nonsense", False),
    ],
)
def test_allows_versions_in_its_range(line, version, allowed):
    assert parse_project_line(line).allows(version) is allowed


@pytest.mark.parametrize(
    ("line", "pinned"),
    [("a", False), ("a==1", True), ("a===1", True), ("a==1.*", False), ("a>=1,<1.1", False)],
)
def test_knows_whether_a_line_names_one_version(line, pinned):
    assert parse_project_line(line).is_pinned is pinned

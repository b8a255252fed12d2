import time

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.innocents import FAMILIES, innocents
from benchmarks.planted import PER_KIND, PLANTED, planted
from schemas.secrets import COUNT_COLUMNS, SECRETS, secret_class
from tests.transforms.builders import large_binary
from transforms.annotate.secrets.finding import find_secrets
from transforms.redaction import redact_texts

CASES = list(planted())
MEGABYTE = 1_000_000
SECONDS = 20.0

# Pieces that meet in unlucky ways, written so that no scanner takes this file for a leak.
PIECES = st.sampled_from(
    ["@", ".", ":", "://", "-----", "BEGIN ", "END ", "PRIVATE KEY-----", "api_key", "token", "=",
     " ", "\n", "\\n", '"', "'", "a", "z9", "é", "日本", "🦊", "AKIA" + "QZ34RTY7UIOPLKJH",
     "anna.li@lumen.io", "81.2.30.44", "2a02:6b8::3", "gh" + "p_", "ey" + "J", "x://u:p9Kd@",
     "q8Zr2LxT5vBn1KmW7cYd", "<", ">", "]", ","]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=30).map("".join)


def texts_of(*texts):
    return large_binary(texts)


def spans_of(*texts):
    return find_secrets(texts_of(*(text.encode() for text in texts)))["spans"].to_pylist()


def found_in(text):
    return [
        (span["kind"], text.encode()[span["start"] : span["end"]].decode())
        for span in spans_of(text)[0]
    ]


@pytest.mark.parametrize("kind", PLANTED)
def test_finds_planted_secrets_of_each_kind_to_the_byte(kind):
    cases = [case for case in CASES if case.kind == kind]
    spans = find_secrets(texts_of(*(case.text for case in cases)))["spans"].to_pylist()
    right = sum(
        any(
            (span["start"], span["end"]) == (case.start, case.end)
            and secret_class(span["kind"]) == secret_class(kind)
            for span in listed
        )
        for case, listed in zip(cases, spans, strict=True)
    )
    assert len(cases) == PER_KIND
    assert right >= 0.95 * len(cases)


def test_finds_nothing_in_innocent_lines():
    cases = list(innocents())
    assert len({case.kind for case in cases}) == len(FAMILIES)
    spans = find_secrets(texts_of(*(case.text for case in cases)))["spans"].to_pylist()
    assert [case.text for case, listed in zip(cases, spans, strict=True) if listed] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<anna.li@lumen.io>", [("email", "anna.li@lumen.io")]),
        ("Ask anna.li@lumen.io.", [("email", "anna.li@lumen.io")]),
        ('"\\nanna@lumen.io"', [("email", "anna@lumen.io")]),
        ("mailto:anna@lumen.io?x", [("email", "anna@lumen.io")]),
        ("ssh://anna@lumen.io/x", []),
        ("anna@lumen.nosuchdomain", []),
        ("http://81.2.30.44:80/", [("ip_address", "81.2.30.44")]),
        ("version 81.2.30.44", []),
        ("81.2.30.44.5", []),
        ("081.2.30.44", []),
        ("81.2.30.256", []),
        ("81.2.30.0", []),
        ("172.16.4.9", []),
        ("172.32.4.9", [("ip_address", "172.32.4.9")]),
        ("[2a02:6b8::3:1]:80", [("ip_address", "2a02:6b8::3:1")]),
        ("2a02:6b8::3::1", []),
        ("2001:db8::3:1", []),
        ("x://u:p9Kd@quill.io/", [("url_password", "p9Kd")]),
        ("x://u:p9@anna@quill.io/", [("url_password", "p9@anna")]),
        ("x://u:p9Kd@localhost/", []),
        ("x://u:u@quill.io/", []),
    ],
)
def test_decides_by_what_stands_around(text, found):
    assert found_in(text) == found


def test_a_github_token_with_a_wrong_checksum_is_none():
    case = next(case for case in CASES if b"ghp_" in case.text)
    token = case.text[case.start : case.end].decode()
    last = "0" if token[-1] != "0" else "1"
    assert found_in(f"x {token} y") == [("github_token", token)]
    assert found_in(f"x {token[:-1]}{last} y") == []


def test_a_private_key_without_its_last_line_ends_with_its_text():
    case = next(case for case in CASES if case.kind == "private_key" and b"\\n" not in case.text)
    lines = case.text[case.start : case.end].decode().split("\n")
    cut = "\n".join(lines[:-1])
    assert found_in(f"{cut}\n\nThe end.\n") == [("private_key", cut)]


def test_a_known_key_comes_before_a_name_and_an_address():
    case = next(case for case in CASES if case.kind == "stripe_key")
    key = case.text[case.start : case.end].decode()
    assert found_in(f'api_key = "{key}"') == [("stripe_key", key)]


def test_counts_by_class():
    text = "anna@lumen.io 81.2.30.44 ines@quill.dev"
    batch = find_secrets(texts_of(text.encode(), b""))
    assert batch.schema.equals(SECRETS)
    counts = batch.select(list(COUNT_COLUMNS.values())).to_pylist()
    assert counts == [
        {"keys": 0, "emails": 2, "ip_addresses": 1},
        {"keys": 0, "emails": 0, "ip_addresses": 0},
    ]


def test_takes_no_texts_and_slices():
    assert len(find_secrets(pa.array([], pa.large_binary()))) == 0
    texts = texts_of(b"anna@lumen.io", b"x ines@quill.dev", b"")
    assert find_secrets(texts.slice(1)).equals(find_secrets(texts_of(*texts[1:].to_pylist())))


@settings(max_examples=300)
@given(TEXTS)
@example("é@é.é")
@example("x://é:é@é")
def test_spans_are_sorted_apart_and_on_code_points(text):
    data = text.encode()
    end = 0
    for span in spans_of(text)[0]:
        assert end <= span["start"] < span["end"] <= len(data)
        end = span["end"]
        data[: span["start"]].decode()
        data[: span["end"]].decode()


@settings(max_examples=100)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_batch_is_the_sum_of_its_texts(texts):
    assert spans_of(*texts) == [spans_of(text)[0] for text in texts]


@settings(max_examples=300)
@given(TEXTS)
def test_nothing_is_left_to_find_where_a_redacted_secret_was(text):
    texts = texts_of(text.encode())
    once, _ = redact_texts(texts, find_secrets(texts)["spans"], tuple(COUNT_COLUMNS))
    again, _ = redact_texts(once, find_secrets(once)["spans"], tuple(COUNT_COLUMNS))
    # What overlapped a redacted secret may now stand alone; a second pass ends it.
    assert find_secrets(again).column("spans").flatten().to_pylist() == []


@pytest.mark.parametrize(
    "unit",
    [b"a@b.co ", b"a@", b"1.1.1.1 ", b"81.2.30.44 ", b"1.", b"2a02:", b"2600:1:2::3 ", b"AKIA ",
     b"AKIA", b"eyJ.", b"eyJaaaaaaaaaaaa.", b"eyJ-", b"://a:b", b"x://a:bcdeP9@h ", b"key=",
     b"token:token=", b'api_key: str = "', b"-----BEGIN PRIVATE KEY-----", b"xoxb-", b"/", b"a."],
)  # fmt: skip
def test_a_file_of_nothing_but_hits_takes_bounded_time(unit):
    text = (unit * MEGABYTE)[:MEGABYTE]
    find_secrets(texts_of(unit))
    started = time.process_time()
    find_secrets(texts_of(text))
    assert time.process_time() - started < SECONDS

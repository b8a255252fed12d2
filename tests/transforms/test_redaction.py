import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.secrets import SECRETS, SecretClass, SecretKind, secret_class
from tests.transforms.builders import large_binary
from transforms.redaction import PLACEHOLDERS, redact_texts

ALL = tuple(SecretClass)
SPANS = SECRETS.field("spans").type
KINDS = [SecretKind.EMAIL, SecretKind.IP_ADDRESS, SecretKind.JWT]


def texts_of(*texts):
    return large_binary(texts)


def spans(*rows):
    names = ("start", "end", "kind")
    return pa.array([[dict(zip(names, span, strict=True)) for span in row] for row in rows], SPANS)


def test_replaces_spans_by_the_words_of_their_classes():
    texts = texts_of(b"to a@b.co from 1.2.3.4", b"", b"key K")
    found = spans([(3, 9, "email"), (15, 22, "ip_address")], [], [(4, 5, "stripe_key")])
    redacted, counts = redact_texts(texts, found, ALL)
    assert redacted.to_pylist() == [b"to <EMAIL> from <IP_ADDRESS>", b"", b"key <KEY>"]
    assert counts == {"key": 1, "email": 1, "ip_address": 1}


def test_leaves_other_classes_alone():
    texts = texts_of(b"a@b.co 1.2.3.4")
    found = spans([(0, 6, "email"), (7, 14, "ip_address")])
    redacted, counts = redact_texts(texts, found, ("email",))
    assert redacted.to_pylist() == [b"<EMAIL> 1.2.3.4"]
    assert counts == {"email": 1}


@pytest.mark.parametrize("found", [spans([], []), spans([(0, 1, "jwt")], [])])
def test_costs_nothing_where_nothing_is_to_be_replaced(found):
    texts = texts_of(b"ab", b"")
    assert redact_texts(texts, found, ("email",))[0] is texts


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (spans([(0, 3, "jwt")]), "span 0-3 of row 0 .* of 2 bytes.*Annotate again"),
        (spans([(1, 1, "jwt")]), "span 1-1"),
        (spans([(-1, 1, "jwt")]), "span -1-1"),
        (spans([(0, 2, "jwt"), (1, 2, "jwt")]), "span 1-2"),
        (spans([], []), "1 texts have spans for 2"),
    ],
)
def test_refuses_spans_of_other_texts(found, message):
    with pytest.raises(ValueError, match=message):
        redact_texts(texts_of(b"ab"), found, ALL)


@st.composite
def texts_and_spans(draw):
    text = draw(st.binary(max_size=40))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return text, [(start, end, draw(st.sampled_from(KINDS))) for start, end in pairs]


@given(st.lists(texts_and_spans(), max_size=5), st.sets(st.sampled_from(ALL)), st.integers(0, 2))
def test_keeps_all_outside_of_the_spans_byte_for_byte(rows, classes, skipped):
    texts = texts_of(*(text for text, _ in rows)).slice(skipped)
    found = spans(*(listed for _, listed in rows)).slice(skipped)
    redacted, _ = redact_texts(texts, found, tuple(classes))
    expected = []
    for text, listed in rows[skipped:]:
        for start, end, kind in reversed(listed):
            if secret_class(kind) in classes:
                text = text[:start] + PLACEHOLDERS[secret_class(kind)] + text[end:]
        expected.append(text)
    assert redacted.to_pylist() == expected

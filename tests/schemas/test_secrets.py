import pytest

from schemas.secrets import COUNT_COLUMNS, SECRETS, SecretClass, SecretKind, secret_class


def test_columns_are_a_contract():
    assert [f"{field.name}: {field.type}" for field in SECRETS] == [
        "spans: list<item: struct<start: int64 not null, end: int64 not null, "
        "kind: string not null> not null>",
        "keys: int64",
        "emails: int64",
        "ip_addresses: int64",
    ]


def test_addresses_are_classes_of_their_own_and_all_else_is_a_key():
    others = {kind for kind in SecretKind if secret_class(kind) != SecretClass.KEY}
    assert others == {SecretKind.EMAIL, SecretKind.IP_ADDRESS}
    assert set(COUNT_COLUMNS) == set(SecretClass)


def test_a_word_that_is_no_kind_is_refused():
    with pytest.raises(ValueError, match="no_kind"):
        secret_class("no_kind")

import pytest

from transforms.stores.address import ObjectAddress, below, is_object, parse_object


def test_an_address_has_a_bucket_and_a_key():
    assert parse_object("s3://bucket/a/b.json") == ObjectAddress("s3", "bucket", "a/b.json")
    assert parse_object("gs://bucket") == ObjectAddress("gs", "bucket", "")
    assert parse_object("s3://bucket/a/") == ObjectAddress("s3", "bucket", "a/")


@pytest.mark.parametrize("address", ["s3://", "s3:///key", "bucket/key", "http://host/key"])
def test_what_names_no_bucket_is_refused(address):
    with pytest.raises(ValueError, match="names no bucket; write s3://BUCKET/NAME"):
        parse_object(address)


@pytest.mark.parametrize("key", ["a//b", "a/../b", "./a"])
def test_names_that_stores_take_for_different_things_are_refused(key):
    with pytest.raises(ValueError, match="leave it out"):
        parse_object(f"s3://bucket/{key}")


def test_paths_are_no_objects():
    assert is_object("s3://bucket/key")
    assert is_object("gs://bucket/key")
    assert not is_object("/s3://bucket/key")
    assert not is_object("s3:/bucket/key")


def test_a_name_below_a_folder_has_one_slash_before_it():
    assert below("s3://bucket/a/", "b/c") == "s3://bucket/a/b/c"
    assert below("/folder", "") == "/folder"

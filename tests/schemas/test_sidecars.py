from schemas.duplicates import DUPLICATES
from schemas.fingerprints import fingerprint_schema
from schemas.quality import QUALITY
from schemas.selection import SELECTION


def describe(schema):
    return [f"{field.name}: {field.type}" for field in schema]


def test_columns_are_a_contract():
    # Other teams' programs, and the rules of configurations, use these names.
    assert describe(QUALITY) == [
        "characters: int64",
        "lines: int64",
        "mean_line_characters: double",
        "max_line_characters: int64",
        "alphanumeric_share: double",
        "generated_markers: int64",
    ]
    assert describe(DUPLICATES) == [
        "cluster: uint64",
        "duplicate_of: uint64",
        "similarity: float",
        "level: string",
    ]
    assert describe(SELECTION) == ["rule: string"]
    assert describe(fingerprint_schema(256)) == [
        "content_hash: fixed_size_binary[16]",
        "signature: fixed_size_list<item: uint32>[256]",
        "shingles: int64",
    ]


def test_a_kept_document_has_nulls_in_duplicates():
    nullable = [field.name for field in DUPLICATES if field.nullable]
    assert nullable == ["duplicate_of", "similarity", "level"]

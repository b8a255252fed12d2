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
        "nonblank_lines: int64",
        "mean_line_characters: double",
        "max_line_characters: int64",
        "alphanumeric_share: double",
        "alphabetic_share: double",
        "digit_share: double",
        "whitespace_share: double",
        "replacement_share: double",
        "comment_share: double",
        "string_share: double",
        "long_word_share: double",
        "encoded_share: double",
        "max_encoded_characters: int64",
        "number_list_share: double",
        "hexadecimal_share: double",
        "words: int64",
        "mean_word_characters: double",
        "repeated_line_share: double",
        "literal_line_share: double",
        "directive_line_share: double",
        "assert_line_share: double",
        "output_line_share: double",
        "long_string_line_share: double",
        "todo_line_share: double",
        "lorem_ipsum_lines: int64",
        "xml_declaration: bool",
        "html_visible_characters: int64",
        "html_visible_share: double",
        "generated: string",
        "minified: string",
        "vendored: string",
        "test: string",
        "notebook: string",
        "data_like: string",
    ]
    assert describe(DUPLICATES) == [
        "cluster: uint64",
        "duplicate_of: uint64",
        "similarity: float",
        "level: string",
        "repository_share: float",
    ]
    assert describe(SELECTION) == ["rule: string"]
    assert describe(fingerprint_schema(256)) == [
        "content_hash: fixed_size_binary[16]",
        "normalized_hash: fixed_size_binary[16]",
        "signature: fixed_size_list<item: uint32>[256]",
        "shingles: int64",
    ]


def test_a_kept_document_has_nulls_in_duplicates():
    nullable = [field.name for field in DUPLICATES if field.nullable]
    assert nullable == ["duplicate_of", "similarity", "level", "repository_share"]

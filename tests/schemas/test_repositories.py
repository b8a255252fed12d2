from schemas.repositories import SCHEMA, Status


def test_columns_are_a_contract():
    assert [f"{field.name}: {field.type}" for field in SCHEMA] == [
        "repository: string",
        "source: string",
        "revision: string",
        "status: string",
        "reason: string",
        "license: string",
        "license_class: string",
        "license_evidence: string",
        "license_confidence: float",
        "files: int64",
        "bytes: int64",
        "stars: int64",
        "forks: int64",
        "archived: bool",
        "released: timestamp[us, tz=UTC]",
        "collection: string",
    ]


def test_every_repository_ends_in_one_of_four_ways():
    assert list(Status) == ["crawled", "empty", "failed", "opted_out"]

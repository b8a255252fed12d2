from schemas.syntax import SYNTAX


def test_columns_are_a_contract():
    # Other teams' programs, and the rules of configurations, use these names.
    assert [f"{field.name}: {field.type}" for field in SYNTAX] == [
        "parses: bool",
        "pass_line_share: double",
        "import_line_share: double",
        "print_line_share: double",
        "docstring_share: double",
        "function_line_share: double",
        "trivial_function_line_share: double",
        "variables: int64",
    ]


def test_every_column_can_be_unknown():
    assert all(field.nullable for field in SYNTAX)

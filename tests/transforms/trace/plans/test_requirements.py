import pytest

from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.requirements import (
    RequirementError,
    checked_requirement,
    local_project,
    read_requirement_file,
)


def test_requirements_are_written_the_standard_way():
    assert checked_requirement(" a [x] >=1 ; python_version<'3.9'") == (
        'a[x]>=1; python_version < "3.9"'
    )
    assert checked_requirement("a==1 --hash=sha256:00") == "a==1"


@pytest.mark.parametrize(
    "text",
    ["a @ https://x.example/a.whl", "git+https://x.example/a", "../a", "-e .", "", "a" * 500,
     "a; " + "(" * 5_000],
)  # fmt: skip
def test_what_is_no_plain_requirement_is_refused(text):
    with pytest.raises(RequirementError):
        checked_requirement(text)


def test_local_projects_stay_inside():
    assert local_project(".[test,Docs]", ".") == (".", ("test", "docs"))
    assert local_project("./python", ".") == ("python", ())
    assert local_project("../other", ".") is None
    assert local_project("/etc/", ".") is None


def test_files_include_others_but_none_outside_and_no_other_index():
    listed = read_requirement_file(
        repository(
            {
                "requirements/test.txt": """\
                    --index-url https://x.example/simple
                    -r base.in  # comment
                    -r ../../outside.txt
                    -r test.txt
                    -e .[extra]
                    -e git+https://x.example/a
                    b>=1 \\
                        --hash=sha256:00
                    c @ file:///etc/passwd
                    """,
                "requirements/base.in": "a\n# no\n",
            }
        ),
        "requirements/test.txt",
    )
    assert listed.requirements == ["a", "b>=1"]
    assert listed.projects == [(".", ("extra",))]
    assert len(listed.notes) == 4

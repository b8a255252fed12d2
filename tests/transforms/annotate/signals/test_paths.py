import pyarrow as pa
import pytest

from transforms.annotate.signals.paths import (
    find_generated_names,
    find_minified_names,
    find_notebook_names,
    find_tests,
    find_vendored,
)


@pytest.mark.parametrize(
    ("path", "evidence"),
    [
        ("web/node_modules/x/index.js", "path node_modules/"),
        ("pip/_vendor/requests/api.py", "path _vendor/"),
        ("Third_Party/zlib/zlib.c", "path third_party/"),
        ("sklearn/externals/six.py", "path externals/"),
        ("vendor.py", None),
        ("vendoring/x.py", None),
        ("src/external_api/x.py", None),
    ],
)
def test_knows_folders_of_other_projects(path, evidence):
    assert find_vendored(pa.array([path])).to_pylist() == [evidence]


@pytest.mark.parametrize(
    ("path", "evidence"),
    [
        ("tests/a.py", "path tests/"),
        ("src/unit_tests/a.py", "path unit_tests/"),
        ("src/test_a.py", "name test_*"),
        ("src/a_test.go", "name test"),
        ("src/a.spec.ts", "name spec"),
        ("src/conftest.py", "name conftest"),
        ("app/tests.py", "name tests"),
        ("src/UserServiceTest.java", "name Test"),
        ("src/Latest.java", None),
        ("src/contest.py", None),
        ("src/latest.py", None),
        ("src/testing/a.py", None),
        ("src/attests/a.py", None),
    ],
)
def test_knows_tests(path, evidence):
    assert find_tests(pa.array([path])).to_pylist() == [evidence]


@pytest.mark.parametrize(
    ("find", "path", "evidence"),
    [
        (find_generated_names, "a/user_pb2.py", "name _pb2.py"),
        (find_generated_names, "a/package-lock.json", "name package-lock.json"),
        (find_generated_names, "a/my-package-lock.json.py", None),
        (find_generated_names, "a/pb2.py", None),
        (find_minified_names, "a/jquery.min.js", "name .min.js"),
        (find_minified_names, "a/admin.js", None),
        (find_notebook_names, "a/Analysis.IPYNB", "name .ipynb"),
        (find_notebook_names, "a/ipynb.py", None),
    ],
)
def test_knows_names(find, path, evidence):
    assert find(pa.array([path])).to_pylist() == [evidence]

"""What a path says of its file: that it is vendored, a test, generated, minified, a notebook.

Folders and names are those that package managers, test runners and generators use.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_VENDORED = (
    r"node_modules|bower_components|jspm_packages|godeps|pods|carthage|site-packages|dist-packages"
    r"|_?vendor(?:s|ed)?|_vendored|third[-_]?part(?:y|ies)|3rd[-_]?part(?:y|ies)|externals?|extern"
    r"|\.?venv|\.yarn|\.eggs"
)
_TEST_FOLDERS = (
    r"tests?|__tests?__|specs?|testdata|test[-_]?cases?|test[-_]?suites?|testsuites?"
    r"|(?:unit|integration|functional|regression|e2e)[-_]?tests?|[a-z0-9]+[-_]tests?"
)
_TEST_NAMES = (
    # Pytest, unittest and Django; Go, C, C++, Rust, Ruby, PHP, Lua, Dart; JavaScript.
    r"(?P<test_name>test_[^/]*|tests?|conftest)\.(?:py|c|cc|cpp|rs|rb|r|jl|lua)"
    r"|[^/]*[^/a-z0-9](?P<test_stem>tests?|unittest|spec)\."
    r"(?:py|go|c|cc|cpp|cxx|rs|rb|exs|lua|dart|js|jsx|ts|tsx|mjs|cjs)"
)
# JUnit, NUnit, ScalaTest, PHPUnit, XCTest: the case of the letter tells from "latest".
_TEST_CLASSES = (
    r"[a-z0-9](?P<test_class>Tests?|TestCase|Spec)\.(?:java|kt|kts|cs|scala|groovy|php|swift|m|hs)$"
)
_GENERATED_NAMES = (
    r"_pb2\.pyi?|_pb2_grpc\.pyi?|\.pb\.(?:go|cc|h)|\.g\.dart|\.freezed\.dart|\.designer\.(?:cs|vb)"
    r"|\.g\.cs|\.generated\.[a-z]+|_generated\.[a-z]+|parsetab\.py"
    r"|/?package-lock\.json|/?yarn\.lock|/?pnpm-lock\.yaml|/?cargo\.lock|/?poetry\.lock"
    r"|/?pipfile\.lock|/?composer\.lock|/?gemfile\.lock|/?go\.sum|/?uv\.lock"
)
_MINIFIED_NAMES = r"[.-]min\.(?:js|css|mjs)"


def find_vendored(paths: pa.StringArray) -> pa.StringArray:
    """The folder that vendored files are kept in, such as ``path node_modules/``, or null."""
    return _folder(pc.utf8_lower(paths), _VENDORED)


def find_tests(paths: pa.StringArray) -> pa.StringArray:
    """What makes each file a test, such as ``path tests/`` or ``name test``, or null."""
    lower = pc.utf8_lower(paths)
    name = pc.extract_regex(lower, rf"(?:^|/)(?:{_TEST_NAMES})$")
    one, other = pc.struct_field(name, "test_name"), pc.struct_field(name, "test_stem")
    stem = pc.if_else(pc.equal(one, ""), other, pc.replace_substring_regex(one, "_.*", "_*"))
    classes = pc.struct_field(pc.extract_regex(paths, _TEST_CLASSES), "test_class")
    return pc.coalesce(
        _prefixed("name ", stem), _prefixed("name ", classes), _folder(lower, _TEST_FOLDERS)
    )


def find_generated_names(paths: pa.StringArray) -> pa.StringArray:
    """The end of a name that a generator gives, such as ``name _pb2.py``, or null."""
    return _ending(paths, _GENERATED_NAMES)


def find_minified_names(paths: pa.StringArray) -> pa.StringArray:
    """The end of a name that minified files have, such as ``name .min.js``, or null."""
    return _ending(paths, _MINIFIED_NAMES)


def find_notebook_names(paths: pa.StringArray) -> pa.StringArray:
    """``name .ipynb`` for notebooks, or null."""
    return _ending(paths, r"\.ipynb")


def _folder(lower: pa.StringArray, folders: str) -> pa.StringArray:
    found = pc.extract_regex(lower, rf"(?:^|/)(?P<folder>{folders})/")
    return pc.binary_join_element_wise("path ", pc.struct_field(found, "folder"), "/", "")


def _ending(paths: pa.StringArray, endings: str) -> pa.StringArray:
    found = pc.extract_regex(pc.utf8_lower(paths), rf"(?P<ending>{endings})$")
    ending = pc.utf8_ltrim(pc.struct_field(found, "ending"), "/")
    return _prefixed("name ", ending)


def _prefixed(prefix: str, values: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise(prefix, values, "")

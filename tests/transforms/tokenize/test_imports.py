import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.languages import LANGUAGES
from transforms.tokenize.imports import ENDINGS, MAX_IMPORTS, Import, find_imports


def imports(text, language):
    found = find_imports(text.encode(), language)
    assert {each.language for each in found} <= {language}
    return [each.paths for each in found]


def slow_python_imports(text):
    """What a file of Python imports, by its syntax tree."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {(alias.name.replace(".", "/"),) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "../" * (node.level - 1) if node.level > 1 else "./" * node.level
            package = (node.module or "").replace(".", "/")
            itself = base + (package or "__init__")
            for alias in node.names:
                member = "/".join(part for part in (package, alias.name) if part)
                found.add((itself,) if alias.name == "*" else (base + member, itself))
    return found


NAMES = st.sampled_from(("a", "os", "imports", "from_", "_x9", "caf\u00e9"))
DOTTED = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
ALIASES = st.sampled_from(("", " as b", "  as  b"))
SPACES = st.sampled_from((" ", "  ", "\t", " \\\n "))


@st.composite
def python_imports(draw):
    space = draw(SPACES)
    if draw(st.booleans()):
        items = draw(st.lists(st.tuples(DOTTED, ALIASES).map("".join), min_size=1, max_size=3))
        return f"import{draw(st.sampled_from((' ', '  ', chr(9))))}{f',{space}'.join(items)}"
    package = "." * draw(st.integers(0, 4)) + draw(DOTTED)
    package = draw(st.sampled_from((package, package, ".", "..")))
    items = draw(st.lists(st.tuples(NAMES, ALIASES).map("".join), min_size=1, max_size=3))
    separator, opener, closer = draw(
        st.sampled_from(
            (
                (f",{space}", " ", ""),
                (",", "(", ")"),
                (",\n    ", " (\n    ", ",\n)"),
                (",  # of (all)\n", " (  # import x\n    ", "  # so\n)"),
                ("*", " ", ""),
            )
        )
    )
    names = "*" if separator == "*" else separator.join(items)
    return f"from {package} import{opener}{names}{closer}"


@st.composite
def python_files(draw):
    lines = []
    for statement in draw(st.lists(python_imports(), max_size=6)):
        if "*" in statement:
            lines.append(statement)
            continue
        lines.append(
            draw(
                st.sampled_from(
                    (
                        f"{statement}",
                        f"{statement}  # import of z, y",
                        f"x = 1; {statement}",
                        f"if x: {statement}",
                        f"def f():\n    {statement}\n    return important",
                        f"try:\n\t{statement}\nexcept ImportError:\n\tpass",
                    )
                )
            )
        )
        lines.append(
            draw(st.sampled_from(("", "x = importlib", "# import q", "y = 'from q import r'")))
        )
    return draw(st.sampled_from(("\n", "\r\n"))).join(lines)


@thorough
@given(python_files())
def test_finds_what_the_syntax_tree_of_python_has(text):
    assert set(imports(text, "python")) == slow_python_imports(text)


def test_a_member_of_a_package_is_a_module_or_else_in_the_package():
    assert imports("from a.b import c, d as e", "python") == [("a/b/c", "a/b"), ("a/b/d", "a/b")]
    assert imports("from . import c", "python") == [("./c", "./__init__")]
    assert imports("from ...b import c", "python") == [("../../b/c", "../../b")]
    assert imports("from ..b import *", "python") == [("../b",)]


def test_lines_of_python_that_only_look_like_imports_are_tolerated_in_strings():
    assert imports('"""\nimport a\n>>> import b\nTo import c.\n"""', "python") == [("a",)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("c", '#include "a.h"\n  #  include "sub/../b.h"\n', [("a.h",), ("b.h",)]),
        ("c++", "#include <vector>\n#include <lib/c.hpp>", [("lib/c.hpp",)]),
        ("c++", '#include "..\\d.h"\nx = "#include \\"e.h\\"";', [("../d.h",)]),
        ("objective-c", '#import "V.h"\n#import <Kit/Kit.h>', [("V.h",), ("Kit/Kit.h",)]),
        ("javascript", "import b from './a'; import\n'../b.js'", [("./a",), ("../b.js", "../b")]),
        ("javascript", "import x from 'react'; const y = require( \"./y\" )", [("./y",)]),
        ("javascript", "export * from '.'; await import('./z.mjs')", [(".",), ("./z.mjs", "./z")]),
        ("typescript", "import {\n  A,\n  B,\n} from\n  '../a/b';", [("../a/b",)]),
        ("typescript", "import type { A } from \"./a\"\nplatform './no'", [("./a",)]),
        ("java", "package a;\nimport com.x.Y;", [("com/x/Y", "com/x")]),
        ("java", "import x.y.*;\nimport static a.b.C.d;", [("x/y",), ("a/b/C/d", "a/b/C", "a/b")]),
        ("kotlin", "import a.b.C as D\nimport Alone", [("a/b/C", "a/b")]),
        ("scala", "import a.b.{C, D => E, _}", [("a/b/C", "a/b"), ("a/b/D", "a/b"), ("a/b",)]),
        ("scala", "import a.b._\n  import x.y.z\n", [("a/b",), ("x/y/z", "x/y")]),
        ("go", 'import "fmt"\nimport f "a.b/c/d"\n', [("/c/d", "/d")]),
        ("go", 'import (\n\t"a.b/c"\n\t_ "a.b/d" // so\n)\n', [("/c",), ("/d",)]),
        ("go", 'x = []string{\n"a.b/e",\n}\ny = "a.b/f"\n', []),
        ("rust", "mod a;\npub(crate) mod b;\nmod c {}\n", [("./*/a", "./a"), ("./*/b", "./b")]),
        ("rust", "use crate::a::{B, c::D};\nuse std::fmt;", [("a/B", "a"), ("a/c/D", "a/c", "a")]),
        ("ruby", "require_relative 'a'\nrequire(\"c\")", [("./a",), ("lib/c", "test/c", "spec/c")]),
        ("php", "require_once DIR . '/../a.php';\ninclude('b.php')", [("../a.php",), ("b.php",)]),
        ("php", "use App\\Models\\User;\nuse Trait1;", [("App/Models/User", "Models/User")]),
    ],
)  # fmt: skip
def test_finds_what_a_file_imports(language, text, expected):
    assert imports(text, language) == expected


def test_has_rules_for_languages_that_are_known():
    assert set(ENDINGS) < set(LANGUAGES)
    assert imports("import a", "jupyter-notebook") == [("a",)]
    assert [imports("import a", language) for language in set(LANGUAGES) - set(ENDINGS)] == [
        [] for _ in set(LANGUAGES) - set(ENDINGS)
    ]


def test_an_import_is_found_once():
    assert find_imports(b"import a\nimport a\nimport b, a", "python") == (
        Import("python", ("a",)),
        Import("python", ("b",)),
    )


def test_no_more_imports_than_the_most_count():
    names = ",".join(f"m{n}" for n in range(MAX_IMPORTS + 9))
    text = f"import {names}\nfrom a import {names}"
    assert len(imports(text, "python")) == MAX_IMPORTS


HOSTILE = [
    *(b" ", b"\t", b"\n", b"from", b"from ", b"from.", b"\nfrom a import (", b"import"),
    *(b"import ", b"\nimport a.{", b"import \\\n", b"a,", b"#", b"#include ", b'\n#include "'),
    *(b"\n#include <a/", b"require", b"require ", b"\nrequire '", b"require(", b"include_once "),
    *(b'"', b'\n"a.b/c', b"a.b/", b"\nuse crate::{", b"use a\\", b"::", b"\nmod ", b"pub("),
    *(b";", b": ", b"\\", b"\xff"),
]  # fmt: skip
OPENED = {
    "python": b"from a import (",
    "c": b'#include "',
    "javascript": b"import",
    "java": b"import a.{",
    "go": b'import ("',
    "rust": b"use crate::{",
    "ruby": b"require '",
    "php": b"require",
}


# What takes time in proportion to the square of a text would not come to an end here.
@pytest.mark.parametrize("language", OPENED)
def test_a_megabyte_made_to_be_slow_is_not(language):
    for piece in HOSTILE:
        text = piece * (2**20 // len(piece))
        assert len(find_imports(text, language)) <= MAX_IMPORTS
        assert len(find_imports(OPENED[language] + text, language)) <= MAX_IMPORTS


@thorough
@given(st.binary(max_size=60) | st.lists(st.sampled_from(HOSTILE), max_size=20).map(b"".join))
def test_takes_any_bytes(text):
    for language in ENDINGS:
        assert all(each.paths and all(each.paths) for each in find_imports(text, language))

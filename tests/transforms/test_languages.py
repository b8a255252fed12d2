from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from transforms.languages import (
    LANGUAGES,
    SHARED,
    check_language,
    extension_of,
    language_of,
    may_be_script,
    name_filter,
    resolve_languages,
)


@pytest.mark.parametrize("path", ["a.py", "a/b.PY", "a/b.pyi", "a.b.py", ".hidden.py", "x.d/y.py"])
def test_knows_python_by_its_extensions(path):
    assert language_of(path, None) == "python"


@pytest.mark.parametrize("path", ["", "py", ".py", "a/.py", "a.pyc", "a.pyx", "a.py/b", "a.py.txt"])
def test_takes_nothing_else_for_python(path):
    assert language_of(path, None) is None


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/Makefile", "makefile"),
        ("CMakeLists.txt", "cmake"),
        ("docker/Dockerfile", "dockerfile"),
        ("Gemfile", "ruby"),
        (".bashrc", "shell"),
        ("a.ipynb", "jupyter-notebook"),
        ("a.hpp", "c++"),
        ("a.F90", "fortran"),
        ("Main.kt", "kotlin"),
        ("CMakeLists.md.txt", None),
    ],
)
def test_knows_files_by_their_names(path, language):
    assert language_of(path, None) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/usr/bin/env python3", "python"),
        ("#!/usr/bin/python2.7 -u", "python"),
        ("#! /usr/local/bin/pypy3.11", "python"),
        ("#!/usr/bin/env -S PYTHONPATH=. python -O", "python"),
        ("\ufeff#!/bin/sh", "shell"),
        ("#!/bin/bash -e", "shell"),
        ("#!/usr/bin/env node", "javascript"),
        ("#!/usr/bin/Rscript", "r"),
        ("#!/usr/bin/make -f", "makefile"),
        ("#!/usr/bin/env", None),
        ("#!", None),
        ("#!/usr/bin/gawk -f", None),
        ("# python", None),
        ("", None),
    ],
)
def test_knows_scripts_by_their_first_line(line, language):
    assert language_of("bin/tool", f"{line}\nx = 1\n".encode()) == language


# An extension that several languages share, what begins a file, and the language of it.
CONTENTS = [
    ("h", "#include <stdio.h>\nint f(void);\n", "c"),
    ("h", "#pragma once\nnamespace a {\n", "c++"),
    ("h", "#include <vector>\n", "c++"),
    ("h", "template <typename T> T f();\n", "c++"),
    ("h", "struct a;\nclass B : public A {\n", "c++"),
    ("h", "@interface A : NSObject\n@end\n", "objective-c"),
    ("h", "/* a class of its own; class A is\n not meant */\nint x;\n", "c"),
    ("m", "#import <Foundation/Foundation.h>\n", "objective-c"),
    ("m", "function y = f(x)\n% MATLAB\ny = x;\nend\n", None),
    ("pl", "use strict;\nmy $x = 1;\n", "perl"),
    ("pl", ":- module(a, []).\nparent(x, y).\n", None),
    ("pl", "grand(X, Z) :- parent(X, Y), parent(Y, Z).\n", None),
    ("t", "use Test::More;\nok(1);\n", "perl"),
    ("t", "#!/usr/bin/perl\nprint 1;\n", "perl"),
    ("t", "test data", None),
    ("ts", "export const a: number = 1;\n", "typescript"),
    ("ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n', None),
    ("tsx", "export const A = () => <p/>;\n", "typescript"),
    ("cls", "\\NeedsTeXFormat{LaTeX2e}\n", "tex"),
    ("cls", "VERSION 1.0 CLASS\nBEGIN\n", "visual-basic"),
    ("cls", "public class A {}\n", None),
    ("bas", 'Attribute VB_Name = "A"\n', "visual-basic"),
    ("bas", "10 PRINT\n", None),
    ("frm", "VERSION 5.00\n", "visual-basic"),
    ("r", "f <- function(x) x\n", "r"),
    ("r", "REBOL [Title: x]\n", None),
    ("rs", "fn main() {}\n", "rust"),
    ("rs", "#pragma version(1)\n", None),
    ("f", "      PROGRAM A\n", "fortran"),
    ("f", ": square dup * ;\n", None),
    ("for", "      PROGRAM A\n", "fortran"),
    ("md", "# Title\n", "markdown"),
    ("md", '(define_insn "a"\n', None),
    ("php", "<?php echo 1;", "php"),
    ("php", "<?hh // strict\n", None),
    ("hh", "#pragma once\n", "c++"),
    ("inc", "<?php echo 1;", "php"),
    ("inc", "mov ax, bx\n", None),
    ("cgi", "#!/usr/bin/perl\n", "perl"),
    ("cgi", "#!/usr/bin/env python\n", "python"),
    ("fcgi", "\x7f", None),
    ("mm", "#import <A.h>\n", "objective-c"),
    ("mm", '<map version="1.0">', None),
]


@pytest.mark.parametrize(("extension", "text", "language"), CONTENTS)
def test_content_decides_where_an_extension_is_shared(extension, text, language):
    assert language_of(f"a.{extension}", text.encode()) == language
    assert language_of(f"a.{extension}", None) is None


def test_every_shared_extension_is_tested():
    assert {extension for extension, _, _ in CONTENTS} == set(SHARED)


def test_an_extension_of_several_languages_is_decided_by_content():
    owners = [each for language in LANGUAGES.values() for each in language.extensions]
    assert {each for each in owners if owners.count(each) > 1} <= set(SHARED)
    for rules in SHARED.values():
        assert {language for language, _ in rules} <= {None, *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_extension_means_the_language_whatever_a_file_holds(language):
    assert language_of(f"a.{extension_of(language)}", b"x") == language


def test_there_are_the_thirty_most_used_languages_and_more():
    assert len(LANGUAGES) >= 30
    assert list(LANGUAGES) == sorted(LANGUAGES)


PATHS = sorted(
    {
        *(f"a.{each}" for each in chain.from_iterable(x.extensions for x in LANGUAGES.values())),
        *chain.from_iterable(x.names for x in LANGUAGES.values()),
        "tool",
        "a.txt",
    }
)
HEADS = [text.encode() for _, text, _ in CONTENTS] + [b"", b"#!/bin/sh\n", b"#!/usr/bin/python\n"]


@brief
@given(st.sets(st.sampled_from(sorted(LANGUAGES))), st.sampled_from(PATHS), st.sampled_from(HEADS))
def test_a_file_in_a_wanted_language_is_never_passed_over_by_its_name(wanted, path, head):
    if language_of(path, head) in wanted:
        assert name_filter(wanted)(path)


@brief
@given(st.sampled_from(PATHS), st.binary(max_size=200))
def test_no_content_raises_and_what_a_name_decides_no_content_changes(path, head):
    named = language_of(path, None)
    decided = language_of(path, head)
    assert decided == named or named is None


def test_names_decide_before_anything_is_read():
    wanted = name_filter(["python"])
    assert [wanted(path) for path in ("a.py", "tool", "a.js", "Makefile", "a.txt")] == [
        *(True, True),
        *(False, False, False),
    ]
    assert not name_filter(["c"])("tool")
    assert name_filter(["c"])("a.h")


def test_only_files_without_extension_and_known_name_may_be_scripts():
    paths = ("bin/tool", "Makefile", "a.py", ".bashrc", "b.d/tool")
    assert [may_be_script(path) for path in paths] == [True, False, False, False, True]


def test_all_stands_for_every_language():
    assert resolve_languages(["python", "all"]) == tuple(LANGUAGES)
    assert resolve_languages(["python", "c"]) == ("python", "c")


def test_an_unknown_language_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="no language 'Pyhton' is known; did you mean python"):
        check_language("Pyhton")
    with pytest.raises(ValueError, match="There are assembly, batchfile, c, c#"):
        resolve_languages(["klingon"])


@pytest.mark.parametrize("piece", ["class a\n", "use A", " ", "a()", "a(b) ", ": x", "@", "\n"])
def test_no_rule_takes_long_over_hostile_content(piece):
    head = (piece * 16_384).encode()[:16_384]
    for extension in SHARED:
        language_of(f"a.{extension}", head)

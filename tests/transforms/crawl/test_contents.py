import codecs
import io
import sys
import time
import tokenize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.crawl.contents import SOURCE_CODECS, examine

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (b"x = 1\n", "utf-8"),
        ("name = 'é'\n".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"x = 1\n", "utf-8-sig"),
        (codecs.BOM_UTF8 + b"# coding: utf-8\n", "utf-8-sig"),
        (b"# coding: utf8\n", "utf-8"),
        (b"# -*- coding: UTF-8 -*-\n", "utf-8"),
        (b"# -*- coding: latin-1 -*-\nname = '\xe9'\n", "iso8859-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'\x80'\n", "cp1252"),
        (b"# coding: koi8-r\n'\xc1'\n", "koi8-r"),
        ("# coding: shift_jis\n'あ'\n".encode("shift_jis"), "shift_jis"),
        (b"\n\n# coding: latin-1\n", "utf-8"),
        (b"x = 'coding: latin-1'\n", "utf-8"),
    ],
)
def test_names_the_encoding(content, encoding):
    assert examine(content) == encoding
    assert content.decode(encoding) is not None


@pytest.mark.parametrize(
    "content",
    [
        b"name = '\xe9'\n",
        b"# coding: ascii\nname = '\xc3\xa9'\n",
        b"# coding: no-such-encoding\n",
        codecs.BOM_UTF8 + b"# coding: latin-1\n",
        b"\xed\xa0\x80 = 'a surrogate'\n",
        b"# coding: cp1252\n\x81\n",
        "# coding: utf-16\n".encode("utf-16-le").replace(b"\0", b""),
    ],
)
def test_refuses_what_does_not_decode(content):
    assert examine(content) is Reason.UNDECODABLE


@pytest.mark.parametrize(
    "codec",
    [
        *("rot13", "rot_13", "hex", "zlib_codec", "bz2", "base64", "uu", "quopri"),
        *("unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"),
        *("idna", "punycode", "utf-7", "utf7", "utf-16", "utf-32-le", "undefined"),
        *("cp037", "mbcs", "oem"),
    ],
)
def test_refuses_codecs_that_are_no_encodings_of_source(codec):
    assert examine(f"# coding: {codec}\nx = 1\n".encode()) is Reason.UNDECODABLE


def test_refuses_binary_content_and_pointers():
    assert examine(b"x = 1\0\n") is Reason.BINARY_CONTENT
    assert examine(codecs.BOM_UTF16_LE + "x = 1".encode("utf-16-le")) is Reason.BINARY_CONTENT
    assert examine(POINTER) is Reason.LFS_POINTER
    assert examine(POINTER + b"#" * 1024) == "utf-8"


def test_no_text_in_utf16_or_utf32_is_accepted():
    text = "x = 'caf\u00e9 \u4f60\u597d'\n"
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        assert examine(text.encode(codec)) is Reason.BINARY_CONTENT
    # Without any character of ASCII there is no NUL, but a byte order mark is none of UTF-8.
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert examine(mark + "\u4f60\u597d".encode(codec)) is Reason.UNDECODABLE


def test_refuses_a_file_in_two_encodings():
    assert examine("# \u00e9\n".encode() + b"# \xe9\n") is Reason.UNDECODABLE
    # Every byte is a character of Latin-1, which was declared.
    mixed = b"# coding: latin-1\n" + "\u00e9".encode() + b"\xe9\n"
    assert examine(mixed) == "iso8859-1"


@pytest.mark.parametrize(
    "head",
    [
        b"# caf\xe9 -*- coding: latin-1 -*-\n",
        b"# \xe9\n# coding: latin-1\n",
        b"\f # coding=iso-8859-1-unix\n",
        b"\n# coding: ISO_8859_1\r\n",
    ],
)
def test_believes_declarations_that_python_believes(head):
    content = head + b"x = '\xe9'\n"
    found = {}
    exec(compile(content, "declared.py", "exec"), found)
    assert found["x"] == "\u00e9"
    assert examine(content) == "iso8859-1"


@pytest.mark.parametrize(
    "name", ["antigravity", "this", "aliases", "__init__", "os", "x" * 900_000]
)
def test_neither_imports_nor_remembers_what_is_no_encoding(name):
    def refuse(name):
        raise AssertionError(f"{name} was looked up")

    codecs.register(refuse)
    try:
        before = set(sys.modules)
        assert examine(f"# coding: {name}\n".encode()) is Reason.UNDECODABLE
        assert set(sys.modules) == before
    finally:
        codecs.unregister(refuse)


def test_a_codec_of_another_package_changes_nothing():
    def search(name):
        return codecs.CodecInfo(codecs.utf_8_encode, codecs.utf_8_decode, name="of_a_package")

    codecs.register(search)
    try:
        assert examine(b"# coding: of_a_package\n") is Reason.UNDECODABLE
    finally:
        codecs.unregister(search)


@pytest.mark.parametrize("codec", sorted(SOURCE_CODECS))
def test_every_encoding_of_source_leaves_ascii_alone(codec):
    ascii_text = "".join(map(chr, [9, 10, 13, *range(32, 127)]))
    content = f"# coding: {codec}\n{ascii_text}".encode()
    assert content.decode(examine(content)) == content.decode("ascii")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"x = '" + b"a" * 900_000, "utf-8"),
        (b"#coding:" * 9 + b" " * 900_000, "utf-8"),
        (b"#" + b"coding: " * 100_000 + b"\n", Reason.UNDECODABLE),
    ],
    ids=["code", "spaces", "declarations"],
)
def test_reads_one_long_line_in_linear_time(content, found):
    started = time.process_time()
    assert examine(content) == found
    assert time.process_time() - started < 1


@given(st.binary() | st.text().map(str.encode))
@example(b"#coding:\xff")
@example(b"# coding: latin-1\n\xff")
@example(b"#\r# coding: latin-1\r\xff")
def test_agrees_with_the_standard_library(content):
    found = examine(content)
    try:
        declared, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        content.decode(declared)
    except (SyntaxError, UnicodeError, LookupError):
        # Unlike Python itself, it refuses lines before the declaration that are not UTF-8.
        head = b"\n".join(content.split(b"\n")[:2])
        assert isinstance(found, Reason) or head.decode(errors="ignore").encode() != head
    else:
        if not isinstance(found, Reason):
            assert content.decode(found) == content.decode(declared)
        elif found is Reason.UNDECODABLE:
            assert b"coding" in content, "only a declared codec may be refused"

import codecs
import io
import tokenize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.crawl.contents import examine

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
        assert isinstance(found, Reason)
    else:
        if not isinstance(found, Reason):
            assert content.decode(found) == content.decode(declared)
        elif found is Reason.UNDECODABLE:
            assert b"coding" in content, "only a declared codec may be refused"

import json

import pyarrow as pa
import pytest

from transforms.texts import document_texts


def binary(*values):
    return pa.array(values, pa.large_binary())


def test_texts_come_back_as_they_are_where_none_is_a_notebook():
    contents = binary(b"a", b"b")
    encodings = pa.array(["utf-8", "utf-8"])
    assert document_texts(contents, encodings, pa.array(["python", None])) is contents


def test_notebooks_become_scripts_and_others_are_decoded():
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": "\u00e9 = 1"}]})
    contents = binary(b"-", notebook.encode("utf-8-sig"), "\u00e9".encode("latin-1"), b"{}")
    encodings = pa.array(["utf-8", "utf-8-sig", "latin-1", "utf-8"])
    languages = pa.array(["c", "jupyter-notebook", "python", "jupyter-notebook"])
    texts = document_texts(contents[1:], encodings[1:], languages[1:])
    assert texts.type == pa.large_binary()
    assert texts.to_pylist() == ["# %%\n\u00e9 = 1\n".encode(), "\u00e9".encode(), b""]


def test_no_documents_have_no_texts():
    none = pa.array([], pa.string())
    assert len(document_texts(binary(), none, none)) == 0


def test_a_text_that_does_not_decode_is_corrupt_data():
    with pytest.raises(UnicodeDecodeError):
        document_texts(binary(b"\xff"), pa.array(["ascii"]), pa.array(["python"]))

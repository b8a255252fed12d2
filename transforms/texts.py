"""The text of documents as all stages read it: UTF-8, and notebooks as scripts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import utf8_contents
from transforms.notebooks import script_of

NOTEBOOK = "jupyter-notebook"


def document_texts(
    contents: pa.LargeBinaryArray, encodings: pa.Array, languages: pa.Array
) -> pa.LargeBinaryArray:
    """Texts of documents by their columns ``content``, ``encoding`` and ``language``.

    The contents themselves come back where they are UTF-8 and none is a notebook. What is
    called a notebook and has no cells has an empty text. Raises UnicodeDecodeError for a
    content that is not in its encoding, which is corrupt data.
    """
    texts = utf8_contents(contents, encodings)
    is_notebook = pc.fill_null(pc.equal(languages, NOTEBOOK), fill_value=False)
    if not pc.any(is_notebook).as_py():
        return texts
    scripts = [script_of(text.as_py()) for text in texts.filter(is_notebook)]
    return pc.replace_with_mask(texts, is_notebook, pa.array(scripts, pa.large_binary()))

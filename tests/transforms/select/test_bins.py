import pyarrow as pa

from transforms.select.bins import count_bins


def test_counts_documents_and_bytes_by_bin():
    verdicts = pa.array(["a", None, "a", None, None])
    sizes = pa.chunked_array([[1, 2], [4, 8, 16]])
    assert count_bins(verdicts, sizes) == {
        "documents.a": 2,
        "bytes.a": 5,
        "documents.selected": 3,
        "bytes.selected": 26,
    }

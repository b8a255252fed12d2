from tests.transforms.builders import Repository, part_names, write_run
from transforms.tokenizers.loading import SAMPLE_BYTES, read_sample


def test_the_sample_is_the_first_row_group_that_has_text(tmp_path):
    files = {"a.py": b"", "b.py": b"caf\xe9", "c.py": b"x"}
    crawled = [Repository("a", files, encodings={"b.py": "latin-1"})]
    workspace = write_run(tmp_path, crawled, parts=4)
    assert read_sample(workspace, part_names(workspace)) == "\ncaf\u00e9".encode()
    assert read_sample(workspace, []) == b""


def test_the_sample_is_of_bounded_size_and_still_utf8(tmp_path):
    text = "x" + "\u00e9" * SAMPLE_BYTES
    workspace = write_run(tmp_path, [Repository("a", {"a.py": text.encode()})], parts=1)
    sample = read_sample(workspace, part_names(workspace))
    assert len(sample) == SAMPLE_BYTES - 1
    assert text.startswith(sample.decode())

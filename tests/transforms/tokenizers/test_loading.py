import pickle
import random

from tests.transforms.builders import Repository, part_names, write_run
from transforms.tokenizers.loading import SAMPLE_BYTES, Sample


def test_the_sample_is_the_first_row_group_that_has_text(tmp_path):
    files = {"a.py": b"", "b.py": b"caf\xe9", "c.py": b"x"}
    crawled = [Repository("a", files, encodings={"b.py": "latin-1"})]
    workspace = write_run(tmp_path, crawled, parts=4)
    assert Sample.find(workspace, part_names(workspace)).read() == "\ncaf\u00e9".encode()
    assert Sample.find(workspace, []).read() == b""


def test_the_sample_is_of_bounded_size_and_still_utf8(tmp_path):
    text = "x" + "\u00e9" * SAMPLE_BYTES
    workspace = write_run(tmp_path, [Repository("a", {"a.py": text.encode()})], parts=1)
    sample = Sample.find(workspace, part_names(workspace)).read()
    assert len(sample) == SAMPLE_BYTES - 1
    assert text.startswith(sample.decode())


def test_samples_are_equal_where_their_text_is(tmp_path):
    files, others = {"a.py": b"x = 1"}, {"a.py": b"x = 2"}
    here, there, other = (
        Sample.find(workspace, part_names(workspace))
        for workspace in (
            write_run(tmp_path / "here", [Repository("a", files)], parts=3),
            write_run(tmp_path / "there", [Repository("b", files)], parts=7),
            write_run(tmp_path / "other", [Repository("a", others)], parts=3),
        )
    )
    assert here == there
    assert hash(here) == hash(there)
    assert other not in {here, Sample()}


def test_a_job_carries_where_the_sample_is_and_not_its_text(tmp_path):
    text = random.Random(1).randbytes(SAMPLE_BYTES).hex().encode()
    workspace = write_run(tmp_path, [Repository("a", {"a.py": text})], parts=1)
    sample = Sample.find(workspace, part_names(workspace))
    assert len(sample.read()) == SAMPLE_BYTES
    assert len(pickle.dumps(sample)) < 1_000

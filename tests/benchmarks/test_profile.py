import pytest

from benchmarks.profile import PIECES


@pytest.mark.parametrize(
    ("owner", "attribute"),
    [piece[:2] for piece in PIECES],
    ids=[f"{piece[0].__name__}.{piece[1]}" for piece in PIECES],
)
def test_every_piece_is_there_to_be_watched(owner, attribute):
    assert callable(getattr(owner, attribute))

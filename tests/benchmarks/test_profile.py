import pytest

from benchmarks.direct_work import STAGES
from benchmarks.profile import PIECES
from pipeline.stages import STAGES as ALL_STAGES


@pytest.mark.parametrize(
    ("owner", "attribute"),
    [piece[:2] for piece in PIECES],
    ids=[f"{piece[0].__name__}.{piece[1]}" for piece in PIECES],
)
def test_every_piece_is_there_to_be_watched(owner, attribute):
    assert callable(getattr(owner, attribute))


def test_every_stage_after_the_crawl_is_accounted_for():
    assert tuple(stage.name for stage in ALL_STAGES[2:]) == STAGES
